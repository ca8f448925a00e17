"""Named moments before and after each write to the outside, at which a test may kill the process.

`SLIPWAY_KILL_AT=before:ledger-commit:2` sends SIGKILL just before the second write of that name. Nothing
happens without the variable: what survives a kill is a property of the order of our writes, and this makes
that order testable.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_passed: Counter[str] = Counter()


@contextmanager
def external_write(name: str) -> Iterator[None]:
    """Wrap one write that others can see; `name` is its stable name in tests."""
    _moment(f"before:{name}")
    yield
    _moment(f"after:{name}")


def _moment(moment: str) -> None:
    _passed[moment] += 1
    if os.environ.get("SLIPWAY_KILL_AT") == f"{moment}:{_passed[moment]}":
        os.kill(os.getpid(), signal.SIGKILL)
