"""Two rollouts of one model and environment on one machine would each end what the other started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from slipway.errors import Unreachable

_SECONDS = 120.0


@contextmanager
def alone_in(place: Path) -> Iterator[None]:
    """Hold the folder of a model and environment, which is made where it is missing.

    Raises:
        Unreachable: another process holds it for longer than a rollout is waited for.
    """
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / "lock", timeout=_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise Unreachable(f"another process is rolling out in {place}", mend="wait for it, then run again") from None
    try:
        yield
    finally:
        lock.release()
