"""What keeps a process apart where its user is not root, as on the runners of GitHub: real processes of `nobody`.

A runner is no root, and its system may give it namespaces, refuse them (a container), or give them without any right in
them (Ubuntu 24.04): see `systems`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.processes import isolation

from tests.unit.adapters.systems import PYTHON, SYSTEMS, on

ROOT = Path(__file__).parents[4]
_NOBODY = 65534
_SYSTEMS = [one for one in SYSTEMS if one != "nothing"]
_BARE = ("no namespaces", "namespaces without rights", "neither")
_OLD = ("no Landlock", "neither")
_DRIVER = """
import json, os, sys
from pathlib import Path
from slipway.adapters.processes import apart, bounded_process
folder, files = Path(sys.argv[1]), json.loads(sys.argv[2])
limits = json.dumps({"RLIMIT_CPU": 20, "RLIMIT_FSIZE": 1 << 20})
command = [bounded_process.__file__, limits, "worker", str(os.getpid()), str(folder)]
with open(folder / "log.txt", "w+b") as log:
    rules = {"cpu_seconds": 20, "files": files}
    ended = apart.run(Path(sys.executable), command, rules, folder=folder, seconds=30, output=log)
print(json.dumps([ended.code, ended.isolation, ended.left_behind]))
"""
_WORKER = """
import json, os, socket, subprocess, sys, time
from pathlib import Path
ours, folder = int(sys.argv[1]), Path(sys.argv[2])
def said(attempt):
    try:
        return repr(attempt())
    except Exception as error:
        return type(error).__name__
def answer(value):
    (folder / "answer" / "said.json").write_text(json.dumps(value))
"""


@dataclass(frozen=True)
class Ended:
    said: Any
    code: int
    isolation: list[str]
    left_behind: int


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of nobody, in a place that he reaches, with all that he has to read; pytest's own is for root alone."""
    path = Path(tempfile.mkdtemp(prefix="nobody-"))
    path.chmod(0o755)
    for name in ("code", "home", "answer", "own"):
        (path / name).mkdir()
    shutil.copytree(ROOT / "scripts" / "slipway", path / "slipway", ignore=shutil.ignore_patterns("__pycache__"))
    (path / "own" / "key").write_text("a-secret")
    yield path
    shutil.rmtree(path)


def _run(folder: Path, system: str, code: str, *, held: bool = True) -> Ended:
    """Run `code` apart, all of it as nobody, on a system that refuses what its name says."""
    (folder / "code" / "worker.py").write_text(_WORKER + code)
    reads = [str(folder / "slipway"), str(folder / "code")]
    files = {"reads": reads, "writes": [str(folder / "answer"), str(folder / "home")]} if held else None
    command = on(system, [PYTHON, "-P", "-c", _DRIVER, str(folder), json.dumps(files)])
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)
        command = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command]
    variables = {
        "PATH": os.defpath,
        "PYTHONPATH": str(folder),
        "GITHUB_TOKEN": "a-secret",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    ended, in_force, left_behind = json.loads(done.stdout)
    told = folder / "answer" / "said.json"
    return Ended(json.loads(told.read_text()) if told.exists() else None, ended, in_force, left_behind)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


@pytest.mark.parametrize("system", _SYSTEMS)
def test_no_way_leads_to_the_network(folder: Path, listening: socket.socket, system: str) -> None:
    """Whatever the runner's system refuses to give, what the model saw stays there."""
    port = listening.getsockname()[1]
    connect = f"socket.create_connection(('127.0.0.1', {port}), timeout=3)"
    attempts = (
        connect,
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "socket.socket(socket.AF_UNIX)",
        f'subprocess.run([sys.executable, "-c", "import socket; {connect}"], check=True)',
    )

    ended = _run(folder, system, f"answer([os.getuid(), {', '.join(f'said(lambda: {one})' for one in attempts)}])")

    assert ended.said == [
        os.geteuid() or _NOBODY,
        *("PermissionError", "PermissionError", "PermissionError", "CalledProcessError"),
    ]
    with pytest.raises(TimeoutError):
        listening.accept()


@pytest.mark.parametrize("system", _SYSTEMS)
def test_what_is_in_force_is_told_and_nothing_else(folder: Path, system: str) -> None:
    """The page says what kept the process apart; a wall that is told and not there would be trusted."""
    told = {*_run(folder, system, "answer(1)").isolation}

    expected = {isolation.NO_SOCKETS}
    expected |= set() if system in _OLD else {isolation.FILES}
    assert told - {isolation.NAMESPACES} == expected
    assert not (system in _BARE and isolation.NAMESPACES in told)


@pytest.mark.parametrize("system", [one for one in _SYSTEMS if one not in _OLD])
def test_files_of_the_same_user_are_out_of_reach(folder: Path, system: str) -> None:
    """A runner's keys belong to the very user that runs the model: no owner, group or mode keeps them apart."""
    attempts = (
        "(folder / 'own' / 'key').read_text()",
        "(folder / 'own' / 'planted').write_text('x')",
        "os.listdir(folder / 'own')",
        "(folder / 'slipway' / 'planted').write_text('x')",
        "(folder / 'home' / 'mine').write_text('x')",
    )

    ended = _run(folder, system, f"answer([{', '.join(f'said(lambda: {one})' for one in attempts)}])")

    assert ended.said == ["PermissionError"] * 4 + ["1"]


@pytest.mark.parametrize("held", [True, False], ids=["files held", "files free"])
@pytest.mark.parametrize("system", [one for one in _SYSTEMS if one not in _OLD])
def test_a_token_of_the_process_that_started_it_is_not_read_from_the_outside(
    folder: Path, system: str, held: bool
) -> None:
    """Both have one user, so the kernel would show the variables of the one to the other under /proc."""
    attempts = ("environ", "mem", "maps")
    code = f"answer([said(lambda: open(f'/proc/{{ours}}/{{one}}', 'rb').read(1)) for one in {attempts!r}])"

    ended = _run(folder, system, code, held=held)

    assert set(ended.said) <= {"PermissionError", "FileNotFoundError"}, ended.said


@pytest.mark.parametrize("system", _SYSTEMS)
def test_nobody_becomes_root_and_nothing_is_left_behind(folder: Path, system: str) -> None:
    """The user of a runner may use sudo; and what outlives the answer could change what is read afterwards."""
    code = (
        "status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())\n"
        "sleeper = [sys.executable, '-c', 'import time; time.sleep(600)', str(folder / 'sleeper')]\n"
        "subprocess.Popen(sleeper, start_new_session=True)\n"
        "answer([status[key].strip() for key in ('NoNewPrivs', 'CapEff', 'CapPrm', 'Seccomp')])"
    )

    ended = _run(folder, system, code)

    assert (ended.said, ended.left_behind) == (["1", "0" * 16, "0" * 16, "2"], 1)
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder).encode() in _content(path)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
