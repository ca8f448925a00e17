"""Tell what runs where, since when, who let it in, and how it is. Reads git and the ledger, asks no server."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from slipway.adapters import everything_running, whole_ledger
from slipway.adapters.workplace import Workplace
from slipway.domain.upkeep import Status, StatusRow


def run(*, workplace: Workplace, now: datetime | None = None) -> tuple[StatusRow, ...]:
    """
    Raises:
        BadFile: a manifest of a model, or the quarantine, cannot be read.
    """
    return look(workplace=workplace, now=now).rows


def look(*, workplace: Workplace, now: datetime | None = None, on: date | None = None) -> Status:
    """All of it now, or as it was when the day `on` ended, in UTC. What was open on that day is told by no branch.

    Raises:
        BadFile: a manifest of a model, or the quarantine, cannot be read.
        GitRefused: a day is asked about, and the clone has no history.
    """
    moment = now or datetime.now(UTC)
    with _without_collecting():
        seen = everything_running.see(whole_ledger.read(workplace, on=on), now=moment)
        return seen.status(on=on, today=moment.date())


@contextmanager
def _without_collecting() -> Iterator[None]:
    """What is read is needed until the end: to look again and again for what is not takes a fifth of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()
