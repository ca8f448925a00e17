"""How onnxruntime loads a file, and what that takes: `python -m slipway.adapters.onnx_loading FILE` tells as JSON.

In a process of its own, since memory that another model gave back would be used again and not be seen. It imports
onnxruntime and little else, so that it starts at once.
"""

from __future__ import annotations

import gc
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import onnxruntime

_ENOUGH = 0.1  # seconds: what loads faster is loaded again, for a steadier time
_MOST = 20
_LEAST = 3  # loads: how far they differ says how sure the time is
_LONG = 10.0  # seconds: who loads so long is loaded no third time
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


def session_options(*, optimise: bool = True, threads: int = 1) -> Any:
    """Fixed threads and order, so that one row has one answer on a machine; spinning would starve the others."""
    level = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_DISABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # only what ends the process: all else is raised
    return options


def load(path: Path) -> dict[str, Any]:
    """`loads` in seconds, and `memory` in bytes: of the whole process, once it has loaded the file the first time."""
    seconds, session = _timed(path)
    gc.collect()
    memory, loads = _resident(), [seconds]
    while (sum(loads) < _ENOUGH and len(loads) < _MOST) or (sum(loads) < _LONG and len(loads) < _LEAST):
        loads.append(_timed(path)[0])
    del session
    return {"loads": loads, "memory": memory}


def _timed(path: Path) -> tuple[float, Any]:
    started = time.perf_counter()
    session = onnxruntime.InferenceSession(str(path), session_options(), providers=["CPUExecutionProvider"])
    return time.perf_counter() - started, session


def _resident() -> int | None:
    """Bytes; None where the system has no /proc."""
    try:
        found = _RESIDENT.search(Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(load(Path(sys.argv[1]))))
