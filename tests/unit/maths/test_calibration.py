"""What real days and weeks do when nothing is wrong sets the limit, and a reviewer sees which of them did."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from slipway.maths.calibration import (
    BlockDistance,
    Limit,
    WindowDistance,
    block_distances,
    block_missing_rates,
    calendar_blocks,
    limit,
    rolling_windows,
    shifted_distances,
    window_distances,
)
from slipway.maths.distances import distance
from slipway.maths.profile import profile_of_categories, profile_of_numeric, sketch

DISTANCES = st.lists(st.floats(0, 1), max_size=40)


def _blocks(distances: list[float]) -> list[BlockDistance]:
    return [BlockDistance(f"2013-{number:03}", distance) for number, distance in enumerate(distances)]


def test_each_day_is_measured_against_all_days() -> None:
    """On whole numbers the distance is exact, so scipy must agree to the last digit."""
    generator = np.random.default_rng(7)
    day = np.repeat(np.arange(25), 40)
    delays = np.round(generator.normal(generator.normal(0, 10, 25)[day], 20))

    found = block_distances(profile_of_numeric(delays), delays, day)

    truth = [ks_2samp(delays, delays[day == each], method="asymp").statistic for each in range(25)]
    assert [block.block for block in found] == [str(each) for each in range(25)]
    assert [block.distance for block in found] == pytest.approx(truth)


def test_a_block_of_text_is_measured_by_total_variation() -> None:
    """Airports have blocks as delays do."""
    airports, week = np.array(["EWR", "EWR", "JFK", "JFK"], object), np.array(["w1", "w1", "w1", "w2"])

    found = block_distances(profile_of_categories(airports), airports, week)

    assert [block.block for block in found] == ["w1", "w2"]
    assert [block.distance for block in found] == pytest.approx([1 / 6, 1 / 2])


def test_a_block_without_a_value_has_no_distance_but_a_missing_rate() -> None:
    """A day on which every flight was cancelled says nothing about the times of flights."""
    values, day = np.array([1.0, 2.0, np.nan, np.nan]), np.array([1, 1, 2, 2])
    profile = profile_of_numeric(values)

    assert [block.block for block in block_distances(profile, values, day)] == ["1"]
    assert block_missing_rates(profile, values, day) == (BlockDistance("1", 0.5), BlockDistance("2", 0.5))


def test_values_and_blocks_must_match() -> None:
    """A column that was filtered alone would put values into other weeks."""
    with pytest.raises(ValueError, match="2 values cannot be matched with 1 blocks"):
        block_distances(profile_of_numeric([1.0, 2.0]), [1.0, 2.0], [1])


@given(DISTANCES, st.floats(0, 1))
def test_the_policy_is_the_least_limit(distances: list[float], policy: float) -> None:
    """Calibration may only make the watch quieter than the policy, never louder."""
    found = limit(policy, _blocks(distances))

    assert found.value >= found.without_it >= policy
    assert found.calibrated is (len(distances) >= 20)
    assert (found.set_by is not None) is (found.value > policy)


def test_one_storm_is_named() -> None:
    """A single storm can raise a limit so far that nothing fires any more; a reviewer must see it."""
    found = limit(0.15, _blocks([*[0.02] * 24, 0.9]))

    assert found.value == pytest.approx(0.02 + 0.76 * 0.88)
    assert (found.set_by, found.without_it) == ("2013-024", 0.15)


def test_quiet_blocks_leave_the_policys_limit() -> None:
    """The demo's weeks: the largest distance is 0.127, so 0.15 stands, and no block is to blame."""
    found = limit(0.15, _blocks([0.127] * 25))

    assert found == Limit(value=0.15, calibrated=True, blocks=25, set_by=None, without_it=0.15)


def test_twelve_weeks_are_not_enough_to_calibrate() -> None:
    """January to March: the report must say "uncalibrated"."""
    assert not limit(0.15, _blocks([0.1] * 12)).calibrated
    assert limit(0.15, []) == Limit(0.15, calibrated=False, blocks=0, set_by=None, without_it=0.15)


def test_weeks_are_counted_from_the_release() -> None:
    """A window that starts in the middle of a week must be compared with blocks that start there too."""
    times = np.array(["2013-10-09T23:59", "2013-10-10T00:00", "2013-10-16T12:00", "2013-10-17"], "datetime64[m]")

    blocks = calendar_blocks(times, days=7, start=np.datetime64("2013-10-10"))

    assert blocks.astype(str).tolist() == ["2013-10-03", "2013-10-10", "2013-10-10", "2013-10-17"]


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
        watched = distance(profile, sketch(profile, values + 0.1 * step * deviation))
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
