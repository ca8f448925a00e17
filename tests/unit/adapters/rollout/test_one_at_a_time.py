"""A model of an environment is rolled out by one process at a time, on one machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from slipway.adapters.rollout.one_at_a_time import alone_in


def test_nobody_else_gets_in_until_it_is_left(tmp_path: Path) -> None:
    """A merge and a person at a keyboard start the same rollout: each would end what the other started."""
    place = tmp_path / "production" / "late"
    other = FileLock(place / "lock", timeout=0)

    with alone_in(place), pytest.raises(Timeout):
        other.acquire()

    with other:
        assert other.is_locked


def test_who_fails_inside_lets_the_next_one_in(tmp_path: Path) -> None:
    """Otherwise the run that mends it would wait for two minutes, and break off."""
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path):
        raise ZeroDivisionError

    with FileLock(tmp_path / "lock", timeout=0) as lock:
        assert lock.is_locked
