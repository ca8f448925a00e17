"""Merged yesterday, how many of production's decisions would have differed, and which rows move most?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.model import Decision
from slipway.domain.release import MovedRow, ServedWindow, TrafficEvidence
from slipway.domain.rows import Batch, rows_in, scores
from slipway.maths.classification import decide, flips

_MOST_ROWS = 10
_MOST_INPUTS = 20
_LONGEST_VALUE = 40  # characters
_DIGITS = 6  # of a score; the seventh depends on the machine


def measure(
    *,
    served: ServedWindow,
    version: str,
    asked: Batch,
    deployed: Batch,
    candidate: Batch,
    decision: Decision,
    deployed_decision: Decision,
) -> TrafficEvidence:
    """Each version decides by its own output and threshold; `asked` holds the inputs of the candidate."""
    scores_before, scores_after = scores(deployed, deployed_decision.output), scores(candidate, decision.output)
    before = decide(scores_before, threshold=deployed_decision.threshold)
    after = decide(scores_after, threshold=decision.threshold)
    return TrafficEvidence(
        since=served.since,
        until=served.until,
        version=version,
        rows=rows_in(candidate),
        flips=flips(before, after).total,
        moved=_moved(asked, _rounded(scores_before), _rounded(scores_after), before != after),
    )


def _moved(
    asked: Batch, before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], flipped: npt.NDArray[np.bool_]
) -> tuple[MovedRow, ...]:
    """The rows whose score moves most, the first of equals first."""
    distance = _distance(before, after)
    most = np.argsort(-distance, kind="stable")[:_MOST_ROWS]
    return tuple(
        MovedRow(
            inputs={name: _shown(asked[name][row]) for name in list(asked)[:_MOST_INPUTS]},
            before=_number(before[row]),
            after=_number(after[row]),
            flips=bool(flipped[row]),
        )
        for row in most
        if distance[row] > 0
    )


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
