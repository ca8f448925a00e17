"""Start a process apart from us: no variable but those named here, `isolation` in front of it, nobody left behind."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from slipway.adapters.processes import isolation

_LAST_SECONDS = 10.0  # for what is stopped to end all that it started


@dataclass(frozen=True, slots=True)
class Ended:
    """`code` is None when time ran out."""

    code: int | None
    isolation: tuple[str, ...]
    left_behind: int


def run(
    python: Path,
    command: Sequence[str],
    rules: Mapping[str, Any],
    *,
    folder: Path,
    seconds: float,
    output: IO[bytes],
) -> Ended:
    """Run `command`, a file of Python and its arguments, below `isolation` by its `rules`.

    `folder` holds the folders `home` and `code`. Nothing that it started is left.
    """
    told_from, told_in = os.pipe()
    with os.fdopen(told_from, "rb") as told:
        launcher = [str(python), "-s", "-P", isolation.__file__, json.dumps({**rules, "told_in": told_in})]
        process = subprocess.Popen(
            [*launcher, *command],
            cwd=folder / "home",
            env=_variables(folder),
            stdin=subprocess.PIPE,  # never written to: its end tells the process that we are gone
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[told_in],
            start_new_session=True,
        )
        os.close(told_in)
        code = _code(process, seconds=seconds)
        return Ended(code, *_told(told))


def _code(process: subprocess.Popen[bytes], *, seconds: float) -> int | None:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        _ask_to_end(process)
        return None
    finally:
        _kill_group(process)


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """The end of its stdin lets the first process end all others, also those that left its group."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_LAST_SECONDS)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # when nobody of the group is left
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _told(told: IO[bytes]) -> tuple[tuple[str, ...], int]:
    """What was in force, and how many were left behind; nothing where the process ended before it told."""
    ready = select.select([told], [], [], 0)[0]
    lines = os.read(told.fileno(), 4096).decode().splitlines() if ready else []
    in_force = tuple(json.loads(lines[0])) if lines and lines[0] else ()
    return in_force, int(lines[1]) if len(lines) > 1 else 0


def _variables(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(folder / "code"),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",  # on a busy machine, threads that wait for each other take a hundred times as long
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
