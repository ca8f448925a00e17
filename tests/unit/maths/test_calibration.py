"""What real days and weeks do when nothing is wrong sets the limit, and a reviewer sees which of them did."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp
from slipway.maths.calibration import (
    Limit,
    WindowDistance,
    limits,
    rolling_windows,
    sampled_window_distances,
    shifted_distances,
    window_distances,
)
from slipway.maths.columns import FloatArray
from slipway.maths.distances import kolmogorov_smirnov
from slipway.maths.profile import profile_of_categories, profile_of_numeric, sketch

_NULLS = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 60)), elements=st.floats(0, 1))


@given(_NULLS, st.floats(0, 1), st.floats(0, 1))
def test_the_policy_is_the_least_limit_and_a_cap_the_most(null: FloatArray, policy: float, most: float) -> None:
    """Calibration may only make the watch quieter than the policy, and no quieter than the cap says."""
    for one in limits(policy, [null], blocks=20, most=most):
        assert policy <= one.value <= max(policy, most)
        assert one.calibrated


@given(_NULLS, st.floats(0, 1))
def test_limits_know_no_order_of_windows_and_no_other_feature(null: FloatArray, policy: float) -> None:
    """A limit is of one feature alone; what another one does must not excuse it."""
    found = limits(policy, [null], blocks=20)

    assert limits(policy, [null[:, ::-1]], blocks=20) == found
    assert tuple(limits(policy, [row[np.newaxis]], blocks=20)[0] for row in null) == found


def test_what_is_usual_is_the_99_percent_quantile() -> None:
    """Of 25 blocks, 0.76 of the way from the second farthest to the farthest."""
    (storm, quiet) = limits(0.15, [[[*[0.02] * 24, 0.9], [0.127] * 25]], blocks=25)

    assert storm.value == storm.usual == pytest.approx(0.02 + 0.76 * 0.88)
    assert quiet.value == 0.15
    assert quiet.usual == pytest.approx(0.127)


def test_of_two_nulls_the_wider_holds() -> None:
    """Days that move are one thing, and few rows another; a limit must allow for both."""
    assert limits(0.15, [[[0.2] * 30], [[0.3] * 5]], blocks=30)[0].value == pytest.approx(0.3)
    assert limits(0.15, [[[0.2] * 30], [[]]], blocks=30)[0].value == pytest.approx(0.2)


def test_nineteen_blocks_are_not_enough_to_calibrate() -> None:
    """January to March: the policy's limit alone holds, and the report must say "uncalibrated"."""
    assert limits(0.15, [[[0.9] * 19]], blocks=19) == (Limit(0.15),)
    assert not Limit(0.15).calibrated


def test_a_window_ends_on_each_day() -> None:
    """The watch looks each day, and days without rows pass as well."""
    days = [3, 3, 4, 7, 9]

    assert rolling_windows(days, length=3, most=400) == ((3, 4, 5, 6, 7), (3, 1, 1, 1, 2))
    assert rolling_windows(days, length=3, most=2) == ((6, 7), (1, 2))
    assert rolling_windows(days, length=7, most=400) == ((3,), (5,))
    assert rolling_windows(days, length=8, most=400) == ((), ())
    assert rolling_windows([], length=3, most=400) == ((), ())


def test_a_window_is_compared_with_the_rest_and_not_with_itself() -> None:
    """Where days have equally many rows, scipy must agree on every window to the last digit."""
    generator = np.random.default_rng(7)
    day = np.repeat(np.arange(12), 40)
    delays = np.round(generator.normal(generator.normal(0, 10, 12)[day], 20))

    found = window_distances(profile_of_numeric(delays), delays, day, starts=range(10), length=3)

    inside = [(day >= start) & (day < start + 3) for start in range(10)]
    truth = [ks_2samp(delays[each], delays[~each], method="asymp").statistic for each in inside]
    assert [one.distance for one in found] == pytest.approx(truth)
    assert {one.missing_rate for one in found} == {0.0}


def test_each_day_counts_the_same() -> None:
    """Samples that hold all flights of a Monday and few of other days must not look like a week of Mondays."""
    weekday = np.tile(np.arange(7), 10)
    rows = np.where(np.arange(70) % 5 == 0, 50, 2)
    values, days = np.repeat(weekday, rows), np.repeat(np.arange(70), rows)

    found = window_distances(profile_of_numeric(values), values, days, starts=range(64), length=7)

    assert [one.distance for one in found] == pytest.approx([0.0] * 64, abs=1e-12)


def test_windows_of_text_and_of_holes() -> None:
    """Half the sum of differences for words; a window without a value has no distance, and says what is missing."""
    carrier = np.array(["AA", "HA", "AA", "AA", None, None], object)
    fee = np.array([1.0, 2.0, 1.0, 2.0, np.nan, np.nan])
    days = np.array([0, 0, 1, 1, 2, 2])

    words = window_distances(profile_of_categories(carrier), carrier, days, starts=range(3), length=1)
    numbers = window_distances(profile_of_numeric(fee), fee, days, starts=range(3), length=1)

    assert words == (WindowDistance(0.5, 0.5), WindowDistance(0.5, 0.5), WindowDistance(None, 1.0))
    assert numbers == (WindowDistance(0.0, 0.5), WindowDistance(0.0, 0.5), WindowDistance(None, 1.0))


