"""Who waits is told until when, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.promotion import Onward, Wait
from slipway.domain.tag import ReleaseTag
from slipway.reports.waiting import moment, wait_text, waiting_text

_NOON = datetime(2026, 6, 5, 12, 0, tzinfo=UTC)


def _onward(wait: Wait | None) -> Onward:
    return Onward(ReleaseTag.parse("tip@v1.1.0"), "staging", "production", wait)


def test_a_line_says_what_waits_for_what_until_when_and_why() -> None:
    """It is read in a log, at the end of a run that did nothing."""
    wait = Wait(
        until=_NOON, reasons=("it has run in staging for 3 of 24 hours (soak_hours)", "production is frozen: X")
    )

    assert waiting_text([_onward(wait), _onward(None)]) == (
        "tip@v1.1.0 waits for production until 2026-06-05 12:00 UTC, because it has run in staging for 3 of 24 hours "
        "(soak_hours); production is frozen: X"
    )


def test_what_no_clock_ends_names_no_time() -> None:
    """An incident is over when it is over."""
    wait = Wait(until=None, reasons=("the incident 2026-06-01-drift is open (#7)",))
    assert wait_text(wait, following="production") == (
        "waits for production, because the incident 2026-06-01-drift is open (#7)"
    )


@given(st.timedeltas(timedelta(), timedelta(days=1)), st.integers(-12, 14))
def test_a_time_is_told_to_the_minute_and_never_too_early(later: timedelta, offset: int) -> None:
    """Whoever comes at that minute must find it done."""
    at = (_NOON + later).astimezone(datetime.strptime(f"{offset:+03}00", "%z").tzinfo)

    told = datetime.strptime(moment(at), "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)

    assert at <= told < at + timedelta(minutes=1)
