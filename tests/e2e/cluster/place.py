"""Namespaces in which a cluster lives: network, mounts and processes of its own, with bounded memory.

Nothing of it outlives the tests. Its first process ends when its standard input closes, also where the tests are
killed, and the kernel ends the rest. What no kernel takes away, a folder and control groups of the same name, the next
run finds: nobody holds the lock in it any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

_GROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids", "systemd")
_PREFIX = "slipway-cluster-"
_MOST_MEMORY = 4 * 2**30
_FIRST = Path(__file__).with_name("first_process.py")
# What a kubelet would set for the whole machine; it finds it set and leaves the machine alone.
_KERNEL = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


@dataclass
class Place:
    """`folder` is seen by both sides under one name; `pid` is that of the first process, as it is seen from outside."""

    folder: Path
    pid: int
    _first: subprocess.Popen[str]
    _commands: dict[str, list[str]] = field(default_factory=dict)

    @property
    def entry(self) -> tuple[str, ...]:
        """Words before a command that is to run in the cluster's network."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

    def inside(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(*self.entry, *command, check=check)

    def within(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command that sees the cluster's mounts and processes, too."""
        entry = ("nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--")
        return run(*entry, *command, check=check)

    def start(self, name: str, *command: str) -> int:
        """Start a part under a name, without a command as it was before; its id, as the first process counts."""
        self._commands[name] = list(command) or self._commands[name]
        pid: int = self._ask(do="start", name=name, command=self._commands[name], log=str(self.log(name)))
        return pid

    def signal(self, name: str, number: signal.Signals) -> None:
        self._ask(do="signal", name=name, number=number)

    def kill(self, name: str) -> None:
        """Wait until it is gone."""
        self.signal(name, signal.SIGKILL)
        wait_for(lambda: self.code(name) is not None, what=f"the end of {name}", seconds=30)

    def code(self, name: str) -> int | None:
        code: int | None = self._ask(do="code", name=name)
        return code

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def _ask(self, **asked: Any) -> Any:
        assert self._first.stdin is not None and self._first.stdout is not None
        self._first.stdin.write(json.dumps(asked) + "\n")
        self._first.stdin.flush()
        answered = self._first.stdout.readline()
        assert answered, f"the first process of {self.folder} is gone"
        return json.loads(answered)


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A new one; whatever happens, nothing of it is left."""
    _remove_what_killed_runs_left()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/var/tmp"))  # short, since sockets lie there; on a disk
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            (folder / "logs").mkdir()
            with _first_process(_groups(folder.name), keeps=lock.fileno()) as first:
                made = Place(folder, _child_of(first), first)
                _hide_the_machine(made)
                yield made
        finally:
            _remove(folder)


@contextlib.contextmanager
def _first_process(memory: Path, *, keeps: int) -> Iterator[subprocess.Popen[str]]:
    namespaces = ("--net", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc")
    command = ["unshare", *namespaces, sys.executable, str(_FIRST), str(memory)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, pass_fds=[keeps]) as first:
        try:
            assert first.stdout is not None and first.stdout.readline() == "ready\n", "no namespaces: is this root?"
            yield first
        finally:
            _let_go(first)


def _let_go(first: subprocess.Popen[str]) -> None:
    """The child of `unshare` leaves when its standard input ends, and the kernel kills all below it."""
    assert first.stdin is not None
    first.stdin.close()
    try:
        first.wait(10)
    except subprocess.TimeoutExpired:
        first.kill()


def _child_of(first: subprocess.Popen[str]) -> int:
    """`unshare` stays outside; its child is the one within."""
    return int(Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text())


def _hide_the_machine(place: Place) -> None:
    """Let nothing that a part writes reach what others use."""
    for name, value in _KERNEL.items():
        shown = place.folder / "kernel" / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(f"{value}\n")
        place.within("mount", "--bind", str(shown), f"/proc/sys/{name}")
    for setting in ("ip_forward", "conf/all/route_localnet"):
        place.within("sh", "-c", f"echo 1 >/proc/sys/net/ipv4/{setting}")
    place.inside("ip", "link", "set", "lo", "up")


def _groups(name: str) -> Path:
    """Control groups for all that will run, below one that bounds their memory, which is returned."""
    for controller in _CONTROLLERS:
        (_GROUPS / controller / name).mkdir()
    for setting in ("cpuset.cpus", "cpuset.mems"):
        whole = (_GROUPS / "cpuset" / setting).read_text()
        (_GROUPS / "cpuset" / name / setting).write_text(whole)
    (_GROUPS / "cpuset" / name / "cgroup.clone_children").write_text("1")
    memory = _GROUPS / "memory" / name
    (memory / "memory.limit_in_bytes").write_text(str(_MOST_MEMORY))
    return memory


def group_of(place: Place, name: str) -> str:
    """A control group below the cluster's own, as a kubelet is told of it."""
    for controller in _CONTROLLERS:
        (_GROUPS / controller / place.folder.name / name).mkdir()
    return f"/{place.folder.name}/{name}"


def _remove_what_killed_runs_left() -> None:
    for folder in Path("/var/tmp").glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)


def _remove(folder: Path) -> None:
    """Once all that was in it has ended, which takes the kernel a moment."""
    for top in _GROUPS.glob(f"*/{folder.name}"):  # also where a runtime made one by itself
        wait_for(partial(_without_groups, top), what=f"the end of all in {top}", seconds=30)
    shutil.rmtree(folder)


def _without_groups(top: Path) -> bool:
    try:
        for group, _, _ in os.walk(top, topdown=False):
            Path(group).rmdir()
    except OSError:
        return False
    return True


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command to its end; where it fails, the test says what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def wait_for(true: Callable[[], bool], *, what: str, seconds: float) -> None:
    """Ask again and again; fail where it does not become true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.2)
