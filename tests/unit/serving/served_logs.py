"""A served log of a model, and requests for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset

from serving.inference import Model
from serving.log_rows import Rows
from serving.log_targets import Folder, Target
from serving.metrics import Metrics
from serving.request_log import LogLimits, RequestLog
from serving.served import Encoding, Served, Weight

NEVER = LogLimits(seconds_a_file=10_000.0)


def open_log(
    model: Model,
    target: Path | Target,
    metrics: Metrics,
    limits: LogLimits = NEVER,
    encoding: Encoding | None = None,
) -> RequestLog:
    return RequestLog(
        Folder(target) if isinstance(target, Path) else target,
        version="v1.1.0",
        encoding=encoding or Rows(version="v1.1.0", columns={**model.inputs, **model.outputs}),
        weight=Weight.of(model.inputs, model.outputs),
        metrics=metrics,
        limits=limits,
    )


def served(request_id: str, *times: int, **values: Any) -> Served:
    """A request to the model `late`, and its answer."""
    rows = len(times)
    usual: dict[str, Any] = {
        "hour": np.arange(rows, dtype=np.float32).reshape(-1, 1),
        "carrier": np.array([["AA"]] * rows, dtype=object),
        "p_late": np.full((rows, 1), 0.5, dtype=np.float32),
        "airline": np.array([["AA"]] * rows, dtype=object),
    }
    return Served(request_id, times, usual | values)


def rows_of(directory: Path) -> Any:
    return pyarrow.dataset.dataset(directory, partitioning="hive").to_table()
