"""Named moments before and after each write to the outside, at which a test may kill the process.

`SLIPWAY_KILL_AT=before:ledger-commit:2` sends SIGKILL just before the second write of that name. Nothing
happens without the variable: what survives a kill is a property of the order of our writes, and this makes
that order testable. `SLIPWAY_LOG_MOMENTS=FILE` lists in FILE the moments that a run passes.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_passed: Counter[str] = Counter()


@contextmanager
def external_write(name: str) -> Iterator[None]:
    """Wrap one write that others can see; `name` is its stable name in tests."""
    _moment(f"before:{name}")
    yield
    _moment(f"after:{name}")


def _moment(moment: str) -> None:
    _passed[moment] += 1
    numbered = f"{moment}:{_passed[moment]}"
    if listed := os.environ.get("SLIPWAY_LOG_MOMENTS"):
        with Path(listed).open("a", encoding="utf-8") as file:
            file.write(f"{numbered}\n")
    if os.environ.get("SLIPWAY_KILL_AT") == numbered:
        os.kill(os.getpid(), signal.SIGKILL)
