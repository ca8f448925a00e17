"""How long a busy registry is waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.patience import retry_after


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("7", 7.0), ("86400", 60.0), ("", None), ("soon", None)])
def test_seconds_are_read_and_bounded(text: str, seconds: float | None) -> None:
    """A registry that says `tomorrow` must not hold a runner until then."""
    assert retry_after(text) == seconds


@pytest.mark.parametrize(("hours", "seconds"), [(-1, 0.0), (1, 60.0)])
def test_dates_are_read_and_bounded(hours: int, seconds: float) -> None:
    """The other form that the standard allows."""
    assert retry_after(format_datetime(datetime.now(tz=UTC) + timedelta(hours=hours), usegmt=True)) == seconds


@given(st.text() | st.from_regex(r"[0-9²³]+|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [A-Z+0-9]*"))
def test_any_text_gives_a_wait_that_can_be_waited(text: str) -> None:
    """The header is a stranger's text."""
    seconds = retry_after(text)
    assert seconds is None or 0 <= seconds <= 60