def test_a_window_that_is_the_whole_reference_has_nothing_to_be_compared_with() -> None:
    """Zero would say that weeks are all alike, and there is only one."""
    values, days = np.array([1.0, 2.0]), np.array([0, 1])

    found = window_distances(profile_of_numeric(values), values, days, starts=[0], length=2)

    assert found == (WindowDistance(None, 0.0),)
    assert window_distances(profile_of_numeric(values), values, days, starts=[], length=3) == ()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-3, 3)), min_size=2, max_size=60), st.randoms())
def test_the_order_of_rows_changes_no_window(rows: list[tuple[int, int]], order: Random) -> None:
    """Two machines that read the same file in other batches must write the same page."""
    shuffled = list(rows)
    order.shuffle(shuffled)

    def found(pairs: list[tuple[int, int]]) -> tuple[WindowDistance, ...]:
        days, values = np.array([day for day, _ in pairs]), np.array([float(value) for _, value in pairs])
        starts, _ = rolling_windows(days, length=2, most=400)
        return window_distances(profile_of_numeric(values), values, days, starts=starts, length=2)

    assert found(shuffled) == found(rows)


def test_a_shift_is_as_far_as_the_watch_would_find_it() -> None:
    """Otherwise the pull request would promise what no window shows."""
    values = np.random.default_rng(7).normal(50, 10, 4_000)
    profile = profile_of_numeric(values)
    deviation = profile.standard_deviation or 0.0

    found = shifted_distances(profile, values, step=0.1, steps=10)

    for step, low in enumerate(found, start=1):
        watched = kolmogorov_smirnov(profile, sketch(profile, values + 0.1 * step * deviation))
        assert low == pytest.approx(watched.low, abs=1e-3)  # type: ignore[union-attr]  # both hold numbers
    assert found[3] == pytest.approx(0.1585, abs=0.02)  # of a normal distribution: 2 Phi(0.2) - 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_a_larger_shift_is_never_nearer(values: list[float]) -> None:
    """The first shift beyond the limit is then the smallest."""
    found = shifted_distances(profile_of_numeric(values), values, step=0.05, steps=40)

    assert list(found) == sorted(found)


def test_what_is_constant_cannot_shift_by_standard_deviations() -> None:
    """It has none."""
    assert shifted_distances(profile_of_numeric([3.0, 3.0]), [3.0, 3.0], step=0.05, steps=40) == ()
    assert shifted_distances(profile_of_numeric([np.nan]), [np.nan], step=0.05, steps=40) == ()


def test_fewer_rows_lie_farther_and_many_as_far_as_all() -> None:
    """Chance adds to what days do; with many rows nothing is left of it."""
    generator = np.random.default_rng(3)
    days = np.repeat(np.arange(30), 40)
    values = generator.normal(size=days.size)
    profile = profile_of_numeric(values)
    starts = (0, 10, 20)

    drawn = sampled_window_distances(profile, values, days, starts=starts, length=10, sizes=(20, 100, 400_000))

    few, some, many = (np.array([one.distance for one in found], np.float64) for found in drawn)
    whole = [one.distance for one in window_distances(profile, values, days, starts=starts, length=10)]
    assert few.mean() > 1.2 * some.mean()
    assert some.mean() > 1.2 * many.mean()
    assert many == pytest.approx(np.array(whole, np.float64), abs=0.01)


def test_few_rows_miss_values_by_chance() -> None:
    """Of 20 rows, one more or less without a value is 5 %, and no news."""
    values = np.where(np.arange(600) % 20 == 0, np.nan, 1.0)
    days = np.repeat(np.arange(30), 20)
    profile = profile_of_numeric(values)

    ((*few,),) = sampled_window_distances(profile, values, days, starts=(0, 10, 20), length=10, sizes=(30,))

    assert max(one.missing_rate for one in few) > 0.01
    assert max(one.missing_rate for one in window_distances(profile, values, days, starts=(0, 10), length=10)) < 1e-9


def test_thinning_is_the_same_each_time_and_of_nothing_is_nothing() -> None:
    """A release that is measured again must come to the same page."""
    words = np.array(["EWR", "JFK", "LGA", None] * 50, object)
    days = np.repeat(np.arange(20), 10)
    profile = profile_of_categories(words)

    def thinned(*starts: int) -> object:
        return sampled_window_distances(profile, words, days, starts=starts, length=5, sizes=(10, 20))

    assert thinned(0, 5, 10) == thinned(0, 5, 10)
    assert thinned() == ((), ())
