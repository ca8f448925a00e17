"""How good yes-or-no answers are: confusion counts, what follows from them, and AUC.

What is undefined is None, never 0 and never 1:
precision without a single positive decision, recall without a single positive label, F1 with neither of the two,
AUC when all labels are the same. A model that never says yes while it should has recall 0, F1 0 and no precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import FloatArray, one_dimensional

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]  # shape (.., 4): true positives, false positives, false negatives, true negatives


def precision(counts: Counts) -> FloatArray:
    """TP / (TP + FP), shape (..): NaN where nothing was decided positive."""
    return _ratio(counts[..., 0], counts[..., 0] + counts[..., 1])


def recall(counts: Counts) -> FloatArray:
    """TP / (TP + FN), shape (..): NaN where no label is positive."""
    return _ratio(counts[..., 0], counts[..., 0] + counts[..., 2])


def f1(counts: Counts) -> FloatArray:
    """2 TP / (2 TP + FP + FN), shape (..): NaN where neither a label nor a decision is positive."""
    return _ratio(2 * counts[..., 0], 2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


METRICS: Mapping[str, Callable[[Counts], FloatArray]] = MappingProxyType(
    {"precision": precision, "recall": recall, "f1": f1}
)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows by label and decision; two can be added."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def rows(self) -> int:
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def positives(self) -> int:
        """Rows whose label is positive: what decides how sure a metric can be."""
        return self.true_positive + self.false_negative

    @property
    def precision(self) -> float | None:
        return self.metric("precision")

    @property
    def recall(self) -> float | None:
        return self.metric("recall")

    @property
    def f1(self) -> float | None:
        return self.metric("f1")

    @property
    def always_positive_f1(self) -> float | None:
        """F1 of the constant answer yes on the same rows, 2 r / (1 + r) for a share r of positive labels."""
        always = Confusion(self.positives, self.rows - self.positives, 0, 0)
        return always.metric("f1")

    def metric(self, name: str) -> float | None:
        """One of METRICS, None where it is undefined."""
        value = float(METRICS[name](self.counts))
        return None if np.isnan(value) else value

    @property
    def counts(self) -> Counts:
        """Shape (4,)."""
        return np.array([self.true_positive, self.false_positive, self.false_negative, self.true_negative], np.int64)

    def __add__(self, other: Self) -> Self:
        return type(self)(*(self.counts + other.counts).tolist())


def decide(scores: npt.NDArray[Any], *, threshold: float) -> Bools:
    """Yes at or above the threshold, compared in the precision of the scores; NaN is a no. Shape as the scores.

    A float32 score that prints as 0.24 is a yes at the threshold 0.24, although 0.24 is a little more in float64.
    """
    limit = scores.dtype.type(threshold) if scores.dtype.kind == "f" else threshold
    return np.asarray(scores >= limit, np.bool_)


def confusion(labels: npt.ArrayLike, decisions: npt.ArrayLike) -> Confusion:
    """Count rows by label and decision; bools or 0 and 1, shape (N,) or (N, 1), row by row.

    Raises:
        ValueError: of different lengths, or neither bools nor 0 and 1.
    """
    return Confusion(*confusion_rows(labels, decisions).sum(axis=0).tolist())


def confusion_rows(labels: npt.ArrayLike, decisions: npt.ArrayLike) -> Counts:
    """The confusion counts of each row alone, shape (N, 4): one 1 a row.

    Raises:
        ValueError: see `confusion`.
    """
    label, decision = _same_rows(labels, decisions)
    return np.stack([label & decision, ~label & decision, label & ~decision, ~label & ~decision], axis=1).astype(
        np.int64
    )


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> FloatArray:
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN, which is what "undefined" is in an array
        return np.asarray(np.true_divide(part, whole), np.float64)


def _same_rows(left: npt.ArrayLike, right: npt.ArrayLike) -> tuple[Bools, Bools]:
    one, other = _as_bools(left), _as_bools(right)
    if one.size != other.size:
        raise ValueError(f"{one.size} rows cannot be compared with {other.size}")
    return one, other


def _as_bools(values: npt.ArrayLike) -> Bools:
    column = one_dimensional(values)
    answers: Bools = column == 1
    if not bool(np.all(answers | (column == 0))):
        raise ValueError("labels and decisions must be bools, or 0 and 1")
    return answers
