"""Any named metric of answers to labelled rows, with its interval: of one model, or between two on the same rows.

Whole groups of rows (days, or customers) are drawn with replacement, see `slipway.maths.intervals`. A metric that is a
ratio of sums costs one product of matrices; of any other, the rows are weighed by how often their group was drawn, and
fewer drawings have to do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.absence import Absent
from slipway.maths.classification import METRICS, confusion_rows
from slipway.maths.columns import FloatArray
from slipway.maths.intervals import (
    MetricEstimate,
    day_bootstrap,
    drawings,
    estimate_metric,
    interval_of,
    paired_difference,
)
from slipway.maths.named_metrics import POSITIVE_RATE, Metric

_FEW = 200  # drawings of a metric that looks at each row
_ROUNDING = 1e-5  # a forest of a hundred trees adds up to 1.0000001
_MORE = 500  # of one that only looks at pairs of label and decision
Places = npt.NDArray[np.int64]
OfWeights = Callable[[FloatArray], float]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Answers to labelled rows, as metrics ask for them.

    `labels` and `decisions` have shape (N,): bools, places of classes from 0, or float64. `classes` is how many
    classes there are, 0 of other kinds; a decision for none of them is `classes`. `scores` are what decisions were
    taken from, (N,) or (N, classes), None where the model only tells its decision. `groups` tells which rows belong
    together.
    """

    labels: npt.NDArray[Any]
    decisions: npt.NDArray[Any]
    scores: npt.NDArray[Any] | None
    groups: npt.NDArray[Any]
    classes: int = 0

    def part(self, members: npt.NDArray[np.bool_]) -> Scored:
        """Some of the rows, shape (N,)."""
        return replace(
            self,
            labels=self.labels[members],
            decisions=self.decisions[members],
            scores=None if self.scores is None else self.scores[members],
            groups=self.groups[members],
        )


def value_of(metric: Metric, scored: Scored, weights: FloatArray | None = None) -> float:
    """The metric, each row counted as often as its weight says; NaN where it is undefined.

    The same as the function of scikit-learn that `metric` names, which warns and answers 0 where this is NaN.
    """
    even = np.ones(len(scored.labels)) if weights is None else weights
    return _of_weights(metric, scored)(even)


def estimate(metric: Metric, scored: Scored, *, seed: int) -> MetricEstimate | Absent:
    """Of one model.

    Returns:
        Absent where the metric is undefined, where there are fewer than two groups, or where it asks for scores that
        the model does not tell.
    """
    if missing := _missing(metric, scored):
        return missing
    if metric.name in METRICS and scored.labels.dtype.kind == "b":
        return estimate_metric(scored.groups, scored.labels, scored.decisions, metric=metric.name, seed=seed)
    groups, place = np.unique(scored.groups, return_inverse=True)
    if summed := _SUMMED.get(metric.name):
        sums, ratio = summed(scored, place, len(groups))
        drawn = ratio(day_bootstrap(sums, seed=seed))
        return interval_of(float(ratio(sums.sum(axis=0))), drawn, days=len(groups), metric=metric.name)
    value = _of_weights(metric, scored)
    drawn = _drawn(value, place, len(groups), seed=seed, resamples=_resamples(metric, scored))
    return interval_of(value(np.ones(len(place))), drawn, days=len(groups), metric=metric.name)


def difference(metric: Metric, before: Scored, after: Scored, *, seed: int) -> MetricEstimate | Absent:
    """metric(after) - metric(before) on the same rows, scored on the same drawings of them; absent as `estimate`."""
    if missing := _missing(metric, before) or _missing(metric, after):
        return missing
    if metric.name in METRICS and after.labels.dtype.kind == "b":
        return paired_difference(
            after.groups, after.labels, before.decisions, after.decisions, metric=metric.name, seed=seed
        )
    groups, place = np.unique(after.groups, return_inverse=True)
    if summed := _SUMMED.get(metric.name):
        (old, ratio), (new, _) = summed(before, place, len(groups)), summed(after, place, len(groups))
        return _between_sums(old, new, ratio, metric=metric, seed=seed)
    earlier, later = _of_weights(metric, before), _of_weights(metric, after)

    def gained(weights: FloatArray) -> float:
        return later(weights) - earlier(weights)

    drawn = _drawn(gained, place, len(groups), seed=seed, resamples=_resamples(metric, after))
    return interval_of(gained(np.ones(len(place))), drawn, days=len(groups), metric=metric.name)


