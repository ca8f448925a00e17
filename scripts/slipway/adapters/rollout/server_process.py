"""One model server as a process that outlives whoever started it, and that is found again.

Its folder holds a file `alive`, locked by the process and by nobody else: the lock was taken before the process
began, came to it as an open descriptor, and goes when it goes, killed or not. So neither a pid that the system gave
to another process nor a zombie is ever mistaken for a server.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.adapters import atomic, crash_points
from slipway.errors import BadFile, RolloutFailed, Unreachable

_CONTROL_SECONDS = 5.0
_TURN_SECONDS = 0.02
_UNRECORDED_SECONDS = 10.0
_CONTROL_NAME = 24  # characters
_LONGEST_SOCKET = 103  # bytes of a path


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that was started, alive or not."""

    folder: Path

    @property
    def control(self) -> Path:
        """Its control socket; where nothing was written down, the place that it would have now."""
        recorded = self._record().get("control")
        return Path(recorded) if recorded else _control_for(self.folder)

    def alive(self) -> bool:
        try:
            with (self.folder / "alive").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def pid(self) -> int | None:
        """Its pid, or None where whoever started it was killed before writing it down."""
        pid = self._record().get("pid")
        return None if pid is None else int(pid)

    def _record(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / "process.json").read_bytes()))
        except FileNotFoundError:
            return {}

    def command(self, line: str, *, seconds: float = _CONTROL_SECONDS) -> dict[str, Any] | None:
        """Send one line to the control socket; None where nothing answers it in time."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(seconds)
                connection.connect(str(self.control))
                connection.sendall(line.encode() + b"\n")
                reply = connection.makefile("rb").readline()
            return dict(json.loads(reply))
        except (OSError, ValueError):
            return None

    def accepts(self) -> bool:
        status = self.command("status") if self.alive() else None
        return status is not None and status.get("accepting") is True

    def end(self, *, patience: float) -> None:
        """Let it answer what it accepted; kill it after `patience` seconds. Its folder goes with it.

        Raises:
            Unreachable: it cannot be ended, which is no fault of the version that is to follow it.
        """
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if pid is None or not self.alive():
                break
            os.kill(pid, number)
            wait_until(lambda: not self.alive(), seconds=patience)
        # One without a pid leaves by itself: whoever started it is gone, and it was never told to accept.
        if not wait_until(lambda: not self.alive(), seconds=_UNRECORDED_SECONDS):
            raise Unreachable(f"the server of {self.folder} cannot be ended", mend="end its process by hand")
        self.control.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Starting:
    """A server between its start and its first accepted connection: it ends when we do."""

    server: ServerProcess
    process: subprocess.Popen[bytes]

    def wait_until_it_accepts(self, *, seconds: float) -> dict[str, Any]:
        """Wait until it is warm, and have it accept; its status.

        Raises:
            RolloutFailed: it left, or was not ready in time.
        """
        begin = time.monotonic()
        wait_until(lambda: self._warm() or self.process.poll() is not None, seconds=seconds)
        left = max(1.0, seconds - (time.monotonic() - begin))
        status = self.server.command("accept", seconds=left) if self.process.poll() is None else None
        if status is None or not status.get("accepting"):
            raise RolloutFailed(f"the new server {self._why_not(seconds)}", mend="read its log")
        self._let_go()  # it accepts: from here on it outlives us
        return status

    def give_up(self, *, patience: float) -> None:
        self._let_go()
        self.server.end(patience=patience)

    def _let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _why_not(self, seconds: float) -> str:
        if self.server.alive():
            return f"was not ready within {seconds:g} s"
        return f"left with code {self.process.wait()}"

    def _warm(self) -> bool:
        return self.server.control.exists() and self.server.command("status", seconds=1.0) is not None


def start(folder: Path, arguments: Sequence[str], *, log_file: Path) -> Starting:
    """Start `python -m serving`, held back from accepting, in a session of its own."""
    control = _control_for(folder)
    folder.mkdir(parents=True)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with (folder / "alive").open("wb") as alive, log_file.open("wb") as log:
        fcntl.flock(alive, fcntl.LOCK_EX)
        with crash_points.external_write("start-server"):
            process = subprocess.Popen(
                [sys.executable, "-m", "serving", "--hold", "--control-socket", str(control), *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[alive.fileno()],
                start_new_session=True,  # a Ctrl-C in our terminal is not meant for it
                env=_environment(),
            )
    threading.Thread(target=process.wait, name="reaper", daemon=True).start()  # no zombie, whenever it leaves
    atomic.write(folder / "process.json", json.dumps({"pid": process.pid, "control": str(control)}).encode())
    return Starting(ServerProcess(folder), process)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Ask `condition` again and again; its last answer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_TURN_SECONDS)
    return True


def _control_for(folder: Path) -> Path:
    """A short path of our own: that of a Unix socket has at most 103 characters, so it cannot lie in the folder."""
    own = _own_folder()
    own.mkdir(mode=0o700, exist_ok=True)
    if own.stat().st_uid != os.getuid():
        raise Unreachable(f"{own} belongs to somebody else", mend="remove it, or set TMPDIR to a folder of yours")
    return own / hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:_CONTROL_NAME]


def _own_folder() -> Path:
    """Where temporary files go; a job's own folder for them can lie too deep."""
    name = f"slipway-{os.getuid()}"
    usual = Path(tempfile.gettempdir()) / name
    fits = len(os.fsencode(usual)) + 1 + _CONTROL_NAME <= _LONGEST_SOCKET
    return usual if fits else Path("/tmp") / name  # noqa: S108  # it is ours alone, and looked at before it is used


def _environment() -> dict[str, str]:
    """Ours, without the mark by which GitHub's runner finds and kills what a job leaves behind."""
    kept = {name: value for name, value in os.environ.items() if name != "RUNNER_TRACKING_ID"}
    return kept | {"PYTHONPATH": _with_serving(kept.get("PYTHONPATH", ""))}


def _with_serving(python_path: str) -> str:
    """Put the folder that holds the package `serving` first: the server starts the same from any directory."""
    found = importlib.util.find_spec("serving")
    if found is None or not found.submodule_search_locations:
        raise BadFile("there is no package `serving`", mend="run from the root of the repository")
    root = str(Path(next(iter(found.submodule_search_locations))).resolve().parent)
    return os.pathsep.join([root, *filter(None, [python_path])])
