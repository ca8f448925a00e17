"""How onnxruntime loads files, and what that takes: `python -m slipway.adapters.onnx_loading FILE …` tells as JSON.

The files take turns, and each is loaded in a process of its own, since memory that another model gave back would be
used again and not be seen. These processes are forked from one that has imported onnxruntime, so that a load costs
little more than the load. A line is written for each: the number of its file, `seconds`, and `memory`.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

_LEAST, _MOST = 5, 25  # rounds: how far they differ says how sure the time is
_ENOUGH = 0.2  # seconds of rounds, a file: what loads faster is loaded again, for a steadier time
_RESIDENT, _PEAK = (re.compile(rf"^{key}:\s+(\d+) kB$", re.MULTILINE) for key in ("VmRSS", "VmHWM"))
# A model that answers what it is asked: x, shape [N]. onnx's own library would take longer to load than a model does.
_EMPTY = (
    b'\x08\x08:9\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x10\n\x01x\x12\x0b\n\t\x08\x01\x12\x05\n\x03\x12\x01N'
    b"b\x10\n\x01y\x12\x0b\n\t\x08\x01\x12\x05\n\x03\x12\x01NB\x04\n\x00\x10\x11"
)


def session_options(*, optimise: bool = True) -> Any:
    """One thread and a fixed order, so that one row has one answer on a machine; spinning would starve the others."""
    level = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_DISABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # only what ends the process: all else is raised
    return options


def tell(paths: Sequence[Path]) -> None:
    """Load each in turn, at least five times; each round begins with another. One that cannot be loaded is left out."""
    empty = _session(_EMPTY)
    _read(paths)
    there, resident, ends = list(enumerate(paths)), _bytes(_RESIDENT), time.monotonic() + _ENOUGH * len(paths)
    for number in range(_MOST):
        first = number % max(1, len(there))
        for one in (*there[first:], *there[:first]):
            if not _in_a_process_of_its_own(*one, resident=resident):
                there.remove(one)
        if number + 1 >= _LEAST and time.monotonic() > ends:
            break
    del empty


def _read(paths: Sequence[Path]) -> None:
    """So that no load waits for the disk: the first would, and those of the same file after it would not."""
    for path in paths:
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass


def _in_a_process_of_its_own(place: int, path: Path, *, resident: int | None) -> bool:
    """Whether it could be loaded. `resident` is the memory of a process that has loaded an empty model."""
    if (child := os.fork()) == 0:
        code = 1
        try:
            told = {"file": place, **_load(path, resident=resident)}
            os.write(sys.stdout.fileno(), json.dumps(told).encode() + b"\n")
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _load(path: Path, *, resident: int | None) -> dict[str, Any]:
    """`memory` in bytes, at its peak: what an empty model takes, and what this one takes beyond one.

    A forked process shares code with its parent that it has not used yet, and would look smaller than one that was
    started; so it loads the empty model first, as its parent did.
    """
    empty = _session(_EMPTY)
    gc.collect()
    before = _bytes(_RESIDENT)
    started = time.perf_counter()
    loaded = _session(str(path))
    seconds, peak = time.perf_counter() - started, _bytes(_PEAK)
    del empty, loaded
    if resident is None or before is None or peak is None:
        return {"seconds": seconds, "memory": None}
    return {"seconds": seconds, "memory": resident + max(0, peak - before)}


def _session(model: str | bytes) -> Any:
    return onnxruntime.InferenceSession(model, session_options(), providers=["CPUExecutionProvider"])


def _bytes(of: re.Pattern[str]) -> int | None:
    """Of this process; None where the system has no /proc."""
    try:
        found = of.search(Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


if __name__ == "__main__":
    tell([Path(argument) for argument in sys.argv[1:]])