def between_parts(
    metric: Metric, whole: Scored, one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_], *, seed: int
) -> MetricEstimate | Absent:
    """metric(rows of `other`) - metric(rows of `one`), both members of `whole`, on the same drawings of its groups."""
    left, right = whole.part(one), whole.part(other)
    if missing := _missing(metric, left) or _missing(metric, right):
        return missing
    groups, place = np.unique(whole.groups, return_inverse=True)
    if summed := _SUMMED.get(metric.name):
        (before, ratio), (after, _) = summed(left, place[one], len(groups)), summed(right, place[other], len(groups))
        return _between_sums(before, after, ratio, metric=metric, seed=seed)
    earlier, later = _of_weights(metric, left), _of_weights(metric, right)

    def apart(weights: FloatArray) -> float:
        return later(weights[other]) - earlier(weights[one])

    drawn = _drawn(apart, place, len(groups), seed=seed, resamples=_resamples(metric, whole))
    return interval_of(apart(np.ones(len(place))), drawn, days=len(groups), metric=metric.name)


def positives_of(metric: Metric, scored: Scored) -> int:
    """What makes the metric sure: rows with a positive label where it is of those, and else all rows."""
    by_positives = metric.counts_positives and scored.labels.dtype.kind == "b"
    return int(scored.labels.sum()) if by_positives else len(scored.labels)


def _between_sums(
    before: npt.NDArray[Any], after: npt.NDArray[Any], ratio: _Ratio, *, metric: Metric, seed: int
) -> MetricEstimate | Absent:
    both, width = np.concatenate([before, after], axis=1), before.shape[1]
    total, drawn = both.sum(axis=0), day_bootstrap(both, seed=seed)
    value = float(ratio(total[width:]) - ratio(total[:width]))
    apart = ratio(drawn[:, width:]) - ratio(drawn[:, :width])
    return interval_of(value, apart, days=len(both), metric=metric.name)


def _missing(metric: Metric, scored: Scored) -> Absent | None:
    if len(scored.labels) == 0:
        return Absent("no row has a label")
    if metric.of_scores and scored.scores is None:
        return Absent(f"{metric.name} asks for a number a class, and the model tells only its decision")
    return None


def _resamples(metric: Metric, scored: Scored) -> int:
    return _FEW if metric.of_scores or scored.labels.dtype.kind == "f" else _MORE


def _drawn(value: OfWeights, place: Places, groups: int, *, seed: int, resamples: int) -> FloatArray:
    blocks = drawings(groups, seed=seed, resamples=resamples)
    return np.array([value(often.astype(np.float64)[place]) for block in blocks for often in block])


# --- ratios of sums: (groups, columns) and what they make ----------------------------------------------------------

_Ratio = Callable[[npt.NDArray[Any]], FloatArray]
_Summed = Callable[[Scored, Places, int], tuple[npt.NDArray[Any], _Ratio]]


