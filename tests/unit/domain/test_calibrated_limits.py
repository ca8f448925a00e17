"""A limit is what the policy says, or what a feature does by itself: at its time of the year, with as many rows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.calibrated_limits import FeatureLimits, Null, held_to, limits_of
from slipway.domain.calibration import Calibration, FeatureCalibration, SmallerWindows
from slipway.domain.incident import FeatureDrift, Window
from slipway.domain.limits import DriftLimit, ExcludedDays

_POLICY = DriftLimit()
_JANUARY, _JULY = date(2014, 1, 15), date(2014, 7, 15)


def a_reference(days: int = 175, *, beyond: range = range(0), smaller: tuple[SmallerWindows, ...] = ()) -> Calibration:
    """Windows of a week at 0.05, those in `beyond` farther."""
    distances = tuple(0.3 if day in beyond else 0.05 for day in range(days))
    return Calibration(
        window_days=7,
        since=date(2013, 1, 1),
        rows=(900,) * days,
        features={"dest": FeatureCalibration(distances=distances, smaller=smaller)},
    )


def limit_of(reference: Calibration, *, day: date = _JANUARY, rows: int = 900, policy: DriftLimit = _POLICY) -> float:
    return limits_of(reference, policy, day=day, rows=rows)["dest"].distance.value


def test_without_a_reference_nothing_is_known() -> None:
    """Pages of an older Slipway hold none; the policy's limit holds there."""
    assert limits_of(None, _POLICY, day=_JANUARY, rows=900) == {}
    assert FeatureLimits.of_policy(_POLICY).distance.value == 0.15


def test_what_exceeds_is_beyond_either_limit() -> None:
    """The limit itself is allowed; missing values may become fewer as well as more."""
    limits = FeatureLimits.of_policy(DriftLimit(distance=0.15, null_rate=0.03))

    assert not limits.exceeded_by(0.15, null_rate_change=-0.03)
    assert limits.exceeded_by(0.151, null_rate_change=0.0)
    assert limits.exceeded_by(0.0, null_rate_change=0.031)
    assert limits.exceeded_by(0.0, null_rate_change=-0.031)


def test_a_limit_is_what_the_feature_does_by_itself() -> None:
    """Otherwise it alarms whenever the weather is bad."""
    assert limit_of(a_reference(beyond=range(40, 60))) == pytest.approx(0.3)
    assert limit_of(a_reference()) == 0.15


@pytest.mark.parametrize(
    "policy",
    [DriftLimit(window_days=1), DriftLimit(rows=901)],
    ids=["windows of another length", "too few rows"],
)
def test_windows_that_are_not_like_those_of_the_watch_do_not_tell(policy: DriftLimit) -> None:
    """What weeks did says nothing about days."""
    found = limits_of(a_reference(beyond=range(175)), policy, day=_JANUARY, rows=2_000)["dest"]

    assert (found.distance.value, found.distance.calibrated) == (0.15, False)


def test_a_policy_that_looks_at_days_by_now_judges_by_its_own_limit() -> None:
    """What was thinned out at the release were weeks; a team that shortens its window must not stop the watch."""
    smaller = (SmallerWindows(rows=500, distances=(0.3,) * 25, null_rates=(0.0,) * 25),)

    assert limit_of(a_reference(smaller=smaller), rows=600, policy=DriftLimit(window_days=1)) == 0.15


def test_twenty_blocks_are_needed() -> None:
    """A quantile of 99 % of fewer is a guess."""
    assert limit_of(a_reference(140, beyond=range(140))) == pytest.approx(0.3)
    assert limit_of(a_reference(139, beyond=range(139))) == 0.15


def test_excluded_days_have_no_part_in_any_window() -> None:
    """A window that holds a single one of them is left out, and the days around it stay."""
    storm = ExcludedDays(since=date(2013, 2, 20), until=date(2013, 2, 22), reason="a storm of a century")
    null = Null(a_reference(), DriftLimit(excluded=(storm,)))

    left_out = [day for day, told in enumerate(null.usable.tolist()) if not told]

    assert [null.measured.end(left_out[0]), null.measured.start(left_out[-1])] == [storm.since, storm.until]
    assert len(left_out) == 9


def test_january_is_no_excuse_for_july() -> None:
    """Of a year, a limit is that of the season: what snow does says nothing about summer."""
    year = a_reference(400, beyond=range(60))

    assert limit_of(year, day=_JANUARY) == pytest.approx(0.3)
    assert limit_of(year, day=_JULY) == 0.15


