"""Metrics with their intervals: the values are scikit-learn's, and an interval is that of whole groups."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn import metrics
from slipway.maths.absence import Absent
from slipway.maths.intervals import MetricEstimate, estimate_metric
from slipway.maths.named_metrics import BY_NAME, DecisionKind
from slipway.maths.scored import Scored
from slipway.maths.scoring import difference, estimate, value_of

_CLASSES = 4
_SCORED = st.lists(st.tuples(st.booleans(), st.integers(0, 6).map(lambda step: step / 6)), min_size=2, max_size=60)


def yes_or_no(random: np.random.Generator, rows: int) -> Scored:
    scores = random.random(rows).round(2)
    labels = random.random(rows) < scores
    labels[:2] = [True, False]
    return Scored(labels=labels, decisions=scores >= 0.5, scores=scores, groups=random.integers(0, 9, rows))


def one_of_several(random: np.random.Generator, rows: int) -> Scored:
    scores = random.dirichlet(np.ones(_CLASSES), rows)
    labels = np.array([random.choice(_CLASSES, p=row) for row in scores])
    labels[:_CLASSES] = range(_CLASSES)
    return Scored(
        labels=labels,
        decisions=scores.argmax(axis=1),
        scores=scores,
        groups=random.integers(0, 9, rows),
        classes=_CLASSES,
    )


def number(random: np.random.Generator, rows: int) -> Scored:
    labels = random.gamma(2, 2, rows)
    answers = labels * random.uniform(0.5, 1.5, rows)
    return Scored(labels=labels, decisions=answers, scores=answers, groups=random.integers(0, 9, rows))


_MADE = {
    DecisionKind.YES_OR_NO: yes_or_no,
    DecisionKind.ONE_OF_SEVERAL: one_of_several,
    DecisionKind.NUMBER: number,
}
_EVERY = [(name, kind) for name, metric in BY_NAME.items() for kind in sorted(metric.kinds)]


def by_scikit_learn(name: str, scored: Scored, weights: np.ndarray) -> float:
    """Its own function, called as its documentation says."""
    metric, rows = BY_NAME[name], np.repeat(np.arange(len(weights)), weights)
    answers = scored.scores if metric.of_scores else scored.decisions
    assert answers is not None
    more: dict[str, Any] = dict(metric.arguments)
    if metric.of_scores and scored.classes and name != "average_precision":
        more["labels"] = list(range(scored.classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(getattr(metrics, metric.function)(scored.labels[rows], answers[rows], **more))


@pytest.mark.parametrize(("name", "kind"), _EVERY)
def test_a_value_is_that_of_scikit_learn(name: str, kind: DecisionKind) -> None:
    """Also of rows that are drawn several times or not at all, which is what an interval is made of."""
    random = np.random.default_rng(7)
    scored = _MADE[kind](random, 120)
    weights = random.integers(0, 3, 120)
    weights[:_CLASSES] = 1

    assert value_of(BY_NAME[name], scored, weights.astype(float)) == pytest.approx(
        by_scikit_learn(name, scored, weights)
    )


_BUILT_IN = [
    (name, kind)
    for name, kind in _EVERY
    if name in ("f1", "precision", "recall", "auc", "accuracy", "mae", "mean_squared_error", "f1_macro")
]


@pytest.mark.parametrize(("name", "kind"), _BUILT_IN)
@given(seed=st.integers(0, 10_000), rows=st.integers(8, 60))
def test_what_is_built_in_agrees_with_scikit_learn_on_any_rows(
    name: str, kind: DecisionKind, seed: int, rows: int
) -> None:
    """It is our own arithmetic, made to be quick."""
    scored = _MADE[kind](np.random.default_rng(seed), rows)
    found = estimate(BY_NAME[name], scored, seed=1)
    assume(isinstance(found, MetricEstimate))
    assert isinstance(found, MetricEstimate)

    assert found.value == pytest.approx(by_scikit_learn(name, scored, np.ones(rows, np.int64)))
    assert found.low <= found.value <= found.high


def test_a_probability_past_one_by_its_last_digit_is_one() -> None:
    """A forest in float32 adds up to 1.0000001, and scikit-learn would refuse the log loss of all rows."""
    scored = one_of_several(np.random.default_rng(4), 60)
    sure = np.eye(_CLASSES)[scored.labels] * (1 + 1e-7)
    past = Scored(labels=scored.labels, decisions=scored.labels, scores=sure, groups=scored.groups, classes=_CLASSES)

    assert value_of(BY_NAME["log_loss"], past) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("name", "kind"), [("f1", DecisionKind.YES_OR_NO), ("mae", DecisionKind.NUMBER)])
def test_a_version_against_itself_differs_by_nothing(name: str, kind: DecisionKind) -> None:
    """Both are drawn the same rows, so that all noise cancels out."""
    scored = _MADE[kind](np.random.default_rng(3), 200)

    assert difference(BY_NAME[name], scored, scored, seed=1) == MetricEstimate(0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", ["auc", "accuracy", "balanced_accuracy", "log_loss"])
def test_a_paired_difference_is_that_of_the_two_values(name: str) -> None:
    """On the same rows; and it is surer than either of the two."""
    random = np.random.default_rng(5)
    worse = yes_or_no(random, 400)
    assert worse.scores is not None
    nudged = np.clip(worse.scores + np.where(worse.labels, 0.02, -0.02), 0.01, 0.99)
    better = Scored(labels=worse.labels, decisions=nudged >= 0.5, scores=nudged, groups=worse.groups)
    worse = Scored(
        labels=worse.labels, decisions=worse.decisions, scores=worse.scores.clip(0.01, 0.99), groups=worse.groups
    )
    metric = BY_NAME[name]

    apart, alone = difference(metric, worse, better, seed=1), estimate(metric, better, seed=1)

    assert isinstance(apart, MetricEstimate)
    assert isinstance(alone, MetricEstimate)
    assert apart.value == pytest.approx(value_of(metric, better) - value_of(metric, worse))
    assert apart.high - apart.low < alone.high - alone.low


def test_rows_that_belong_together_are_drawn_together() -> None:
    """Twenty rows of each of ten customers are ten independent answers: by rows, the interval is far too narrow."""
    random = np.random.default_rng(11)
    customer = np.repeat(np.arange(10), 20)
    right = (random.random(10) < 0.6)[customer]
    labels = random.random(200) < 0.5
    by_customer, by_row = (
        estimate(
            BY_NAME["accuracy"],
            Scored(labels=labels, decisions=labels == right, scores=None, groups=groups),
            seed=1,
        )
        for groups in (customer, np.arange(200))
    )

    assert isinstance(by_customer, MetricEstimate)
    assert isinstance(by_row, MetricEstimate)
    assert by_customer.high - by_customer.low > 3 * (by_row.high - by_row.low)


def test_many_groups_are_drawn_as_few_are() -> None:
    """Above a thousand they are drawn in another way, to be quick: the interval must not tell."""
    random = np.random.default_rng(2)
    labels = random.random(1_200) < 0.4
    decisions = labels ^ (random.random(1_200) < 0.2)
    wide = estimate_metric(np.arange(1_200), labels, decisions, metric="f1", seed=1)
    few = estimate_metric(np.arange(900), labels[:900], decisions[:900], metric="f1", seed=1)

    assert isinstance(wide, MetricEstimate)
    assert isinstance(few, MetricEstimate)
    assert (wide.high - wide.low) / (few.high - few.low) == pytest.approx(math.sqrt(900 / 1_200), rel=0.15)


def area(labels: np.ndarray, scores: np.ndarray) -> float:
    return value_of(
        BY_NAME["auc"], Scored(labels=labels, decisions=labels, scores=scores, groups=np.zeros(len(labels)))
    )


@given(_SCORED)
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, float]]) -> None:
    """With ties counted half, as scipy's Mann-Whitney U has it; trees give many ties."""
    labels, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assume(labels.any() and not labels.all())

    statistic = mannwhitneyu(scores[labels], scores[~labels], method="asymptotic").statistic
    assert area(labels, scores) == pytest.approx(statistic / (labels.sum() * (~labels).sum()))


