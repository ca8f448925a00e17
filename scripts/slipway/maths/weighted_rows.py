"""Any named metric of rows of which each counts as often as its group was drawn: our own areas, else scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import FloatArray
from slipway.maths.named_metrics import Metric
from slipway.maths.scored import Scored
from slipway.maths.sums_of_groups import Places, divided

_ROUNDING = 1e-5  # a forest of a hundred trees adds up to 1.0000001
OfWeights = Callable[[FloatArray], float]


def of_weights(metric: Metric, scored: Scored) -> OfWeights:
    """The metric as a function of the weights of the rows, shape (N,); what can be done once is done here.

    The rows have scores where the metric is of them. The function answers NaN where the metric is undefined.
    """
    labels, answers = scored.labels, scored.scores if metric.of_scores else scored.decisions
    assert answers is not None
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
    """The weight of the pairs whose positive row has the higher score, a tie counting half, over that of all pairs.

    See Hanley & McNeil 1982. NaN ranks below every number, as `decide` treats it. The rows are sorted once for all
    weights.
    """
    distinct, place = np.unique(np.where(np.isnan(scores), -np.inf, scores), return_inverse=True)

    def area(weights: FloatArray) -> float:
        positive = np.bincount(place, weights * labels, distinct.size)
        negative = np.bincount(place, weights * ~labels, distinct.size)
        below = np.cumsum(negative) - negative / 2
        return float(divided((positive * below).sum(), positive.sum() * negative.sum()))

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
