"""A port of a pod, reached on this machine for as long as it is asked."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from slipway.adapters.rollout.kubernetes import held_process, refusals
from slipway.adapters.rollout.kubernetes.kubectl import Ended, Kubectl, no_program
from slipway.errors import Unreachable

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) -> \d+")
_LAST_SECONDS = 10.0


@contextlib.contextmanager
def forwarded(kubectl: Kubectl, pod: str, port: int, *, place: Sequence[str]) -> Iterator[str]:
    """The address, on loopback alone, at which the pod's port answers here; whatever happens, it is gone afterwards.

    Raises:
        Unreachable: nothing is forwarded within kubectl's time.
        ClusterRefused: this user may not.
    """
    words = ["port-forward", f"pod/{pod}", f":{port}", "--address=127.0.0.1", *place]
    with kubectl.command(*words) as (command, variables), tempfile.TemporaryFile() as said:
        process = _started(command, variables, said)
        try:
            yield f"http://127.0.0.1:{_port(process, said, kubectl, words)}"
        finally:
            _end(process)


def _started(command: Sequence[str], variables: dict[str, str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", str(Path(held_process.__file__)), *command],
            env=variables,
            stdin=subprocess.PIPE,  # never written to: its end tells the process that we are gone
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # a Ctrl-C ends it through us
        )
    except OSError as error:
        raise no_program(error) from error


def _port(process: subprocess.Popen[bytes], said: IO[bytes], kubectl: Kubectl, words: Sequence[str]) -> int:
    """Which port kubectl took, as its first line tells."""
    timer = threading.Timer(kubectl.seconds, _let_go, [process])
    timer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode(errors="replace")
    finally:
        timer.cancel()
    match = _FORWARDING.search(line)
    if match is not None:
        return int(match[1])
    _end(process)
    raise _not_forwarded(Ended(process.returncode, b"", _words(said)), line, kubectl, words)


def _not_forwarded(ended: Ended, line: str, kubectl: Kubectl, words: Sequence[str]) -> Exception:
    if ended.said:
        return kubectl.failure(ended, *words)
    return Unreachable(
        f"kubectl forwards nothing from {words[1]}: {refusals.bounded(line.encode()) or 'it said nothing'}",
        mend=f"roll out again; this tries it: {kubectl.shown(*words)}",
    )


def _words(said: IO[bytes]) -> str:
    said.seek(0, os.SEEK_SET)
    return refusals.bounded(said.read(100_000))


def _let_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    _let_go(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_LAST_SECONDS)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
