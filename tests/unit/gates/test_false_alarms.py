"""How often the watch would cry wolf, told before anybody is woken by it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.calibration import Calibration, FalseAlarms, FeatureCalibration
from slipway.domain.limits import DriftLimit, ExcludedDays
from slipway.domain.verdict import Estimate
from slipway.gates.false_alarms import expected
from slipway.maths.absence import Absent

_WEEKS = 30.4375 / 7  # a month
_DISTANCES = st.lists(st.floats(0, 1), min_size=147, max_size=200)


def measured(*distances: float | None, rows: int = 900, days: int = 7, **fields: Any) -> Calibration:
    feature = FeatureCalibration(distances=distances, **fields)
    return Calibration(
        window_days=days, since=date(2013, 1, 1), rows=(rows,) * len(distances), features={"dest": feature}
    )


def quiet(weeks: int) -> list[float | None]:
    return [0.1 for _ in range(7 * weeks)]


def a_month(found: FalseAlarms) -> Estimate:
    assert isinstance(found.a_month, Estimate)
    return found.a_month


def test_quiet_weeks_alarm_never_and_may_still_alarm() -> None:
    """Of 25 weeks without an alarm nobody can promise that the next year has none."""
    found = expected(measured(*quiet(25)), DriftLimit())

    assert found.blocks == 25
    assert a_month(found).value == 0.0
    assert a_month(found).high == pytest.approx(0.133 * _WEEKS, abs=0.01)


def test_a_storm_alarms_in_each_block_that_it_reaches() -> None:
    """Alarms of one storm are told once a block, not once a day: that is what a person is woken by."""
    days = quiet(25)
    days[70:77] = [0.3] * 7

    found = expected(measured(*days), DriftLimit())

    assert a_month(found).value == pytest.approx(_WEEKS / 25, abs=1e-4)
    assert found.farthest is not None
    assert (found.farthest.feature, found.farthest.distance) == ("dest", 0.3)
    assert (found.farthest.since, found.farthest.until) == (date(2013, 3, 12), date(2013, 3, 18))


@pytest.mark.parametrize(("windows", "alarms"), [(1, True), (2, False)])
def test_the_rule_is_that_of_the_gate(windows: int, alarms: bool) -> None:
    """Where two windows make an incident, a single one is no false alarm."""
    days = quiet(25)
    days[80] = 0.3

    assert (a_month(expected(measured(*days), DriftLimit(windows=windows))).value > 0) is alarms


def test_two_features_that_take_turns_are_no_alarm() -> None:
    """The rule asks for the same feature twice."""
    one, other = quiet(25), quiet(25)
    one[80], other[81] = 0.3, 0.3
    both = measured(*one)
    both = both.model_copy(update={"features": {**both.features, "hour": FeatureCalibration(distances=tuple(other))}})

    assert a_month(expected(both, DriftLimit())).value == 0.0


def test_missing_values_alarm_by_a_limit_of_their_own() -> None:
    """Cancelled flights come in days; the window that they fill must be named like any other."""
    rates = [0.0] * 175
    rates[100:103] = [0.2] * 3

    found = expected(measured(*quiet(25), null_rates=tuple(rates)), DriftLimit())

    assert a_month(found).value > 0
    assert found.farthest is not None
    assert found.farthest.null_rate == 0.2


def test_a_window_without_a_value_alarms_at_once() -> None:
    """As it does in production, where it is a break of the schema."""
    days = quiet(25)
    days[80] = None

    assert a_month(expected(measured(*days), DriftLimit())).value > 0


@pytest.mark.parametrize("weeks", [0, 1, 19])
def test_few_blocks_are_no_calibration(weeks: int) -> None:
    """Twelve quiet weeks say nothing about a year."""
    found = expected(measured(*quiet(weeks)), DriftLimit())

    assert found.a_month == Absent(f"uncalibrated: {weeks} calendar blocks, at least 20 are needed")


def test_windows_with_few_rows_are_no_blocks() -> None:
    """The watch does not judge them either; that they are quiet would be no news."""
    found = expected(measured(*quiet(25), rows=499), DriftLimit())

    assert found.a_month == Absent("uncalibrated: 0 calendar blocks, at least 20 are needed")
    assert found.farthest is None


def test_windows_of_another_length_do_not_tell() -> None:
    """A policy of days cannot be judged by what weeks did."""
    found = expected(measured(*quiet(25)), DriftLimit(window_days=1))

    assert found.a_month == Absent("measured for windows of 7 days, and the policy's have 1")


def test_the_first_shift_and_the_last_are_told() -> None:
    """A reviewer must know what the watch cannot see."""
    steps = {"hour": (0.1, 0.2, 0.3), "distance": (0.16, 0.2, 0.3), "dest": (), "bill": (0.1, 0.1, 0.1)}
    some = measured(*quiet(25))
    features = {name: some.features["dest"].model_copy(update={"shifted": one}) for name, one in steps.items()}

    def told(limit: float, *names: str) -> list[tuple[str, float | None]]:
        chosen = some.model_copy(update={"features": {name: features[name] for name in names}})
        return [(one.feature, one.shift) for one in expected(chosen, DriftLimit(distance=limit)).shifts]

    assert told(0.15, "hour", "distance", "dest") == [("distance", 0.05), ("hour", 0.1)]
    assert told(0.15, *steps) == [("distance", 0.05), ("bill", None)]
    assert told(0.15, "hour") == [("hour", 0.1)]
    assert told(0.15, "dest") == []


def test_a_storm_does_not_excuse_itself() -> None:
    """Its own days have no part in the limit that it is held to, or no reference would ever alarm."""
    days = quiet(25)
    days[70:77] = [0.9] * 7

    assert a_month(expected(measured(*days), DriftLimit())).value == pytest.approx(_WEEKS / 25, abs=1e-4)


def test_what_a_feature_does_now_and_then_is_no_alarm() -> None:
    """Delays of flights move by 0.3 in one week of five: that is what flights are, and its limit says so."""
    days = [0.3 if day // 7 % 5 == 0 else 0.05 for day in range(175)]

    found = expected(measured(*days), DriftLimit())

    assert a_month(found).value == 0.0
    assert [(one.feature, one.of, one.limit, one.since) for one in found.raised] == [("dest", "distance", 0.3, None)]


def test_a_window_that_sets_a_limit_alone_is_named() -> None:
    """One storm makes the watch deaf to half of what it could hear; a reviewer may exclude it."""
    days = quiet(25)
    days[68:77] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.8, 0.7, 0.6, 0.5]

    (told,) = expected(measured(*days), DriftLimit()).raised

    assert (told.since, told.until) == (date(2013, 3, 14), date(2013, 3, 20))
    assert (told.limit, told.without_it) == (0.8, 0.15)


def test_excluded_days_raise_no_limit_and_would_alarm_again() -> None:
    """The storm comes back one day; whoever excludes it is told what that costs."""
    days = quiet(25)
    days[70:77] = [0.9] * 7
    storm = ExcludedDays(since=date(2013, 3, 12), until=date(2013, 3, 18), reason="a storm of a century")

    found = expected(measured(*days), DriftLimit(excluded=(storm,)))

    assert found.raised == ()
    assert a_month(found).value > 0


def test_a_null_rate_is_raised_up_to_the_cap() -> None:
    """A storm of cancelled flights must not allow for a quarter of all values to be lost."""
    rates = [0.5 if day // 7 == 10 else 0.02 for day in range(175)]

    (told,) = expected(measured(*quiet(25), null_rates=tuple(rates)), DriftLimit()).raised

    assert (told.of, told.limit, told.without_it) == ("null rate", 0.1, 0.03)


def test_the_smallest_shift_is_held_to_the_same_limit() -> None:
    """A shift that the raised limit overlooks is not seen, whatever the policy says."""
    noisy = [0.3 if day // 7 % 5 == 0 else 0.05 for day in range(175)]
    steps = tuple(round(0.05 * step, 2) for step in range(1, 41))

    def told(*days: float | None) -> list[float | None]:
        return [one.shift for one in expected(measured(*days, shifted=steps), DriftLimit()).shifts]

    assert told(*quiet(25)) == [0.2]
    assert told(*noisy) == [0.35]


@given(_DISTANCES, st.floats(0, 1))
def test_the_interval_holds_the_estimate_and_a_looser_policy_alarms_less(days: list[float], limit: float) -> None:
    """A policy edit is judged again from the page alone; its number must go the way that it went."""
    strict, loose = (a_month(expected(measured(*days), DriftLimit(distance=one))) for one in (limit, 1.0))

    assert 0.0 <= strict.low <= strict.value <= strict.high <= round(_WEEKS, 4)
    assert loose.value == 0.0 <= strict.value
