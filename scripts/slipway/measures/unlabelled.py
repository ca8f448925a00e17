"""How good is the model likely to be on rows that nobody has labelled yet?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.decisions import decided, holds_the_class, scored
from slipway.domain.model import Decision
from slipway.domain.rows import Batch, LabelledRows, scores, take
from slipway.domain.unlabelled import UnlabelledCheck, UnlabelledEstimate
from slipway.domain.verdict import estimate_of
from slipway.maths.named_metrics import BY_NAME, DecisionKind
from slipway.maths.scoring import value_of
from slipway.maths.unlabelled import Expected, are_chances, expected

_SEED = 20130104
_DIGITS = 6
_FEWEST = 100  # rows of a block
_METRICS = {
    DecisionKind.YES_OR_NO: ("accuracy", "f1", "precision", "recall"),
    DecisionKind.ONE_OF_SEVERAL: ("accuracy", "f1_macro"),
    DecisionKind.NUMBER: (),
}


def count(outputs: Batch, days: npt.NDArray[np.int64], decision: Decision) -> Expected | None:
    """What some answered rows let expect, to be added up; None where the model answers with no probabilities."""
    chances = _chances(outputs, decision)
    if chances is None or not are_chances(chances):
        return None
    return expected(days, chances, _is_decided(outputs, decision))


def measure(counted: Expected, decision: Decision, *, check: UnlabelledCheck) -> UnlabelledEstimate:
    """The metrics of a window that the check at release found near what was measured."""
    names = [name for name in _METRICS[decision.kind] if check.is_calibrated(name)]
    return UnlabelledEstimate(
        rows=counted.rows,
        days=len(counted.by_day),
        metrics={name: estimate_of(counted.estimate(name, seed=_SEED)) for name in names},
        error={name: check.largest_error.get(name) for name in names},
        blocks=check.blocks,
        left_out=counted.left_out,
    )


def check(rows: LabelledRows, outputs: Batch, decision: Decision, *, window_days: int) -> UnlabelledCheck | None:
    """Estimate the rows that count as if they had no labels, and hold that against their labels.

    All of them together, and blocks of `window_days` calendar days as far as these have rows enough. None where the
    model answers with no probabilities.
    """
    chosen = np.flatnonzero(rows.counts)
    outputs = take(outputs, chosen)
    if len(chosen) == 0 or count(outputs, rows.days[chosen], decision) is None:
        return None
    everything = np.ones(len(chosen), np.bool_)
    block = (rows.days[chosen] - rows.days[chosen].min()) // window_days
    parts = [one for one in (block == number for number in np.unique(block)) if one.sum() >= _FEWEST] or [everything]
    names = _METRICS[decision.kind]
    of_parts = [_both(rows, outputs, decision, chosen, part) for part in parts]
    estimated, measured = _both(rows, outputs, decision, chosen, everything)
    return UnlabelledCheck(
        rows=len(chosen),
        blocks=len(parts),
        estimated={name: _rounded(estimated[name]) for name in names},
        measured={name: _rounded(measured[name]) for name in names},
        largest_error={name: _largest([abs(told[name] - true[name]) for told, true in of_parts]) for name in names},
    )


def _both(
    rows: LabelledRows,
    outputs: Batch,
    decision: Decision,
    chosen: npt.NDArray[np.intp],
    part: npt.NDArray[np.bool_],
) -> tuple[dict[str, float], dict[str, float]]:
    """Estimated and measured, by metric; NaN where one is undefined."""
    only = np.zeros(len(rows), np.bool_)
    only[chosen[part]] = True
    answers = take(outputs, part)
    counted = count(answers, rows.days[only], decision)
    assert counted is not None  # all of them are probabilities
    labelled = LabelledRows(answers, rows.labels[only], rows.days[only], np.ones(int(part.sum()), np.bool_))
    true = scored(labelled, answers, decision, labelled_by=decision)
    assert true is not None  # one decision is of one kind
    names = _METRICS[decision.kind]
    return {name: counted.value(name) for name in names}, {name: value_of(BY_NAME[name], true) for name in names}


def _chances(outputs: Batch, decision: Decision) -> npt.NDArray[Any] | None:
    """A probability a class, shape (N, K); None where the decision is taken from none."""
    column = outputs[decision.output]
    if decision.kind is DecisionKind.NUMBER or column.dtype.kind != "f" or holds_the_class(column):
        return None
    if decision.threshold is not None:
        return scores(outputs, decision.output).reshape(-1, 1)
    return column.reshape(len(column), -1)


def _is_decided(outputs: Batch, decision: Decision) -> npt.NDArray[np.bool_]:
    answers = decided(outputs, decision)
    if decision.classes is None:
        return answers.reshape(-1, 1)
    return np.stack([answers == name for name in decision.classes], axis=1)


def _largest(errors: list[float]) -> float | None:
    known = [one for one in errors if not np.isnan(one)]
    return round(max(known), _DIGITS) if known else None


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, _DIGITS)
