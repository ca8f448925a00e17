"""Does the model behave as its team expects: unmoved by what must not matter, and the right way by what does?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.behaviour import BehaviourLimit, Changed, Course, Direction, GoldenRequest, Invariance, TextChange
from slipway.domain.behaviour_fit import values_of
from slipway.domain.decisions import decided, flipped
from slipway.domain.evidence import BehaviourEvidence, ChangedEvidence, GoldenEvidence, TeamTest
from slipway.domain.model import Feature, Model
from slipway.domain.rows import Batch, LabelledRows, is_number, rows_in, take
from slipway.domain.signature import DataType
from slipway.domain.verdict import estimate_of
from slipway.maths.agreement import differences
from slipway.maths.columns import FloatArray
from slipway.maths.intervals import share_over_groups

Ask = Callable[[Batch], Batch]
Bools = npt.NDArray[np.bool_]
_SEED = 20130106
_DIGITS = 6  # of a number that people read; the seventh depends on the machine


def measure(
    expected: BehaviourLimit,
    *,
    model: Model,
    rows: LabelledRows,
    answers: Batch,
    ask: Ask,
    tests: tuple[TeamTest, ...] | None = None,
) -> BehaviourEvidence:
    """Ask again with each change applied to the rows, and each golden request once.

    Args:
        expected: the expectations that hold for the version; none of its limits is looked at.
        rows: the samples. Whole days or groups of them are drawn, since rows of one behave alike.
        answers: what the model answers to them.
        ask: the model: a batch in, its answers out.
        tests: what came of the team's own functions, where there are any.
    """
    return BehaviourEvidence(
        changed=tuple(_changed(one, model=model, asked=rows, answers=answers, ask=ask) for one in expected.changing),
        golden=tuple(_golden(one, model=model, ask=ask) for one in expected.golden),
        tests=tests,
    )


def _changed(
    one: Invariance | Direction, *, model: Model, asked: LabelledRows, answers: Batch, ask: Ask
) -> ChangedEvidence:
    batch = asked.batch
    changed = after_change(batch[one.input], one)
    rows = np.flatnonzero(_differ(batch[one.input], changed))
    if len(rows) == 0:
        return ChangedEvidence(name=one.name, asked=one.sentence, rows=0, violations=0, share=None)
    before, after = take(answers, rows), ask({**take(batch, rows), one.input: changed[rows]})
    wrong = _moved(one, model, before, after) if isinstance(one, Invariance) else _wrong_way(one, before, after)
    drawn = asked.drawn[rows]
    return ChangedEvidence(
        name=one.name,
        asked=one.sentence,
        rows=len(rows),
        violations=int(wrong.sum()),
        share=estimate_of(share_over_groups(wrong, drawn, seed=_SEED)),
        example=_example(one, model, wrong, rows, batch=batch, changed=changed, before=before, after=after),
        days=len(np.unique(asked.days[rows])),
        groups=None if asked.groups is None else len(np.unique(drawn)),
    )


def after_change(column: npt.NDArray[Any], one: Changed) -> npt.NDArray[Any]:
    """The column of an input, changed; shape and type stay as they are."""
    if one.text is not None:
        return _each_word(column, _TEXT[one.text])
    if one.replace is not None:
        names = one.replace
        return _each_word(column, lambda word: names.get(word, word))
    if one.set is not None:
        return np.full(column.shape, one.set, column.dtype)
    changed = column + one.add if one.add is not None else column * one.multiply
    return np.asarray(changed).astype(column.dtype)


_TEXT: dict[TextChange, Callable[[str], str]] = {
    TextChange.LOWER: str.lower,
    TextChange.UPPER: str.upper,
    TextChange.SPACED: lambda word: f" {word} ",
}


def _each_word(column: npt.NDArray[Any], change: Callable[[str], str]) -> npt.NDArray[Any]:
    changed = np.array([change(str(word)) for word in column.ravel()], object)
    return changed.reshape(column.shape)


def _differ(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> Bools:
    """A bool a row; what is missing stays missing, and is not changed."""
    apart = differences(before, after) != 0
    return np.asarray(apart.reshape(len(before), -1).any(axis=1), np.bool_)


def _moved(one: Invariance, model: Model, before: Batch, after: Batch) -> Bools:
    if one.tolerance is None:
        return flipped(decided(before, model.decision), decided(after, model.decision), model.decision)
    apart = [differences(before[name], after[name]).reshape(rows_in(after), -1) for name in after]
    return np.asarray(np.any([(each > one.tolerance).any(axis=1) for each in apart], axis=0), np.bool_)


def _wrong_way(one: Direction, before: Batch, after: Batch) -> Bools:
    """From a number to none is the wrong way, too; from none to none is no move."""
    old, new = (_numbers(batch[one.output]) for batch in (before, after))
    way = 1.0 if one.must is Course.NOT_FALL else -1.0
    with np.errstate(invalid="ignore"):  # infinity to infinity
        right = way * (new - old) >= -one.tolerance
    return np.asarray(~(right | (old == new) | (np.isnan(old) & np.isnan(new))), np.bool_)


def _numbers(column: npt.NDArray[Any]) -> FloatArray:
    return np.asarray(column.reshape(len(column)), np.float64)


def _example(
    one: Invariance | Direction,
    model: Model,
    wrong: Bools,
    rows: npt.NDArray[np.int64],
    *,
    batch: Batch,
    changed: npt.NDArray[Any],
    before: Batch,
    after: Batch,
) -> str:
    """The row that moves most of those that behave otherwise, for the person who looks into it."""
    if not wrong.any():
        return ""
    output = one.output if isinstance(one, Direction) else model.decision.output
    apart = differences(before[output], after[output]).reshape(len(wrong), -1).max(axis=1)
    worst = int(np.argmax(np.where(wrong, apart, -1.0)))
    row = int(rows[worst])
    asked = f"{one.input} {_shown(batch[one.input][row])} → {_shown(changed[row])}"
    moved = f"{_shown(before[output][worst])} → {_shown(after[output][worst])}"
    return f"sample row {row + 1:,}: {asked} moves {output} {moved}"


def _golden(one: GoldenRequest, *, model: Model, ask: Ask) -> GoldenEvidence:
    if missing := [feature.name for feature in model.inputs if feature.name not in one.inputs]:
        return GoldenEvidence(request=one, problem=f"the model asks for {', '.join(missing)}, which it does not name")
    answers = ask({feature.name: _column(one, feature) for feature in model.inputs})
    apart = {name: _apart(answers[name], values_of(wanted)) for name, wanted in one.answers.items()}
    return GoldenEvidence(
        request=one,
        answered=_told(one, model, answers),
        kept=all(each <= one.tolerance for each in apart.values()) and _decides_as_expected(one, model, answers),
    )


def _column(one: GoldenRequest, feature: Feature) -> npt.NDArray[Any]:
    """One row, `[1, *shape]`."""
    dtype = object if feature.dtype is DataType.STRING else feature.dtype.value
    return np.array(values_of(one.inputs[feature.name]), dtype).reshape(1, *feature.shape)


def _apart(answer: npt.NDArray[Any], wanted: tuple[Any, ...]) -> float:
    expected = np.array(wanted, object if not is_number(answer) else np.float64)
    return float(differences(expected, answer.ravel()).max())


def _decides_as_expected(one: GoldenRequest, model: Model, answers: Batch) -> bool:
    if one.decision is None:
        return True
    got = decided(answers, model.decision)
    return not bool(flipped(np.array([one.decision], got.dtype), got, model.decision)[0])


def _told(one: GoldenRequest, model: Model, answers: Batch) -> str:
    told = [f"{name} {_shown(answers[name])}" for name in one.answers]
    got = decided(answers, model.decision)
    return ", ".join([*told, *([f"decision {_shown(got)}"] if one.decision is not None else [])])


def _shown(value: Any) -> str:
    return " ".join(_one(each) for each in np.asarray(value).ravel()[:8])


def _one(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating) and np.isnan(value):
        return "null"  # as it is declared
    return f"{value:.{_DIGITS}g}" if isinstance(value, float | np.floating) else str(value)
