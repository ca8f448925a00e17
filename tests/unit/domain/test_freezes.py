"""Times in which nothing goes on: given moments, and a part of each week by somebody's clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from slipway.domain.freezes import WEEKDAYS, Freeze, WeeklyFreeze

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = WeeklyFreeze(reason="Weekend", start="friday 16:00", end="monday 08:00", zone="Europe/Berlin")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
_MINUTES = st.integers(0, 7 * 24 * 60 - 1)


def said(minutes: int) -> str:
    day, minute = divmod(minutes, 24 * 60)
    return f"{WEEKDAYS[day]} {minute // 60:02}:{minute % 60:02}"


def weekly(zone: str, *, start: int, end: int) -> WeeklyFreeze:
    return WeeklyFreeze(reason="Nobody is here", start=said(start), end=said(end), zone=zone)


def minute_of_week(at: datetime, zone: str) -> int:
    local = at.astimezone(ZoneInfo(zone))
    return (local.weekday() * 24 + local.hour) * 60 + local.minute


@given(MOMENTS, _MINUTES, _MINUTES, st.sampled_from(["UTC", "Etc/GMT+11", "Etc/GMT-14", "Asia/Kolkata"]))
def test_it_holds_when_the_clocks_of_its_zone_say_so(at: datetime, start: int, end: int, zone: str) -> None:
    """Where clocks are never changed, the minute of the week alone tells."""
    if start == end:
        return
    now = minute_of_week(at, zone)
    holds = start <= now < end if start < end else now >= start or now < end

    ends = weekly(zone, start=start, end=end).end_of(at)

    assert (ends is not None) == holds
    if ends is not None:
        assert at < ends <= at + timedelta(weeks=1)
        assert minute_of_week(ends, zone) == end


@example(datetime(2020, 3, 23, tzinfo=UTC), 2, 1, "Europe/Berlin")  # a week of 167 hours
@given(MOMENTS, _MINUTES, _MINUTES, st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]))
def test_a_change_of_clocks_moves_its_edges_by_that_hour_alone(at: datetime, start: int, end: int, zone: str) -> None:
    """An hour more or less may be frozen; a week must not be, and its end is one, whoever asks within it."""
    if start == end:
        return
    freeze = weekly(zone, start=start, end=end)
    ends = freeze.end_of(at)
    if ends is None:
        return

    assert at < ends <= at + timedelta(weeks=1, hours=1)
    assert (minute_of_week(ends, zone) - end) % (7 * 24 * 60) in (0, 30, 60)  # later where that time was left out
    assert freeze.end_of(ends - timedelta(seconds=1)) == ends
    assert freeze.end_of(at + (ends - at) / 2) == ends


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        (datetime(2026, 6, 5, 15, 59, tzinfo=BERLIN), None),
        (datetime(2026, 6, 5, 16, 0, tzinfo=BERLIN), datetime(2026, 6, 8, 6, 0, tzinfo=UTC)),
        (datetime(2026, 6, 8, 7, 59, tzinfo=BERLIN), datetime(2026, 6, 8, 6, 0, tzinfo=UTC)),
        (datetime(2026, 6, 8, 8, 0, tzinfo=BERLIN), None),
        (datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN), datetime(2026, 10, 26, 7, 0, tzinfo=UTC)),  # winter begins
        (datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN), datetime(2026, 3, 30, 6, 0, tzinfo=UTC)),  # summer begins
    ],
)
def test_a_weekend_in_berlin(at: datetime, ends: datetime | None) -> None:
    """What people mean by it, also on the two weekends on which the clocks are changed."""
    assert WEEKEND.end_of(at) == ends


def test_a_given_time_holds_from_its_start_until_before_its_end() -> None:
    """In whatever zone it was written."""
    freeze = Freeze.model_validate(
        {"reason": "Black Friday", "start": "2026-11-26T00:00+01:00", "end": "2026-11-30T09:00+01:00"}
    )

    assert freeze.end_of(datetime(2026, 11, 25, 22, 59, tzinfo=UTC)) is None
    assert freeze.end_of(datetime(2026, 11, 25, 23, 0, tzinfo=UTC)) == datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert freeze.end_of(datetime(2026, 11, 30, 8, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"start": "Friday 16:00"}, "like `friday 16:00`"),
        ({"end": "monday 24:00"}, "like `friday 16:00`"),
        ({"zone": "Europe/Berln"}, "`Europe/Berln` is no time zone of the tz database"),
        ({"zone": "../../etc/passwd"}, "is no time zone of the tz database"),
        ({"end": "friday 16:00"}, "the whole week would be frozen"),
    ],
)
def test_a_part_of_the_week_that_is_none_is_refused(change: dict[str, Any], says: str) -> None:
    """Misspelt, it would freeze nothing, and nobody would be told."""
    with pytest.raises(ValidationError, match=says):
        WeeklyFreeze.model_validate({**WEEKEND.model_dump(), **change})


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2026-12-18T16:00", "2027-01-04T08:00", "should have timezone info"),
        ("2027-01-04T08:00Z", "2026-12-18T16:00Z", "end: must be later than start"),
        ("2026-12-18T16:00Z", "9999-12-31T23:59-12:00", "write years from 2000 to 2999"),
    ],
)
def test_a_time_without_a_zone_or_an_order_is_refused(start: str, end: str, says: str) -> None:
    """Four in the afternoon is another moment for each who reads it."""
    with pytest.raises(ValidationError, match=says):
        Freeze.model_validate({"reason": "Holidays", "start": start, "end": end})