def test_the_season_goes_around_the_end_of_the_year() -> None:
    """The last week of December is winter as is the first of January."""
    year = a_reference(400, beyond=range(20, 40))

    assert limit_of(year, day=date(2014, 12, 28)) == pytest.approx(0.3)


def test_half_a_year_has_no_seasons() -> None:
    """Of months that nobody saw, nothing is known: all that was seen has to do."""
    assert limit_of(a_reference(beyond=range(60)), day=_JULY) == pytest.approx(0.3)


def thinned(*sizes: tuple[int, float]) -> tuple[SmallerWindows, ...]:
    return tuple(SmallerWindows(rows=rows, distances=(far,) * 25, null_rates=(far / 10,) * 25) for rows, far in sizes)


@pytest.mark.parametrize(
    ("rows", "limit"), [(50, 0.4), (100, 0.4), (199, 0.4), (200, 0.3), (899, 0.3), (900, 0.15), (20_000, 0.15)]
)
def test_few_rows_have_a_wider_limit(rows: int, limit: float) -> None:
    """200 flights go to other airports than 20,000 by chance alone; the next fewer rows that were tried hold."""
    reference = a_reference(smaller=thinned((100, 0.4), (200, 0.3)))
    found = limits_of(reference, DriftLimit(rows=1), day=_JANUARY, rows=rows)["dest"]

    assert found.distance.value == pytest.approx(limit)
    assert found.null_rate.value == pytest.approx(max(0.03, limit / 10) if rows < 900 else 0.03)


def test_thinned_windows_are_left_out_with_their_days() -> None:
    """A storm that is excluded must not come in again by the back door."""
    far = tuple(0.9 if block == 10 else 0.05 for block in range(25))
    reference = a_reference(smaller=(SmallerWindows(rows=200, distances=far),))
    storm = ExcludedDays(since=date(2013, 3, 12), until=date(2013, 3, 12), reason="a storm of a century")

    assert limit_of(reference, rows=200, policy=DriftLimit(rows=1)) > 0.5
    assert limit_of(reference, rows=200, policy=DriftLimit(rows=1, excluded=(storm,))) == 0.15


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=420),
    st.floats(0, 1),
    st.integers(0, 800),
    st.integers(1, 2_000),
)
def test_no_reference_makes_the_watch_louder_than_its_policy(
    distances: list[float], distance: float, day: int, rows: int
) -> None:
    """Calibration may only quieten it, on any day and with any rows; and without 20 blocks it may not even that."""
    reference = Calibration(
        window_days=7,
        since=date(2013, 1, 1),
        rows=(900,) * len(distances),
        features={"dest": FeatureCalibration(distances=tuple(distances))},
    )
    policy = DriftLimit(distance=distance)
    found = limits_of(reference, policy, day=date(2013, 1, 1) + timedelta(days=day), rows=rows)["dest"].distance

    assert found.value >= distance
    assert found.calibrated is (len(distances) >= 140)
    assert found.value == max(distance, found.usual or 0.0)


def a_window(*features: str) -> Window:
    drift = tuple(
        FeatureDrift(feature=name, measure="TV", low=0.2, high=0.2, wasserstein=None, null_rate_change=0.0)
        for name in features
    )
    end = _JANUARY + timedelta(days=6)
    return Window(
        start=_JANUARY,
        end=end,
        version="v1",
        rows=900,
        labelled=0,
        drift=drift,
        schema_breaks=(),
        trailing=None,
        previous=None,
    )


def test_what_a_window_is_held_to_is_told_of_each_of_its_features() -> None:
    """A report reads it, and cannot compute it: an input that the reference lacks is held to the policy."""
    told = held_to(a_window("dest", "new"), a_reference(beyond=range(0, 175, 10)), _POLICY)

    assert [(one.feature, one.distance, one.null_rate, one.usual) for one in told] == [
        ("dest", 0.3, 0.03, 0.3),
        ("new", 0.15, 0.03, None),
    ]


def test_without_a_reference_a_window_is_held_to_the_policy() -> None:
    """Of a release from before there was a calibration."""
    (told,) = held_to(a_window("dest"), None, _POLICY)
    assert (told.distance, told.null_rate, told.usual) == (0.15, 0.03, None)
