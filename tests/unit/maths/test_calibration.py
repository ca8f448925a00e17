"""What real days and weeks do when nothing is wrong sets the limit, and a reviewer sees which of them did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from slipway.maths.calibration import (
    BlockDistance,
    Limit,
    block_distances,
    block_missing_rates,
    calendar_blocks,
    limit,
)
from slipway.maths.profile import profile_of_categories, profile_of_numeric

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
