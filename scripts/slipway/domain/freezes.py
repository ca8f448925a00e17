"""Times in which no version is proposed for a further environment, or may be merged. Ways back are open at any time.

Every moment is compared in UTC: two moments of one zone would be compared by their clocks, which show an hour twice
when summer ends.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from slipway.domain.declared import Declared

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOMENT_OF_A_WEEK = rf"^({'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):[0-5]\d$"
_A_WEEK = timedelta(weeks=1)
_YEARS = range(2000, 3000)  # beyond them, zones and sums leave what a date can be


def _a_moment_of_a_week(text: str) -> str:
    if re.fullmatch(_MOMENT_OF_A_WEEK, text) is None:
        raise ValueError("must be a day of the week and a time, like `friday 16:00`")
    return text


def _a_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"`{name}` is no time zone of the tz database; write one like Europe/Berlin") from unknown


MomentOfAWeek = Annotated[
    str, AfterValidator(_a_moment_of_a_week), Field(json_schema_extra={"pattern": _MOMENT_OF_A_WEEK})
]
Zone = Annotated[str, AfterValidator(_a_zone)]


class Freeze(Declared):
    """A time in which no version is proposed for a further environment, or merged; ways back are open at any time."""

    reason: str = Field(min_length=5, description="why; who waits is told")
    start: AwareDatetime = Field(description="from when, with its time zone, such as 2026-12-18T16:00+01:00")
    end: AwareDatetime = Field(description="until when")
    environments: tuple[str, ...] = Field(default=(), description="those that it is about; without one, all")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if not {self.start.year, self.end.year} <= set(_YEARS):
            raise ValueError(f"start, end: write years from {_YEARS[0]} to {_YEARS[-1]}")
        if self.end <= self.start:
            raise ValueError("end: must be later than start")
        return self

    def end_of(self, at: datetime) -> datetime | None:
        """When it ends, in UTC, where it holds at that moment."""
        return self.end.astimezone(UTC) if self.start <= at < self.end else None


class WeeklyFreeze(Declared):
    """A part of each week in which no version is proposed for a further environment, or merged, such as the weekend.

    A time that a change of the clocks shows twice is the first of the two; one that it leaves out is as much later.
    """

    reason: str = Field(min_length=5, description="why; who waits is told")
    start: MomentOfAWeek = Field(description="from when, such as `friday 16:00`")
    end: MomentOfAWeek = Field(description="until when, such as `monday 08:00`")
    zone: Zone = Field(description="whose clocks: a time zone of the tz database, such as Europe/Berlin")
    environments: tuple[str, ...] = Field(default=(), description="those that it is about; without one, all")

    @model_validator(mode="after")
    def _leaves_some_of_the_week(self) -> Self:
        if self.start == self.end:
            raise ValueError("end: is the start, so that the whole week would be frozen")
        return self

    def end_of(self, at: datetime) -> datetime | None:
        """When it ends, in UTC, where it holds at that moment."""
        local = at.astimezone(ZoneInfo(self.zone))
        monday = local.date() - timedelta(days=local.weekday())  # weeks are counted in days: hours may be lost or won
        spans = (self._span_from(monday + weeks * _A_WEEK) for weeks in (-1, 0, 1))
        return next((end for start, end in spans if start <= at < end), None)

    def _span_from(self, monday: date) -> tuple[datetime, datetime]:
        """The one that starts in a week, in UTC."""
        zone = ZoneInfo(self.zone)
        (first, start), (last, end) = _read(self.start), _read(self.end)
        days = last - first + (7 if (last, end) <= (first, start) else 0)
        begins = monday + timedelta(days=first)
        starts = datetime.combine(begins, start, zone)
        ends = datetime.combine(begins + timedelta(days=days), end, zone)
        return starts.astimezone(UTC), ends.astimezone(UTC)


def _read(moment: str) -> tuple[int, time]:
    day, _, clock = moment.partition(" ")
    return WEEKDAYS.index(day), time.fromisoformat(clock)
