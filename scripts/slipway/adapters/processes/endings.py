"""How a process that ran a team's model ended, and what it left: all of it may be forged, so it is read with care."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from slipway import errors
from slipway.adapters.processes import bounded_process
from slipway.errors import ConversionFailed, SlipwayError

LOOK_FOR_CODE = "look for code in the model that ends the process or writes its result"
_SMALLER = "make the model or its samples smaller"
_TAIL_LINES = 15
_TAIL_BYTES = 1 << 16
_MOST_RESULT = 16 << 20  # bytes
_GIB = 1 << 30


def failure(
    code: int | None, log: IO[bytes], *, seconds: float, cpu_seconds: int, file_bytes: int, memory_bytes: int | None
) -> ConversionFailed:
    """The error for an exit code (None: time ran out), with the last words of the log and a mend for that end."""
    words = last_words(log)
    if code is None:
        problem = f"did not end within {seconds:g} s and was stopped"
        mend = f"look for an endless loop or a wait in what the model runs; else {_SMALLER}"
    elif code == -signal.SIGXCPU:
        problem, mend = f"used more than {cpu_seconds} s of CPU", f"{_SMALLER}: a release takes no more computing"
    elif code == bounded_process.OUT_OF_MEMORY or "bad_alloc" in words:
        most = f" of the {memory_bytes / _GIB:g} GiB that it may have" if memory_bytes else ""
        problem, mend = f"ran out of memory{most}", _SMALLER
    elif code == -signal.SIGKILL:
        problem = "ran out of memory of the machine, whose system killed it"
        mend = f"use a machine with more memory, or {_SMALLER}"
    elif code in (bounded_process.FILE_TOO_LARGE, -signal.SIGXFSZ) or "File too large" in words:
        problem = f"wrote a file of more than {file_bytes / _GIB:g} GiB (File too large)"
        mend = "leave out what the model writes when it is loaded or asked; an ONNX file may have 1 GiB"
    elif code == bounded_process.TOO_MANY_PROCESSES:
        problem = "started more processes or threads than it may"
        mend = "leave out what the model starts: it is asked with one thread"
    elif code < 0:
        problem, mend = f"crashed ({signal.Signals(-code).name})", "load and ask the source in its framework alone"
    else:
        problem, mend = f"failed (exit code {code})", "load and ask the source in its framework alone"
    return _failed(problem, words, log.name, mend=mend)


def left_behind(count: int, log: IO[bytes]) -> ConversionFailed:
    return _failed(
        f"ended and left {count} others running, which were stopped",
        last_words(log),
        log.name,
        mend="let the model's code wait for what it starts",
    )


def answer(result: Path, log: IO[bytes]) -> Any:
    """The JSON in `result`.

    Raises:
        ConversionFailed: it is no such file, or too large.
        SlipwayError: the one that the worker reports there.
    """
    try:
        found = json.loads(_content(result))
    except (OSError, ValueError, RecursionError) as error:
        raise _failed("ended without a result", last_words(log), log.name, mend=LOOK_FOR_CODE) from error
    if isinstance(found, dict) and "refused" in found:
        raise _reported(found)
    return found


def refuse_all_but_files(folder: Path) -> None:
    """Say no to links, pipes and second names: who reads them later would read a file of the machine.

    Raises:
        ConversionFailed: `folder` holds one.
    """
    for path in folder.iterdir():
        found = path.lstat()
        if not (stat.S_ISREG(found.st_mode) and found.st_nlink == 1) and not stat.S_ISDIR(found.st_mode):
            raise ConversionFailed(
                f"the model's process left `{path.name}`, which is no file of its own", mend=LOOK_FOR_CODE
            )


def _content(path: Path) -> bytes:
    """Of a plain file: the worker could have left a pipe, which never ends, or a link to what it may not read."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_RESULT:
            raise ValueError("no file, or too large")
        return file.read(_MOST_RESULT)


def _reported(answer: Mapping[str, Any]) -> SlipwayError:
    """The error that the worker met; only classes of ours, since the worker runs code of others."""
    return errors.refused(answer) or ConversionFailed(str(answer.get("problem")), mend=str(answer.get("mend")))


def _failed(problem: str, words: str, log_name: str, *, mend: str) -> ConversionFailed:
    return ConversionFailed(f"the model's process {problem}; its last words, from {log_name}:\n{words}", mend=mend)


def last_words(log: IO[bytes]) -> str:
    """Read from the handle that was opened before: under its name may lie something else by now."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
    lines = log.read().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (none)"
