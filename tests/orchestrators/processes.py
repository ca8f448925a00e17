"""Servers of others on loopback, started for a test and ended by it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

_SECONDS = 120.0


@contextmanager
def running(command: Sequence[str], *, folder: Path, variables: Mapping[str, str], log: Path) -> Iterator[Path]:
    """A process that is ended with all that it started."""
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(variables), stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield log
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=_SECONDS)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, log: Path) -> None:
    """Until it answers at all."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=5.0)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-3000:]}")


def wait_for_line(pattern: str, log: Path) -> str:
    """The first group of a pattern, once the log has it."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text())
        if found is not None:
            return found.group(1)
        time.sleep(0.1)
    raise AssertionError(f"nothing like {pattern} in:\n{log.read_text()[-3000:]}")


@contextmanager
def receiver(python: Path, module: str, *, checkout: Path, variables: Mapping[str, str], log: Path) -> Iterator[str]:
    """The receiver of a checkout, as its first lines say to start it; the address to post to."""
    command = [str(python), "-m", "uvicorn", "--app-dir", "flows/receivers", f"{module}:application", "--port", "0"]
    with running(command, folder=checkout, variables=variables, log=log):
        yield wait_for_line(r"Uvicorn running on (http://127\.0\.0\.1:\d+)", log)