def _share(part: FloatArray, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
    """The mean of one number a row."""
    sums = np.stack([np.bincount(place, part, groups), np.bincount(place, minlength=groups)], axis=1)
    return sums.astype(np.float64), lambda columns: _divided(columns[..., 0], columns[..., 1])


def _confusion(name: str) -> _Summed:
    def summed(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
        columns = confusion_rows(scored.labels, scored.decisions).T
        sums = [np.bincount(place, column, groups) for column in columns]
        return np.stack(sums, axis=1).astype(np.float64), METRICS[name]

    return summed


def _accuracy(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
    return _share((scored.labels == scored.decisions).astype(np.float64), place, groups)


def _positive_rate(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
    return _share(scored.decisions.astype(np.float64), place, groups)


def _absolute_error(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
    return _share(np.abs(scored.labels - scored.decisions), place, groups)


def _squared_error(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
    return _share((scored.labels - scored.decisions) ** 2, place, groups)


def _macro_f1(scored: Scored, place: Places, groups: int) -> tuple[FloatArray, _Ratio]:
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
        each = np.where(there, _divided(2 * hits, labels + decisions), 0.0)
        return _divided(each.sum(axis=-1), there.sum(axis=-1))

    return np.concatenate(columns, axis=1).astype(np.float64), mean


_SUMMED: dict[str, _Summed] = {
    **{name: _confusion(name) for name in METRICS},
    "accuracy": _accuracy,
    "f1_macro": _macro_f1,
    "mae": _absolute_error,
    "mean_squared_error": _squared_error,
    POSITIVE_RATE.name: _positive_rate,
}


def _divided(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is NaN, which is what "undefined" is in an array
        return np.asarray(np.true_divide(part, whole), np.float64)


# --- what looks at each row ----------------------------------------------------------------------------------------


def _of_weights(metric: Metric, scored: Scored) -> OfWeights:
    labels, answers = scored.labels, scored.scores if metric.of_scores else scored.decisions
    assert answers is not None  # see _missing
    if area := _AREAS.get(metric.name):
        return area(labels, answers)
    if metric.of_scores:
        answers = _within_bounds(answers)
    if metric.of_scores or labels.dtype.kind == "f":
        return lambda weights: _by_scikit_learn(metric, labels, answers, weights, classes=scored.classes)
    pairs, place = np.unique(np.stack([labels, answers], axis=1), axis=0, return_inverse=True)
    place = place.ravel()

    def of_pairs(weights: FloatArray) -> float:
        summed = np.bincount(place, weights, len(pairs)).astype(np.float64)
        return _by_scikit_learn(metric, pairs[:, 0], pairs[:, 1], summed, classes=scored.classes)

    return of_pairs


def _within_bounds(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A probability that a sum in float32 carried past 0 or 1 by its last digits is put back; others are left."""
    exact = scores.astype(np.float64)
    bounded = exact.clip(0.0, 1.0)
    return np.where(np.abs(exact - bounded) <= _ROUNDING, bounded, exact)


def _area(labels: npt.NDArray[np.bool_], scores: npt.NDArray[Any]) -> OfWeights:
    """AUC as in `area_under_curve`, for weights: the rows are sorted once."""
    distinct, place = np.unique(np.where(np.isnan(scores), -np.inf, scores), return_inverse=True)

    def area(weights: FloatArray) -> float:
        positive = np.bincount(place, weights * labels, distinct.size)
        negative = np.bincount(place, weights * ~labels, distinct.size)
        below = np.cumsum(negative) - negative / 2
        return float(_divided((positive * below).sum(), positive.sum() * negative.sum()))

    return area


def _one_against_the_rest(labels: Places, scores: npt.NDArray[Any]) -> OfWeights:
    """The mean AUC of each class against all others."""
    areas = [_area(labels == place, column) for place, column in enumerate(scores.T)]
    return lambda weights: float(np.mean([area(weights) for area in areas]))


def _one_against_one(labels: Places, scores: npt.NDArray[Any]) -> OfWeights:
    """The mean AUC over all ordered pairs of classes, see Hand & Till 2001."""
    pairs = [
        (rows, _area(labels[rows] == one, scores[rows, one]))
        for one, other in permutations(range(scores.shape[1]), 2)
        for rows in [np.flatnonzero((labels == one) | (labels == other))]
    ]
    return lambda weights: float(np.mean([area(weights[rows]) for rows, area in pairs]))


_AREAS: dict[str, Callable[[npt.NDArray[Any], npt.NDArray[Any]], OfWeights]] = {
    "auc": _area,
    "roc_auc_ovr": _one_against_the_rest,
    "roc_auc_ovo": _one_against_one,
}


def _by_scikit_learn(
    metric: Metric, labels: npt.NDArray[Any], answers: npt.NDArray[Any], weights: FloatArray, *, classes: int
) -> float:
    """NaN where scikit-learn refuses, warns that the metric is undefined, or is given an answer that is no number."""
    import sklearn  # noqa: PLC0415  # half a second, for those who name such a metric
    from sklearn import metrics  # noqa: PLC0415

    arguments: dict[str, Any] = dict(metric.arguments)
    if metric.weighted:
        there = np.flatnonzero(weights)
        arguments["sample_weight"] = weights[there]
    else:
        there = np.repeat(np.arange(len(labels)), weights.astype(np.int64))
    if metric.of_scores and classes and metric.name != "average_precision":
        arguments["labels"] = np.arange(classes)
    with warnings.catch_warnings(), sklearn.config_context(skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", sklearn.exceptions.UndefinedMetricWarning)
        try:
            return float(getattr(metrics, metric.function)(labels[there], answers[there], **arguments))
        except (ValueError, sklearn.exceptions.UndefinedMetricWarning):
            return float("nan")
