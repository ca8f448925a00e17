"""The front of a model: HAProxy, told by its admin socket which of the two colours gets the requests.

The map in the running process is what counts now; the file is what counts when the process starts again.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from slipway.adapters import atomic
from slipway.errors import Unreachable

CONFIGURATION = "haproxy.cfg"
_MAP = "/etc/slipway/live.map"  # where the front's container has it
_ENTRY = re.compile(r"^\S+ live (\w+)$", re.MULTILINE)
_SECONDS = 5.0
_IS_UP = "2"
_MEND = "read `docker compose logs front` in the folder of the state, then roll out again"


@dataclass(frozen=True, slots=True)
class Front:
    """`place` is the folder of the project; `front/` in it holds the files, `admin/` the socket."""

    place: Path

    def write(self, colour: str) -> None:
        """Name the colour that gets the requests from the next start on."""
        atomic.write(self.place / "front" / "live.map", f"live {colour}\n".encode())

    def listens(self) -> bool:
        try:
            self._ask("show version")
        except Unreachable:  # it has just been started, or is none
            return False
        return True

    def named(self) -> str:
        """The colour that gets the requests now.

        Raises:
            Unreachable: the front does not answer.
        """
        found = _ENTRY.search(self._ask(f"show map {_MAP}"))
        return found[1] if found else ""

    def point_to(self, colour: str) -> None:
        """Let `colour` get each request that begins from now on.

        Raises:
            Unreachable: the front does not answer, or does otherwise.
        """
        if self.named() == colour:
            return
        refused = self._ask(f"set map {_MAP} live {colour}")
        if self.named() != colour:
            raise Unreachable(f"the front of {self.place} did not take {colour}: {refused.strip()}", mend=_MEND)

    def reaches(self, colour: str, addresses: Collection[str]) -> bool:
        """Whether it knows the address of the container of `colour`, and finds that it is ready."""
        return is_up(self._ask(f"show servers state {colour}"), addresses)

    def _ask(self, command: str) -> str:
        try:
            folder = os.open(self.place / "admin", os.O_PATH | os.O_DIRECTORY)
        except OSError as failure:
            raise Unreachable(f"the front of {self.place} has no admin socket: {failure}", mend=_MEND) from failure
        try:  # the path of a Unix socket has at most 103 characters, so it is named by the folder's descriptor
            return _answer(f"/proc/self/fd/{folder}/admin.sock", command)
        except OSError as failure:
            raise Unreachable(f"the front of {self.place} does not answer: {failure}", mend=_MEND) from failure
        finally:
            os.close(folder)


def is_up(states: str, addresses: Collection[str]) -> bool:
    """Read what HAProxy answers to `show servers state`.

    Form, in version 1: https://docs.haproxy.org/2.6/management.html#9.3-show%20servers%20state
    """
    lines = [line.split() for line in states.splitlines() if line and not line.startswith("#")]
    return any(len(line) > 5 and line[4] in addresses and line[5] == _IS_UP for line in lines)


def _answer(path: str, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(path)
        connection.sendall(f"{command}\n".encode())
        return connection.makefile("rb").read().decode(errors="replace")
