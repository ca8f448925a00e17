"""How every version of the model must behave: asked of the ONNX file itself, at each release.

`make test` leaves this file out, since it has no ONNX file to ask; `slipway check flight-delay` runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Batch = dict[str, npt.NDArray[Any]]


def test_an_airport_that_was_never_seen_gets_a_probability(ask: Callable[[Batch], Batch], samples: Batch) -> None:
    """Airlines open routes; a client that asks for one must get an answer that can be decided by."""
    samples["dest"][:] = "ZZZ"

    p_late = ask(samples)["p_late"]

    assert np.isfinite(p_late).all()
    assert ((p_late >= 0) & (p_late <= 1)).all()


def test_the_order_of_the_rows_does_not_matter(ask: Callable[[Batch], Batch], samples: Batch) -> None:
    """A model that lets rows of a batch see each other answers by who else asks."""
    backwards = ask({name: column[::-1] for name, column in samples.items()})["p_late"][::-1]

    assert np.abs(ask(samples)["p_late"] - backwards).max() < 1e-6
