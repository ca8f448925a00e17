"""Merged yesterday, how many of production's decisions would have differed, and which rows move most?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from slipway.domain.decisions import decided, flipped, holds_the_class
from slipway.domain.evidence import MovedRow, TrafficEvidence
from slipway.domain.flips import flips_by_value
from slipway.domain.model import Decision, Feature
from slipway.domain.rows import Batch, rows_in

_MOST_ROWS = 10
_MOST_INPUTS = 20
_LONGEST_VALUE = 40  # characters
_DIGITS = 6  # of a score; the seventh depends on the machine


class Served(Protocol):
    """Of which days rows were asked, both inclusive, and how many there were in all; None where nobody counted."""

    @property
    def since(self) -> str: ...

    @property
    def until(self) -> str: ...

    @property
    def of(self) -> int | None: ...


def measure(
    *,
    served: Served,
    version: str,
    asked: Batch,
    deployed: Batch,
    candidate: Batch,
    decision: Decision,
    deployed_decision: Decision,
    by: Iterable[Feature] = (),
) -> TrafficEvidence:
    """Each version decides by its own decision; `asked` holds the inputs of the candidate.

    `by` are those of them by whose values flips are counted apart, too.
    """
    before, after = decided(deployed, deployed_decision), decided(candidate, decision)
    flips = flipped(before, after, decision)
    return TrafficEvidence(
        since=served.since,
        until=served.until,
        version=version,
        rows=rows_in(candidate),
        flips=int(flips.sum()),
        moved=_moved(
            asked,
            _Answer(_numbers(deployed, deployed_decision), before),
            _Answer(_numbers(candidate, decision), after),
            flips,
        ),
        of=served.of,
        slices=flips_by_value(by, asked, flips),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """`numbers` are what moves, shape [N, width], None where there are none; `decisions` as `decided` has them."""

    numbers: npt.NDArray[np.float64] | None
    decisions: npt.NDArray[Any]

    def shown(self, row: int) -> float | str | None:
        """A class by its name, anything else by its number."""
        if self.decisions.dtype.kind == "U" or self.numbers is None:
            return str(self.decisions[row])
        return _number(self.numbers[row, 0])


def _numbers(outputs: Batch, decision: Decision) -> npt.NDArray[np.float64] | None:
    """All of a class's, and the first where one decides."""
    column = outputs[decision.output]
    if column.dtype.kind not in "biuf" or (decision.classes is not None and holds_the_class(column)):
        return None
    wide = column.reshape(len(column), -1)
    return _rounded(wide if decision.classes is not None else wide[:, :1])


def _moved(asked: Batch, before: _Answer, after: _Answer, flips: npt.NDArray[np.bool_]) -> tuple[MovedRow, ...]:
    """The rows whose answer moves most, the first of equals first; of mere names, those that flip."""
    distance = _row_distance(before.numbers, after.numbers, otherwise=flips)
    most = np.argsort(-distance, kind="stable")[:_MOST_ROWS].tolist()
    return tuple(
        MovedRow(
            inputs={name: _shown(asked[name][row]) for name in list(asked)[:_MOST_INPUTS]},
            before=before.shown(row),
            after=after.shown(row),
            flips=bool(flips[row]),
        )
        for row in most
        if distance[row] > 0
    )


def _row_distance(
    before: npt.NDArray[np.float64] | None,
    after: npt.NDArray[np.float64] | None,
    *,
    otherwise: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """The largest move of a row's numbers, shape [N]."""
    if before is None or after is None or before.shape != after.shape:
        return otherwise.astype(np.float64)
    return np.asarray(_distance(before, after).max(axis=1), np.float64)


def _distance(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From a number to none it is infinite, from none to none zero."""
    with np.errstate(invalid="ignore"):  # infinity to infinity
        apart = np.abs(after - before)
    finite = np.isfinite(before) & np.isfinite(after)
    return np.where(finite, apart, np.where(np.isfinite(before) == np.isfinite(after), 0.0, np.inf))


def _rounded(column: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return column.astype(np.float64).round(_DIGITS)


def _number(score: np.float64) -> float | None:
    return float(score) if np.isfinite(score) else None


def _shown(value: npt.NDArray[Any]) -> str:
    text = " ".join(f"{one:g}" if isinstance(one, float | np.floating) else str(one) for one in value.ravel()[:8])
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
