"""Time and peak memory of commands and of all processes that they start."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_EVERY_SECONDS = 0.02
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
_SHARED_OUT = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_PARENT = re.compile(r"^PPid:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Usage:
    """`bytes` is the most that the processes of one command held together, resident."""

    seconds: float
    bytes: int

    def told(self) -> dict[str, float]:
        return asdict(self)


def watched(commands: Sequence[Sequence[str]], *, cwd: Path, env: Mapping[str, str]) -> Usage:
    """Run commands one after the other.

    Raises:
        RuntimeError: one failed; it says the last words.
    """
    started = time.monotonic()
    most = max(_most_of(command, cwd=cwd, env=env) for command in commands)
    return Usage(time.monotonic() - started, most)


def _most_of(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    most = 0
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=cwd, env=env, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        while process.poll() is None:
            most = max(most, _resident_below(process.pid))
            time.sleep(_EVERY_SECONDS)
        said.seek(0)
        words = said.read()[-2000:]
    if process.returncode:
        raise RuntimeError(f"{command[:3]} ended with {process.returncode}:\n{words}")
    return most


def family_of(root: int) -> set[int]:
    """A process and all that descend from it."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    parents = {pid: int(found[1]) for pid in pids if (found := _PARENT.search(_told(pid, "status")))}
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def shared_out_below(root: int) -> int:
    """Bytes that a process and all below it hold; a page that n processes share is an n-th of a page in each."""
    sizes = (_SHARED_OUT.search(_told(pid, "smaps_rollup")) for pid in family_of(root))
    return sum(int(size[1]) * 1024 for size in sizes if size)


def _resident_below(root: int) -> int:
    """As `shared_out_below`, in less time; a page that two share is counted twice."""
    sizes = (_RESIDENT.search(_told(pid, "status")) for pid in family_of(root))
    return sum(int(size[1]) * 1024 for size in sizes if size)


def _told(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it ended
        return ""
