"""How much the source differs from itself: the noise that a conversion may not be blamed for.

The same rows are asked one at a time, 256 at a time, in another order and, where the framework lets that be changed
in a process that runs, with two threads. What changes between them is the order of sums inside the framework, which
is also what changes between the source and its ONNX file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.converters.batches import chunks
from slipway.domain.rows import Batch, rows_in, take
from slipway.errors import ConversionFailed

_ONE_AT_A_TIME = 500  # a batch of one takes about a millisecond
_SOME_AT_A_TIME = 256
_COMPARED_AT_ONCE = 4096
_SEED = 7  # any order will do, as long as it is the same in each run

Predict = Callable[[Batch], Batch]


def noise_floor(
    predict: Predict, batch: Batch, at_once: Batch, *, otherwise: Sequence[Predict] = ()
) -> dict[str, float]:
    """The largest difference of each output to itself; `at_once` are the answers to the whole batch.

    `otherwise` are other ways to ask the same source, such as with more threads.

    Raises:
        ConversionFailed: the source answers a row with a number in one batch and with none in another.
    """
    floor = dict.fromkeys(at_once, 0.0)
    for once, again in _repeats(predict, batch, at_once, otherwise):
        floor = {name: max(floor[name], apart) for name, apart in largest_differences(once, again).items()}
    return floor


def largest_differences(once: Batch, again: Batch) -> dict[str, float]:
    """Between two answers to the same rows, an output.

    Raises:
        ConversionFailed: a row has a number in the one and none in the other.
    """
    return {name: _apart(name, once[name], again[name]) for name in once}


def _repeats(
    predict: Predict, batch: Batch, at_once: Batch, otherwise: Sequence[Predict]
) -> Iterator[tuple[Batch, Batch]]:
    """Answers and other answers to the same rows; they are compared as they come, so that no repeat is kept."""
    first = slice(0, _ONE_AT_A_TIME)
    yield from _in_chunks(predict, take(batch, first), take(at_once, first), rows_at_once=1)
    yield from _in_chunks(predict, batch, at_once, rows_at_once=_SOME_AT_A_TIME)
    order = np.random.default_rng(_SEED).permutation(rows_in(batch))
    yield take(at_once, order), predict(take(batch, order))
    yield from ((at_once, other(batch)) for other in otherwise)


def _in_chunks(predict: Predict, batch: Batch, at_once: Batch, *, rows_at_once: int) -> Iterator[tuple[Batch, Batch]]:
    both = (chunks(one, rows_at_once=rows_at_once) for one in (at_once, batch))
    return ((once, predict(chunk)) for once, chunk in zip(*both, strict=True))


def _apart(name: str, once: npt.NDArray[Any], again: npt.NDArray[Any]) -> float:
    """A part of the rows at a time: in float64, they take several times what the answers take."""
    if once.shape != again.shape:
        raise ConversionFailed(
            f"the source answers `{name}` in the shape {list(once.shape)} in one batch and {list(again.shape)} in "
            "another",
            mend="answer each row with an entry of its own along the first axis",
        )
    parts = (slice(start, start + _COMPARED_AT_ONCE) for start in range(0, len(once), _COMPARED_AT_ONCE))
    return max((_part_apart(name, once[part], again[part]) for part in parts), default=0.0)


def _part_apart(name: str, once: npt.NDArray[Any], again: npt.NDArray[Any]) -> float:
    if once.dtype.kind not in "fiub":
        return float(not np.array_equal(once, again))
    before, after = once.astype(np.float64), again.astype(np.float64)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    difference = np.where(same, 0.0, np.abs(np.subtract(before, after, where=~same, out=np.zeros_like(before))))
    largest = float(difference.max(initial=0.0))
    if not np.isfinite(largest):
        raise ConversionFailed(
            f"the source answers `{name}` of one row with a number in one batch and with none in another",
            mend="look for a layer that depends on the other rows of a batch, such as batch statistics",
        )
    return largest
