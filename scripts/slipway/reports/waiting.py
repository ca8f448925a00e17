"""What waits for the next environment: a line each, until when and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from slipway.domain.promotion import Onward, Wait


def waiting_text(onward: Iterable[Onward]) -> str:
    """A line each, for the terminal; empty where nothing waits."""
    return "\n".join(f"{one.tag} {wait_text(one.wait, following=_name(one))}" for one in onward if one.wait)


def _name(one: Onward) -> str:
    return f"all of {one.following}" if one.is_canary else one.following


def wait_text(wait: Wait, *, following: str) -> str:
    """Such as `waits for production until 2026-06-05 14:00 UTC, because …`."""
    until = "" if wait.until is None else f" until {moment(wait.until)}"
    return f"waits for {following}{until}, because {'; '.join(wait.reasons)}"


def moment(at: datetime) -> str:
    """To the minute, and never before it."""
    whole = at.astimezone(UTC) + timedelta(minutes=1, microseconds=-1)
    return f"{whole:%Y-%m-%d %H:%M} UTC"
