"""Every way in which a model's process can end badly, each done by a real process, and told in words of its own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.processes import endings, environments
from slipway.adapters.processes.environments import Limits
from slipway.errors import ConversionFailed

_START = (
    "import ctypes, json, os, resource, signal, sys, time\n"
    "job = json.load(open(sys.argv[-1]))\n"
    "def answer(value): open(job['result'], 'w').write(json.dumps(value))\n"
)
_STUBBORN = "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
_CPU = Limits(seconds=20, cpu_seconds=1)
_MEMORY = Limits(seconds=20, memory_bytes=1 << 30)
_FILE = Limits(seconds=20, file_bytes=1 << 16)
# As a native library does it, which takes the signal as the system sends it.
_RAW = (
    "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
    "large = os.open('large', os.O_WRONLY | os.O_CREAT)\n"
    "while True: os.write(large, bytes(1 << 20))"
)
_BAD_ALLOC = "ctypes.CDLL('libstdc++.so.6')._Znwm(ctypes.c_size_t(1 << 40))"
_CROWD = (  # root may start more: it raises what the others are told
    "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))\n"
    "for _ in range(3): os.fork() or os._exit(0)\n"
    "raise BlockingIOError(11, os.strerror(11))"
)


def _run(folder: Path, code: str, limits: Limits | None = None) -> Any:
    (folder / "worker.py").write_text(_START + code)
    return environments.run(
        Path(sys.executable),
        "worker",
        {},
        folder=folder / "process",
        packages=[folder / "worker.py"],
        limits=limits or Limits(seconds=20),
    )


_ENDS: dict[str, tuple[str, Limits | None, str, str]] = {
    "a crash": ("ctypes.string_at(0)", None, r"crashed \(SIGSEGV\)", "in its framework alone"),
    "an abort": ("os.abort()", None, r"crashed \(SIGABRT\)", "in its framework alone"),
    "an exception": ("1 / 0", None, r"failed \(exit code 1\)", "in its framework alone"),
    "a hang": ("time.sleep(60)", Limits(seconds=1), "did not end within 1 s", "an endless loop or a wait"),
    "CPU": ("while True: pass", _CPU, "used more than 1 s of CPU", "no more computing"),
    "CPU, and the signal is ignored": (_STUBBORN, _CPU, "used more than 1 s of CPU", "no more computing"),
    "memory": ("bytearray(1 << 32)", _MEMORY, "ran out of memory of the 1 GiB that it may have", "model or its sam"),
    "memory, in C++": (_BAD_ALLOC, _MEMORY, "ran out of memory of the 1 GiB", "make the model or its samples smaller"),
    "memory of the machine": ("os.kill(os.getpid(), 9)", None, "memory of the machine", "a machine with more memory"),
    "a file": ("open('large', 'wb').write(bytes(1 << 20))", _FILE, "wrote a file of more than", "leave out what"),
    "a file, by a library": (_RAW, _FILE, "wrote a file of more than", "leave out what"),
    "processes": (_CROWD, None, "started more processes or threads", "asked with one thread"),
}


@pytest.mark.parametrize("case", _ENDS)
def test_each_end_has_its_own_words_and_its_own_mend(tmp_path: Path, case: str) -> None:
    """ "It failed" sends a team to the wrong place: a crash is mended otherwise than a machine that is too small."""
    code, limits, problem, mend = _ENDS[case]

    with pytest.raises(ConversionFailed) as raised:
        _run(tmp_path, code, limits)

    assert re.search(problem, raised.value.problem)
    assert mend in raised.value.mend
    assert "log.txt" in raised.value.problem


_PIPE = "os.mkfifo(job['result'])"
_LINK = "os.symlink('/etc/passwd', job['result'])"
_DEEP = "open(job['result'], 'w').write('[' * 100_000)"
_LARGE = "open(job['result'], 'w').truncate(1 << 30)"


@pytest.mark.parametrize("code", [_PIPE, _LINK, _DEEP, _LARGE], ids=["pipe", "link", "deep", "large"])
def test_an_answer_that_is_no_small_file_of_json_is_none(tmp_path: Path, code: str) -> None:
    """The worker runs a model's code: a pipe would let us wait for ever, and a link shows us another file."""
    with pytest.raises(ConversionFailed, match="ended without a result"):
        _run(tmp_path, code)


@pytest.mark.parametrize("kind", ["link", "second name", "pipe"])
def test_what_is_left_as_an_output_and_is_no_file_of_its_own_is_refused(tmp_path: Path, kind: str) -> None:
    """It would be copied into the record, and published: a file of the machine under the name of an answer."""
    secret, planted = tmp_path / "secret", tmp_path / "out" / "model.onnx"
    secret.write_text("token")
    planted.parent.mkdir()
    {"link": lambda: planted.symlink_to(secret), "second name": lambda: planted.hardlink_to(secret)}.get(
        kind, lambda: os.mkfifo(planted)
    )()

    with pytest.raises(ConversionFailed, match=r"left `model\.onnx`, which is no file of its own"):
        endings.refuse_all_but_files(planted.parent)


def test_plain_outputs_pass(tmp_path: Path) -> None:
    """The harmless twin of the above."""
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    (tmp_path / "process").mkdir()

    endings.refuse_all_but_files(tmp_path)


def test_a_log_without_an_end_is_read_from_its_end_only(tmp_path: Path) -> None:
    """A process that prints for ten minutes must not fill our memory with what it said."""
    with pytest.raises(ConversionFailed, match="the last line") as raised:
        _run(tmp_path, "sys.stdout.write('x' * (8 << 20) + '\\n'); print('the last line'); sys.exit(3)")

    assert len(str(raised.value)) < 1 << 17
