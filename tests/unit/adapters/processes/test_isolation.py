"""What a process that runs a team's model reaches of the machine: real sockets, files and processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.processes import isolation

from tests.unit.adapters.systems import on

ROOT = Path(__file__).parents[4]
_START = (
    "import ctypes, json, os, socket, subprocess, sys, time\n"
    "from pathlib import Path\n"
    "job = json.load(open(sys.argv[-1]))\n"
    "def answer(value): open(job['result'], 'w').write(json.dumps(value))\n"
    "def said(attempt):\n"
    "    try:\n"
    "        return repr(attempt())\n"
    "    except Exception as error:\n"
    "        return type(error).__name__\n"
)
# A user namespace in which no other may be made: what a container, or Ubuntu 24.04, allows.
_NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
_DRIVER = (
    "import json, sys; from pathlib import Path; from slipway.adapters.processes import environments\n"
    "job = json.loads(sys.argv[1]); worker = Path(sys.argv[2])\n"
    "files = environments.Files((), (worker.parent / 'out',)) if sys.argv[3] == 'held' else None\n"
    "answer, held = environments.run_and_tell(Path(sys.executable), 'worker', job, folder=worker.parent / 'process',"
    " packages=[worker], files=files, limits=environments.Limits(seconds=20))\n"
    "print(json.dumps([answer, held]))"
)


def _run(folder: Path, code: str, *, bare: bool = False, held: bool = False, **job: Any) -> tuple[Any, list[str]]:
    """The answer of `code`, and what kept it apart; `bare` is on a system that gives no namespaces."""
    worker = folder / "worker.py"
    worker.write_text(_START + code)
    (folder / "out").mkdir(exist_ok=True)
    command = [sys.executable, "-c", _DRIVER, json.dumps(job), str(worker), "held" if held else "free"]
    if bare and subprocess.run(["unshare", "-Ur", "true"], check=False, capture_output=True).returncode == 0:
        command = ["unshare", "-Ur", "sh", "-c", _NO_NAMESPACES, "sh", *command]
    said = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")}, check=True, capture_output=True, text=True
    )
    answer, in_force = json.loads(said.stdout)
    return answer, in_force


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def _was_reached(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


_CONNECT = "socket.create_connection(('127.0.0.1', {port}), timeout=3)"


def test_the_same_connection_is_made_where_nothing_is_apart(listening: socket.socket) -> None:
    """The control: without it, a socket that is deaf would pass for a network that is gone."""
    port = listening.getsockname()[1]
    subprocess.run([sys.executable, "-c", f"import socket; {_CONNECT.format(port=port)}"], check=True)

    assert _was_reached(listening)


_WAYS = {
    "TCP": _CONNECT,
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
    "IPv6": "socket.socket(socket.AF_INET6)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a socket of the machine, such as Docker's": "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "a program": "subprocess.run([sys.executable, '-c', \"import socket; " + _CONNECT + '"], check=True)',
    "the 32-bit numbers": "os.strerror(-ctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0)) and 1 / 0",
    "io_uring": "1 / (1 + ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(256)))",
}


@pytest.mark.parametrize("bare", [False, True], ids=["all that the system has", "no namespaces"])
def test_no_way_leads_to_the_network(tmp_path: Path, listening: socket.socket, bare: bool) -> None:
    """A model that is a program could send out what it sees of the samples."""
    port = listening.getsockname()[1]
    attempts = ", ".join(f"said(lambda: {way.format(port=port)})" for way in _WAYS.values())

    answer, in_force = _run(tmp_path, f"answer([{attempts}])", bare=bare)

    refused = {"PermissionError", "CalledProcessError", "ZeroDivisionError"}
    assert {way: said for way, said in zip(_WAYS, answer, strict=True) if said not in refused} == {}
    assert not _was_reached(listening)
    assert isolation.NO_SOCKETS in in_force
    assert not (bare and isolation.NAMESPACES in in_force)


def test_threads_processes_and_pairs_of_sockets_still_work(tmp_path: Path) -> None:
    """Frameworks need them; a wall that breaks them would be taken down."""
    code = (
        "import concurrent.futures, multiprocessing, threading\n"
        "with concurrent.futures.ThreadPoolExecutor(2) as pool: threads = list(pool.map(abs, [-1, -2]))\n"
        "one, other = socket.socketpair(); one.send(b'x')\n"
        "answer([threads, other.recv(1).decode(), subprocess.run(['true']).returncode])"
    )
    for bare in (False, True):
        assert _run(tmp_path, code, bare=bare, held=True)[0] == [[1, 2], "x", 0]


def test_files_of_the_machine_are_neither_read_nor_written(tmp_path: Path) -> None:
    """Keys lie in a home, other people's models beside this one; only what belongs to the job is in reach."""
    secret = tmp_path / "home of somebody" / "key"
    secret.parent.mkdir()
    secret.write_text("token")
    attempts = [
        f"Path({str(secret)!r}).read_text()",
        f"Path({str(secret)!r}).write_text('other')",
        f"os.listdir({str(secret.parent)!r})",
        "os.listdir(os.path.expanduser('~root'))",
        "Path('/etc/shadow').read_text()",
        f"os.link({str(secret)!r}, 'linked')",
        f"Path({str(tmp_path / 'planted')!r}).write_text('x')",
        "Path('/tmp/planted-by-a-test').write_text('x')",
        f"Path({str(tmp_path / 'process' / 'job.json')!r}).write_text('x')",
    ]
    allowed = ["Path('mine').write_text('x')", f"Path({str(tmp_path / 'out' / 'model.onnx')!r}).write_text('x')"]
    code = f"answer([{', '.join(f'said(lambda: {one})' for one in (*attempts, *allowed))}])"

    answer, in_force = _run(tmp_path, code, held=True)

    assert isolation.FILES in in_force, "Landlock: Linux 5.13 or later"
    assert set(answer[: len(attempts)]) <= {"PermissionError", "OSError"}
    assert answer[len(attempts) :] == ["1", "1"]
    assert secret.read_text() == "token"


