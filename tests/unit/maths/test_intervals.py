"""Intervals of metrics hold the estimate, know that days belong together, and say when there are too few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from slipway.maths.absence import Absent
from slipway.maths.classification import METRICS, confusion
from slipway.maths.intervals import (
    MetricEstimate,
    counts_by_day,
    day_bootstrap,
    estimate_metric,
    more_to_settle,
    paired_difference,
    share_interval,
    share_over_groups,
)

ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans(), st.booleans()), max_size=60)


def _estimate(found: MetricEstimate | Absent) -> MetricEstimate:
    assert isinstance(found, MetricEstimate)
    return found


def _stormy_days(*, days: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days whose share of late flights, and the model's share of hits, differ as real ones do."""
    generator = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    late = generator.random(day.size) < generator.beta(2, 4, days)[day]
    hit = generator.random(day.size) < generator.beta(6, 3, days)[day]
    return day, late, late & hit | ~late & (generator.random(day.size) < 0.1)


@given(ROWS, st.sampled_from(sorted(METRICS)), st.integers(0, 99), st.sampled_from([3, 200]))
def test_an_interval_holds_its_estimate(
    rows: list[tuple[int, bool, bool, bool]], metric: str, seed: int, resamples: int
) -> None:
    """ "0.647 [0.650, 0.662]" would make a reviewer doubt everything else."""
    days, labels, before, after = np.array(rows, int).reshape(-1, 4).T

    single = estimate_metric(days, labels, before, metric=metric, seed=seed, resamples=resamples)
    pair = paired_difference(days, labels, before, after, metric=metric, seed=seed, resamples=resamples)

    for found in (single, pair):
        assert isinstance(found, Absent) or found.low <= found.value <= found.high
    if isinstance(single, MetricEstimate):
        assert single.value == confusion(labels, before).metric(metric)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_digit(rows: list[tuple[int, bool, bool, bool]], shuffled: object) -> None:
    """A replay reads the same rows from other files and must reach the same verdict."""
    again = sorted(rows, key=lambda _: shuffled.random())  # type: ignore[attr-defined]
    results = [
        paired_difference(*np.array(each, int).reshape(-1, 4).T, metric="f1", seed=7, resamples=100)
        for each in (rows, again)
    ]

    assert results[0] == results[1]


def test_the_seed_decides_the_interval() -> None:
    """Two runs on two machines must print the same digits; another seed shows that it is really used."""
    rows = _stormy_days(days=30, rows=100, seed=7)

    first, same, other = (_estimate(estimate_metric(*rows, metric="f1", seed=seed)) for seed in (1, 1, 2))

    assert first == same
    assert first.low != other.low


def test_days_give_a_wider_interval_than_rows() -> None:
    """Rows as their own days are the usual bootstrap, which is four to five times too sure."""
    day, labels, decisions = _stormy_days(days=30, rows=200, seed=7)

    by_day = _estimate(estimate_metric(day, labels, decisions, metric="f1", seed=7, resamples=500))
    by_row = _estimate(estimate_metric(np.arange(day.size), labels, decisions, metric="f1", seed=7, resamples=500))

    assert by_day.high - by_day.low > 2 * (by_row.high - by_row.low)


def test_about_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    """What 95 % promises, on 60 days; a few points less are known and stand in the module's text."""
    days, labels, decisions = (column.reshape(100, -1) for column in _stormy_days(days=6000, rows=40, seed=7))
    truth = confusion(labels.ravel(), decisions.ravel()).f1
    assert truth is not None

    found = [
        _estimate(estimate_metric(days[part], labels[part], decisions[part], metric="f1", seed=part, resamples=400))
        for part in range(100)
    ]

    assert 0.88 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.99


def test_a_pair_is_surer_than_its_parts() -> None:
    """A day that is hard for both models must not hide that one of them is better."""
    day, labels, before = _stormy_days(days=30, rows=200, seed=7)
    after = before | (labels & (np.random.default_rng(8).random(day.size) < 0.1))

    single = _estimate(estimate_metric(day, labels, before, metric="f1", seed=7))
    pair = _estimate(paired_difference(day, labels, before, after, metric="f1", seed=7))

    assert pair.low > 0
    assert pair.high - pair.low < 0.5 * (single.high - single.low)


def test_a_model_does_not_differ_from_itself() -> None:
    """The control: a difference of exactly 0, with an interval of no width."""
    day, labels, decisions = _stormy_days(days=10, rows=50, seed=7)

    found = paired_difference(day, labels, decisions, decisions, metric="f1", seed=7)

    assert found == MetricEstimate(0.0, 0.0, 0.0)


def test_one_day_gives_no_interval() -> None:
    """Its interval would have no width at all: the surest statement from the least evidence."""
    found = estimate_metric([1, 1, 1], [1, 0, 1], [1, 1, 1], metric="f1", seed=7)

    assert isinstance(found, Absent)
    assert "one day" in str(found)


