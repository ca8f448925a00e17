"""The client of the protocol, against a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.client import ROWS_A_REQUEST, ask
from slipway.adapters.rollout.process import ProcessRollout
from slipway.errors import ServerRefused


@pytest.fixture
def live(deploy: Callable[..., Deployment], state: Path) -> Live:
    return ProcessRollout(state=state).apply(deploy("v1.0.0"))


def test_a_batch_of_any_size_comes_back_in_order(live: Live) -> None:
    """A window of 20,000 rows is one call for whoever measures, whatever the server takes at once."""
    rows = 2 * ROWS_A_REQUEST + 3
    hours = np.arange(rows, dtype=np.float32).reshape(-1, 1)
    answer = ask(live, {"hour": hours, "carrier": np.full((rows, 1), "UA")})

    assert np.array_equal(answer["p_late"], hours)
    assert answer["p_late"].dtype == np.float32
    assert answer["airline"].tolist() == [["UA"]] * rows


def test_a_missing_value_is_sent_and_answered_as_missing(live: Live) -> None:
    """Real features have holes; the answer to one is not an error."""
    answer = ask(live, {"hour": np.array([[np.nan]], dtype=np.float32), "carrier": np.array([["Ü"]], dtype=object)})

    assert np.isnan(answer["p_late"]).all()
    assert answer["airline"].tolist() == [["Ü"]]


def test_a_refusal_is_shown_with_the_servers_own_words(live: Live) -> None:
    """The server names the field; nothing that we could add is as good."""
    with pytest.raises(ServerRefused, match=r"answered 400.*datatype is 'FP64'; the model takes FP32"):
        ask(live, {"hour": np.array([[1.0]]), "carrier": np.array([["AA"]])})