def test_variables_of_the_one_that_started_it_are_not_read_from_the_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrubbed environment is worth little, where the parent's lies under /proc."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-secret-of-the-test")
    code = (
        "found = []\n"
        "for path in Path('/proc').glob('[0-9]*/environ'):\n"
        "    try: found.append(path.read_bytes().decode(errors='replace'))\n"
        "    except OSError: pass\n"
        "answer(['a-secret-of-the-test' in one for one in found])"
    )

    answer, _ = _run(tmp_path, code, held=True)

    assert not any(answer)


def test_nobody_becomes_more_than_he_is(tmp_path: Path) -> None:
    """A runner of GitHub may use sudo without a password; its code of a model may not."""
    code = (
        "status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())\n"
        "answer([status[key].strip() for key in ('NoNewPrivs', 'CapEff', 'CapPrm', 'Seccomp')]\n"
        "    + [ctypes.CDLL(None).unshare(0x10000000), ctypes.CDLL(None).ptrace(16, 1, 0, 0)])"
    )

    answer, _ = _run(tmp_path, code)

    assert answer == ["1", "0" * 16, "0" * 16, "2", -1, -1]


@pytest.mark.parametrize("bare", [False, True], ids=["all that the system has", "no namespaces"])
def test_of_a_hundred_processes_that_hide_none_is_left(tmp_path: Path, bare: bool) -> None:
    """Each leaves its group and its parent, as a fork bomb or a daemon does, and outlives the answer."""
    marker = str(tmp_path / "hidden")
    code = (
        "for _ in range(100):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0: os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)',"
        f" {marker!r}])\n"
        "        os._exit(0)\n"
        "time.sleep(1); answer(1)"
    )
    with pytest.raises(subprocess.CalledProcessError) as raised:
        _run(tmp_path, code, bare=bare)

    assert "left 100 others running, which were stopped" in raised.value.stderr
    assert not _alive(marker)


def _alive(marker: str) -> bool:
    def one(path: Path) -> bool:
        try:
            return marker.encode() in path.read_bytes()
        except OSError:
            return False

    for _ in range(100):
        if not any(one(path) for path in Path("/proc").glob("[0-9]*/cmdline")):
            return False
        time.sleep(0.05)
    return True


_NO_NETWORK = "cannot take the network away"
_NO_NAMESPACE = "had no namespaces of its own"
_NO_FILES = "cannot take other files away"


@pytest.mark.parametrize(
    ("system", "held", "said"),
    [
        ("no namespaces", True, {_NO_NAMESPACE}),
        ("neither", True, {_NO_NAMESPACE, _NO_FILES}),
        ("neither", False, {_NO_NAMESPACE}),
        ("nothing", True, {_NO_NETWORK, _NO_FILES}),
    ],
)
def test_what_a_system_does_not_give_is_said_in_the_log(
    tmp_path: Path, system: str, held: bool, said: set[str]
) -> None:
    """A team that takes the walls for granted should hear of the one that is missing."""
    (tmp_path / "worker.py").write_text(_START + "answer(1)")
    (tmp_path / "out").mkdir()
    driver = f"import logging; logging.basicConfig(level=logging.INFO)\n{_DRIVER}"
    command = [sys.executable, "-c", driver, "{}", str(tmp_path / "worker.py"), "held" if held else "free"]

    done = subprocess.run(
        on(system, command),
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        check=True,
        capture_output=True,
        text=True,
    )

    assert {one for one in (_NO_NETWORK, _NO_NAMESPACE, _NO_FILES) if one in done.stderr} == said
