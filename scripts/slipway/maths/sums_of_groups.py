"""Metrics that are ratios of sums: what of each group is added up, and what the sums make.

A drawing of groups costs one product of matrices then, so that thousands can be made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.classification import METRICS, confusion_rows
from slipway.maths.columns import FloatArray
from slipway.maths.named_metrics import POSITIVE_RATE
from slipway.maths.scored import Scored

Places = npt.NDArray[np.int64]
Ratio = Callable[[npt.NDArray[Any]], FloatArray]
Summed = Callable[[Scored, Places, int], tuple[npt.NDArray[Any], Ratio]]


def _share(part: FloatArray, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
    """The mean of one number a row."""
    sums = np.stack([np.bincount(place, part, groups), np.bincount(place, minlength=groups)], axis=1)
    return sums.astype(np.float64), lambda columns: divided(columns[..., 0], columns[..., 1])


def _confusion(name: str) -> Summed:
    def summed(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
        columns = confusion_rows(scored.labels, scored.decisions).T
        sums = [np.bincount(place, column, groups) for column in columns]
        return np.stack(sums, axis=1).astype(np.float64), METRICS[name]

    return summed


def _accuracy(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
    return _share((scored.labels == scored.decisions).astype(np.float64), place, groups)


def _positive_rate(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
    return _share(scored.decisions.astype(np.float64), place, groups)


def _absolute_error(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
    return _share(np.abs(scored.labels - scored.decisions), place, groups)


def _squared_error(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
    return _share((scored.labels - scored.decisions) ** 2, place, groups)


def _macro_f1(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, Ratio]:
    """The mean over classes of 2 TP / (labels + decisions); a class with neither has none."""
    width = max(scored.classes, 1) + 1 if scored.classes else 2
    label, decision = scored.labels.astype(np.int64), scored.decisions.astype(np.int64)
    right = (label == decision).astype(np.float64)
    columns = [
        np.bincount(place * width + which, weights, groups * width).reshape(groups, width)
        for which, weights in ((label, right), (label, None), (decision, None))
    ]

    def mean(sums: npt.NDArray[Any]) -> FloatArray:
        hits, labels, decisions = (sums[..., start : start + width] for start in (0, width, 2 * width))
        there = labels + decisions > 0
        each = np.where(there, divided(2 * hits, labels + decisions), 0.0)
        return divided(each.sum(axis=-1), there.sum(axis=-1))

    return np.concatenate(columns, axis=1).astype(np.float64), mean


# By the name of the metric: rows and the place of each one's group in, (groups, columns) and what these make out.
SUMMED: dict[str, Summed] = {
    **{name: _confusion(name) for name in METRICS},
    "accuracy": _accuracy,
    "f1_macro": _macro_f1,
    "mae": _absolute_error,
    "mean_squared_error": _squared_error,
    POSITIVE_RATE.name: _positive_rate,
}


def divided(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> FloatArray:
    """NaN where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is NaN, which is what "undefined" is in an array
        return np.asarray(np.true_divide(part, whole), np.float64)
