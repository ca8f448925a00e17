"""Any named metric of answers to labelled rows, with its interval: of one model, or between two on the same rows.

Whole groups of rows (days, or customers) are drawn with replacement, see `slipway.maths.intervals`. A metric that is a
ratio of sums costs one product of matrices; of any other, the rows are weighed by how often their group was drawn, and
fewer drawings have to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.absence import Absent
from slipway.maths.classification import METRICS
from slipway.maths.columns import FloatArray
from slipway.maths.intervals import (
    MetricEstimate,
    day_bootstrap,
    drawings,
    estimate_metric,
    interval_of,
    paired_difference,
)
from slipway.maths.named_metrics import Metric
from slipway.maths.scored import Scored
from slipway.maths.sums_of_groups import SUMMED, Places, Ratio
from slipway.maths.weighted_rows import OfWeights, of_weights

_FEW = 200  # drawings of a metric that looks at each row
_MORE = 500  # of one that only looks at pairs of label and decision


def value_of(metric: Metric, scored: Scored, weights: FloatArray | None = None) -> float:
    """The metric, each row counted as often as its weight says; NaN where it is undefined.

    The same as the function of scikit-learn that `metric` names, which warns and answers 0 where this is NaN.
    """
    even = np.ones(len(scored.labels)) if weights is None else weights
    return of_weights(metric, scored)(even)


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
    if summed := SUMMED.get(metric.name):
        sums, ratio = summed(scored, place, len(groups))
        drawn = ratio(day_bootstrap(sums, seed=seed))
        return interval_of(float(ratio(sums.sum(axis=0))), drawn, days=len(groups), metric=metric.name)
    value = of_weights(metric, scored)
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
    if summed := SUMMED.get(metric.name):
        (old, ratio), (new, _) = summed(before, place, len(groups)), summed(after, place, len(groups))
        return _between_sums(old, new, ratio, metric=metric, seed=seed)
    earlier, later = of_weights(metric, before), of_weights(metric, after)

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
    if summed := SUMMED.get(metric.name):
        (before, ratio), (after, _) = summed(left, place[one], len(groups)), summed(right, place[other], len(groups))
        return _between_sums(before, after, ratio, metric=metric, seed=seed)
    earlier, later = of_weights(metric, left), of_weights(metric, right)

    def apart(weights: FloatArray) -> float:
        return later(weights[other]) - earlier(weights[one])

    drawn = _drawn(apart, place, len(groups), seed=seed, resamples=_resamples(metric, whole))
    return interval_of(apart(np.ones(len(place))), drawn, days=len(groups), metric=metric.name)


def positives_of(metric: Metric, scored: Scored) -> int:
    """What makes the metric sure: rows with a positive label where it is of those, and else all rows."""
    by_positives = metric.counts_positives and scored.labels.dtype.kind == "b"
    return int(scored.labels.sum()) if by_positives else len(scored.labels)


def _between_sums(
    before: npt.NDArray[Any], after: npt.NDArray[Any], ratio: Ratio, *, metric: Metric, seed: int
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
