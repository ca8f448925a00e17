"""The first process of the cluster's namespaces: it starts and signals what it is asked to, one line of JSON a request.

It leaves when nobody holds the other end of its standard input any more, be it that the tests ended or that they were
killed. The kernel then kills every process of these namespaces, and takes their mounts, bridges and rules away.
It runs as a script, since it imports nothing of the tests.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


class Parts:
    """What was started, by name."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._codes: dict[int, int] = {}
        signal.signal(signal.SIGCHLD, self._reap)

    def start(self, name: str, command: list[str], log: str) -> int:
        opened = (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        actions = [opened, (os.POSIX_SPAWN_DUP2, 1, 2), nothing]
        self._pids[name] = os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setpgroup=0)
        return self._pids[name]

    def signal(self, name: str, number: int) -> None:
        if self.code(name) is None:
            os.kill(self._pids[name], number)

    def code(self, name: str) -> int | None:
        """How it ended; None while it runs."""
        return self._codes.get(self._pids[name])

    def _reap(self, *_: object) -> None:
        """Of all that ends here, also what the ones that were started left behind."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._codes[ended[0]] = os.waitstatus_to_exitcode(ended[1])
        except ChildProcessError:
            return


def answer(parts: Parts, asked: dict[str, Any]) -> object:
    name = asked.get("name", "")
    match asked["do"]:
        case "start":
            return parts.start(name, asked["command"], asked["log"])
        case "signal":
            parts.signal(name, asked["number"])
            return None
        case "code":
            return parts.code(name)
        case unknown:
            raise ValueError(unknown)


def main(memory: Path) -> None:
    (memory / "cgroup.procs").write_text("0")  # this process, and so all that it starts
    parts = Parts()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in iter(sys.stdin.readline, ""):
        sys.stdout.write(json.dumps(answer(parts, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
