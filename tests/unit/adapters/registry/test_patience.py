"""How long a busy registry is waited for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.patience import reasons_in, retry_after


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


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "DENIED"}, "DENIED"),
        ({"code": "DENIED", "message": "not you"}, "DENIED not you"),
        ({"code": "TOOMANYREQUESTS", "message": "a\nb", "detail": "c"}, "TOOMANYREQUESTS a b"),
        (
            {"code": "UNKNOWN", "message": "unknown error", "detail": {"Op": "write", "Path": "/x", "Err": 28}},
            "UNKNOWN unknown error (No space left on device)",
        ),
        (
            {"code": "UNKNOWN", "detail": {"DriverName": "filesystem", "Enclosed": {"Op": "mkdir", "Err": 13}}},
            "UNKNOWN (Permission denied)",
        ),
    ],
)
def test_a_registrys_reason_is_told_in_a_line(error: dict[str, object], reason: str) -> None:
    """Who runs the registry finds the fault by it; `HTTP 500` is what everybody sees already."""
    assert reasons_in(json.dumps({"errors": [error]}).encode()) == reason


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["code", "message", "detail", "Err", "Enclosed"]), inner)
    ),
)


@given(st.binary() | _JSON.map(lambda errors: json.dumps({"errors": errors}).encode()))
def test_any_body_gives_a_line(content: bytes) -> None:
    """The body is a stranger's, and the line goes to a log that GitHub reads commands from."""
    reason = reasons_in(content)
    assert len(reason) <= 200
    assert reason.isprintable()