def test_a_score_of_nan_ranks_below_every_number() -> None:
    """The server answers "no" for NaN, so AUC must see it as the surest no."""
    labels = np.array([True, False])

    assert area(labels, np.array([math.nan, 0.1])) == 0.0
    assert area(labels, np.array([math.nan, -math.inf])) == 0.5


def test_what_is_undefined_is_absent_and_never_zero() -> None:
    """A model without numbers has no AUC, one group has no interval, and no rows have nothing."""
    scored = yes_or_no(np.random.default_rng(1), 50)
    silent = Scored(labels=scored.labels, decisions=scored.decisions, scores=None, groups=scored.groups)
    alone = Scored(labels=scored.labels, decisions=scored.decisions, scores=scored.scores, groups=np.zeros(50))
    empty = Scored(labels=scored.labels[:0], decisions=scored.decisions[:0], scores=None, groups=np.zeros(0))
    all_yes = Scored(
        labels=np.ones(50, np.bool_), decisions=scored.decisions, scores=scored.scores, groups=scored.groups
    )

    for metric, rows in (("auc", silent), ("accuracy", alone), ("accuracy", empty), ("auc", all_yes)):
        assert isinstance(estimate(BY_NAME[metric], rows, seed=1), Absent)
    assert math.isnan(value_of(BY_NAME["auc"], all_yes))
