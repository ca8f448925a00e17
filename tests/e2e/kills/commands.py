"""Commands of the team, each a process of its own that need not import Slipway first.

One process imported all and does nothing else than fork a child for each command. A command is killed only at its
work, and what it imports before is the same for all: nearly all of a processor's time, for nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "tests.e2e.kills.all_of_slipway"])
_SECONDS_TO_START = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs or ran, and the file of all that it prints."""

    process: ForkServerProcess
    printed: Path
    begins: Connection

    @property
    def code(self) -> int | None:
        """How it ended: below zero by a signal; None while it runs."""
        return self.process.exitcode

    @property
    def said(self) -> str:
        return self.printed.read_text()

    def wait_until_at_work(self) -> None:
        assert self.begins.poll(_SECONDS_TO_START), self.said
        self.begins.recv()

    def ends_within(self, seconds: float) -> bool:
        self.process.join(seconds)
        return self.code is not None

    def kill(self, *, children: bool) -> None:
        """It alone, or with all that it started; nothing happens where it ended in this moment."""
        assert self.process.pid is not None
        with suppress(ProcessLookupError):
            (os.killpg if children else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.join()


def start(words: Sequence[str], *, folder: Path, variables: Mapping[str, str], printed: Path) -> Command:
    begins, tells = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_run, args=(list(words), folder, dict(variables), printed, tells))
    process.start()
    tells.close()
    return Command(process, printed, begins)


def _run(words: list[str], folder: Path, variables: dict[str, str], printed: Path, tells: Connection) -> None:
    """As a shell would start it: with a session, a folder and variables of its own."""
    from tests.e2e.kills import all_of_slipway  # there already: the child of a process that imported it

    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)
    sys.argv = ["slipway", *words]
    tells.send("at work")
    tells.close()
    all_of_slipway.main()