@pytest.mark.parametrize(("days", "labels"), [([], []), ([1, 2], [0, 0])])
def test_an_undefined_metric_gives_no_interval(days: list[int], labels: list[int]) -> None:
    """Recall without a late flight is unknown, not 0."""
    found = estimate_metric(days, labels, labels, metric="recall", seed=7)

    assert isinstance(found, Absent)


def test_a_metric_that_hangs_on_one_day_gives_no_interval() -> None:
    """In a third of all resamples that day is missing; what is left would look certain."""
    found = estimate_metric([1, 2, 3], [1, 0, 0], [1, 0, 0], metric="recall", seed=7)

    assert isinstance(found, Absent)
    assert "many choices of days" in found.reason


def test_days_may_be_dates() -> None:
    """The served log has dates."""
    dates = np.array(["2013-07-02", "2013-07-01", "2013-07-02"], "datetime64[D]")

    assert counts_by_day(dates, np.array([[1, 0], [0, 2], [3, 0]])).tolist() == [[0, 2], [4, 0]]


def test_every_resample_has_as_many_days_as_there_are() -> None:
    """Otherwise the interval would be that of another number of days."""
    resampled = day_bootstrap(np.array([[1, 5], [1, 7], [1, 9]]), seed=7, resamples=50)

    assert resampled.shape == (50, 2)
    assert set(resampled[:, 0].tolist()) == {3}


def test_days_and_rows_must_match() -> None:
    """A column that was filtered alone would shift labels to other days."""
    with pytest.raises(ValueError, match="1 days cannot be matched with 2 rows"):
        estimate_metric([1], [1, 0], [1, 0], metric="f1", seed=7)


def test_half_the_gap_takes_four_times_the_rows() -> None:
    """The verdict "not enough evidence" must say how many rows would be enough."""
    estimate = MetricEstimate(0.72, 0.66, 0.78)

    assert more_to_settle(estimate, limit=0.75, seen=1000) == pytest.approx(3000, abs=1)
    assert more_to_settle(estimate, limit=0.69, seen=1000) == pytest.approx(3000, abs=1)


def test_a_settled_estimate_needs_no_more_rows() -> None:
    """Nobody should wait for rows that change nothing."""
    assert more_to_settle(MetricEstimate(0.72, 0.66, 0.78), limit=0.60, seen=1000) == 0
    assert more_to_settle(MetricEstimate(0.72, 0.66, 0.78), limit=0.80, seen=1000) == 0


def test_an_estimate_on_the_limit_is_never_settled() -> None:
    """An honest "nobody can say" instead of a division by zero."""
    assert isinstance(more_to_settle(MetricEstimate(0.75, 0.7, 0.8), limit=0.75, seen=1000), Absent)
    assert isinstance(more_to_settle(MetricEstimate(1e-200, -0.1, 0.1), limit=0.0, seen=1000), Absent)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 25, 0.0, 0.1332), (1, 25, 0.0071, 0.1954), (25, 25, 0.8668, 1.0)]
)
def test_a_share_of_few_has_a_wide_interval(part: int, whole: int, low: float, high: float) -> None:
    """Never in 25 weeks is not never; the numbers are those of Wilson's formula, by hand."""
    found = share_interval(part, whole)

    assert (found.value, found.low, found.high) == pytest.approx((part / whole, low, high), abs=1e-4)


@given(st.integers(1, 400), st.data())
def test_a_share_lies_in_its_interval_as_scipy_has_it(whole: int, data: st.DataObject) -> None:
    """A second implementation, over all counts that a reference can have."""
    part = data.draw(st.integers(0, whole))
    found, truth = share_interval(part, whole), binomtest(part, whole).proportion_ci(method="wilson")

    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert (found.low, found.high) == pytest.approx((truth.low, truth.high), abs=1e-6)


@given(
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60), seed=st.integers(0, 2**32 - 1)
)
def test_a_share_over_groups_is_no_surer_than_one_of_independent_rows(rows: list[tuple[bool, int]], seed: int) -> None:
    """Drawings of groups that hold no violation find none: by them alone, never in ten days would be never."""
    hits, groups = zip(*rows, strict=True)
    found, wilson = share_over_groups(hits, groups, seed=seed), share_interval(sum(hits), len(hits))

    assert found.value == wilson.value
    assert found.low <= wilson.low <= wilson.high <= found.high


def test_a_share_over_groups_covers_the_truth_where_that_of_rows_does_not() -> None:
    """Ten rows a day that are all alike are one row: intervals of rows miss the truth in every second case."""
    generator, truth = np.random.default_rng(4), 0.3
    hit = {"groups": 0, "rows": 0}
    for trial in range(200):
        days = np.repeat(np.arange(60), 10)
        hits = np.repeat(generator.random(60) < truth, 10)
        for name, found in (
            ("groups", share_over_groups(hits, days, seed=trial)),
            ("rows", share_interval(int(hits.sum()), hits.size)),
        ):
            hit[name] += found.low <= truth <= found.high

    assert hit["groups"] >= 180
    assert hit["rows"] < 130
