"""What answers are decided to be, and whether two answers to a row are decided otherwise.

The one place that knows the three kinds of decisions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.model import Decision
from slipway.domain.rows import Batch, LabelledRows, scores
from slipway.maths.classification import decide
from slipway.maths.columns import FloatArray
from slipway.maths.scored import Scored

Bools = npt.NDArray[np.bool_]
NO_CLASS = ""  # of a row without a single number, or of an index that no class has


def decided(outputs: Batch, decision: Decision) -> npt.NDArray[Any]:
    """One decision a row, shape [N]: a bool, the name of a class, or a float64."""
    if decision.threshold is not None:
        return decide(scores(outputs, decision.output), threshold=decision.threshold)
    column = outputs[decision.output]
    if decision.classes is None:
        return scores(outputs, decision.output).astype(np.float64)
    if holds_the_class(column):
        return class_names(column.reshape(len(column)), decision.classes)
    return _named(_largest(column.reshape(len(column), -1)), decision.classes)


def flipped(before: npt.NDArray[Any], after: npt.NDArray[Any], decision: Decision) -> Bools:
    """Whether each row is decided otherwise, shape [N]; `decision` says what of a number is noticeable.

    Two models that decide things of different kinds agree on no row.
    """
    if before.dtype.kind != after.dtype.kind:
        return np.ones(len(after), np.bool_)
    if decision.noticeable is None:
        return np.asarray(before != after, np.bool_)
    return np.asarray(~(moves(before, after) <= decision.noticeable), np.bool_)


def moves(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> FloatArray:
    """How far each number moves, shape [N]: infinitely far from a number to none, not at all from none to none."""
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    with np.errstate(invalid="ignore"):  # infinity to infinity, which `same` has settled
        apart = np.abs(after - before)
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def sureness(outputs: Batch, decision: Decision) -> FloatArray:
    """How far each row's answer lies from another decision, in the unit of the output, shape [N].

    Of classes, half the lead of the first over the second: as much as both may be off. A class that the model names
    itself is sure, and so is that a number moved by more than is noticeable.
    """
    column = outputs[decision.output]
    if decision.threshold is not None:
        return np.abs(scores(outputs, decision.output).astype(np.float64) - decision.threshold)
    if decision.classes is None or holds_the_class(column):
        return np.full(len(column), decision.noticeable if decision.classes is None else _SURE, np.float64)
    ranked = np.sort(_comparable(column.reshape(len(column), -1)), axis=1)
    with np.errstate(invalid="ignore"):  # no number at all
        return (ranked[:, -1] - ranked[:, -2]) / 2


def holds_the_class(column: npt.NDArray[Any]) -> bool:
    """Whether an output is the class itself: words or whole numbers, one a row."""
    return column.dtype.kind in "OUiu" and column.size == len(column)


def class_names(values: npt.NDArray[Any], classes: tuple[str, ...]) -> npt.NDArray[np.str_]:
    """The classes that words or whole numbers stand for, shape [N]; what stands for none becomes NO_CLASS.

    A number is the class of that name where all classes are called by whole numbers, and its index otherwise.
    """
    if values.dtype.kind in "OU":
        words = values.astype(str)
        return np.where(np.isin(words, classes), words, NO_CLASS)
    if called_by_numbers(classes):
        words = values.astype(np.int64).astype(str)
        return np.where(np.isin(words, classes), words, NO_CLASS)
    return _named(values.astype(np.int64), classes)


def called_by_numbers(classes: tuple[str, ...]) -> bool:
    return all(name.removeprefix("-").isdecimal() and str(int(name)) == name for name in classes)


def scored(rows: LabelledRows, outputs: Batch, decision: Decision, *, labelled_by: Decision) -> Scored | None:
    """Answers as metrics ask for them, of the rows that count.

    `labelled_by` is the decision that the labels were read for. None where the answers are decided to be of another
    kind than the labels: no metric tells how good they are.
    """
    if decision.kind is not labelled_by.kind:
        return None
    chosen = rows.counts
    labels, decisions = rows.labels[chosen], decided(outputs, decision)[chosen]
    classes = labelled_by.classes or ()
    if classes:
        labels, decisions = _places(labels, classes), _places(decisions, classes)
    return Scored(
        labels=labels,
        decisions=decisions,
        scores=_scores(outputs, decision, classes, chosen),
        groups=rows.drawn[chosen],
        classes=len(classes),
    )


def _scores(outputs: Batch, decision: Decision, classes: tuple[str, ...], chosen: Bools) -> npt.NDArray[Any] | None:
    """What was decided from, a column a class in the order of `classes`; None where only decisions are told."""
    if decision.classes is None:
        return scores(outputs, decision.output)[chosen]
    column = outputs[decision.output]
    if holds_the_class(column) or set(classes) != set(decision.classes):
        return None
    order = [decision.classes.index(name) for name in classes]
    return column.reshape(len(column), -1)[chosen][:, order]


def _places(names: npt.NDArray[np.str_], classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """The place of each name among the classes; what is none of them comes after the last."""
    order = np.argsort(np.array(classes))
    found = order[np.minimum(np.searchsorted(np.array(classes), names, sorter=order), len(classes) - 1)]
    return np.where(np.array(classes)[found] == names, found, len(classes))


_SURE = float(np.finfo(np.float64).max)


def _largest(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The place of the largest number a row, the first among equals; -1 where there is none."""
    return np.where(np.isnan(numbers).all(axis=1), -1, _comparable(numbers).argmax(axis=1))


def _comparable(numbers: npt.NDArray[Any]) -> FloatArray:
    """NaN is less than any number."""
    numbers = numbers.astype(np.float64)
    return np.where(np.isnan(numbers), -np.inf, numbers)


def _named(places: npt.NDArray[np.int64], classes: tuple[str, ...]) -> npt.NDArray[np.str_]:
    there = (places >= 0) & (places < len(classes))
    return np.where(there, np.array(classes)[np.where(there, places, 0)], NO_CLASS)
