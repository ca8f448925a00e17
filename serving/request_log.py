"""The served log: what was asked and answered, as Parquet by date, written beside the requests.

    <directory>/date=2013-08-01/v1.1.0-<writer>-000001.parquet
    request_id · row · time (UTC) · version · a column an input · a column an output

A request only ever puts its arrays into a bounded queue; a thread writes them. Where the disk cannot keep up,
rows are dropped and counted, since a late answer costs a client more than a missing line costs the watch.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from serving.errors import CannotStart
from serving.metrics import Metrics
from serving.tensors import Array, Batch, TensorSpecification

log = logging.getLogger(__name__)

OWN_COLUMNS = ("request_id", "row", "time", "version")
_TIME = pa.timestamp("us", tz="UTC")
_ARROW = {
    "FP16": pa.float32(),  # each fits, and readers of Parquet know it
    "FP32": pa.float32(),
    "FP64": pa.float64(),
    "INT8": pa.int8(),
    "INT16": pa.int16(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "UINT8": pa.uint8(),
    "UINT16": pa.uint16(),
    "UINT32": pa.uint32(),
    "UINT64": pa.uint64(),
    "BOOL": pa.bool_(),
    "BYTES": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Served:
    """One answered request; `times` are microseconds since 1970 in UTC, one a row."""

    request_id: str
    times: Sequence[int]
    values: Batch

    @property
    def rows(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class LogLimits:
    """When a file is written, and how many rows may wait for it."""

    rows_a_file: int = 50_000
    seconds_a_file: float = 5.0
    waiting_rows: int = 500_000


class RequestLog:
    """Takes requests from the server's thread and writes them from its own."""

    def __init__(
        self,
        directory: Path,
        *,
        version: str,
        columns: Mapping[str, TensorSpecification],
        metrics: Metrics,
        limits: LogLimits | None = None,
    ) -> None:
        taken = [name for name in OWN_COLUMNS if name in columns]
        if taken:
            raise CannotStart(
                f"the model calls a tensor `{taken[0]}`, as the served log calls a column of its own",
                mend="rename the tensor, or start without --served-log",
            )
        self._directory = directory
        self._version = version
        self._columns = columns
        self._metrics = metrics
        self._limits = limits or LogLimits()
        self._queue: queue.SimpleQueue[Served | threading.Event | None] = queue.SimpleQueue()
        self._waiting_rows = 0
        self._lock = threading.Lock()
        self._writer_name = f"{version}-{uuid.uuid4().hex[:12]}"
        self._files = 0
        self._thread = threading.Thread(target=self._write_until_closed, name="served-log", daemon=True)
        self._thread.start()

    def record(self, served: Served) -> None:
        """Hand one request over; drops and counts it where too many rows wait already."""
        with self._lock:
            full = self._waiting_rows + served.rows > self._limits.waiting_rows
            if not full:
                self._waiting_rows += served.rows
        if full:
            self._metrics.log_rows_dropped.inc(served.rows)
        else:
            self._queue.put(served)

    def flush(self) -> None:
        """Return when everything that was recorded before is on disk."""
        written = threading.Event()
        self._queue.put(written)
        written.wait()

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _write_until_closed(self) -> None:
        waiting: list[Served] = []
        deadline = float("inf")
        while True:
            item = self._next(deadline)
            if isinstance(item, Served):
                waiting.append(item)
                deadline = min(deadline, time.monotonic() + self._limits.seconds_a_file)
            due = not isinstance(item, Served) or sum(one.rows for one in waiting) >= self._limits.rows_a_file
            if due or time.monotonic() >= deadline:
                self._write(waiting)
                waiting, deadline = [], float("inf")
            if isinstance(item, threading.Event):
                item.set()
            if item is None:
                return

    def _next(self, deadline: float) -> Served | threading.Event | None:
        """The next item, or at the deadline an event that nobody waits for."""
        seconds = max(0.0, deadline - time.monotonic())
        try:
            return self._queue.get(timeout=None if seconds == float("inf") else seconds)
        except queue.Empty:
            return threading.Event()

    def _write(self, waiting: list[Served]) -> None:
        if not waiting:
            return
        rows = sum(served.rows for served in waiting)
        try:
            for day, table in _by_date(self._table(waiting)):
                self._publish(table, day)
            self._metrics.log_rows_written.inc(rows)
        except Exception:  # a full disk must not end the log for good
            log.exception("could not write %d rows of the served log", rows)
            self._metrics.log_rows_dropped.inc(rows)
        with self._lock:
            self._waiting_rows -= rows

    def _table(self, waiting: list[Served]) -> pa.Table:
        columns: dict[str, pa.Array] = {
            "request_id": pa.array([served.request_id for served in waiting for _ in served.times], pa.string()),
            "row": pa.array(np.concatenate([np.arange(served.rows, dtype=np.int32) for served in waiting])),
            "time": pa.array([moment for served in waiting for moment in served.times], _TIME),
        }
        columns["version"] = pa.array([self._version] * len(columns["row"]), pa.string())
        for name, specification in self._columns.items():
            columns[name] = _column(specification, [(served.values.get(name), served.rows) for served in waiting])
        return pa.table(columns)

    def _publish(self, table: pa.Table, day: date) -> None:
        """Write one file under a name that readers skip, then give it its own."""
        self._files += 1
        folder = self._directory / f"date={day.isoformat()}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._writer_name}-{self._files:06d}.parquet"
        pq.write_table(table, folder / f".{name}.part")
        (folder / f".{name}.part").replace(folder / name)


def _column(specification: TensorSpecification, parts: Iterable[tuple[Array | None, int]]) -> pa.Array:
    """One value a row; a list a row where the tensor is wider; null where it has no row for each row asked."""
    arrow = _ARROW[specification.kind.datatype]
    wide = np.prod(specification.shape[1:]) != 1
    kind = pa.list_(arrow) if wide else arrow
    chunks = []
    for array, rows in parts:
        if array is None or array.ndim == 0 or len(array) != rows:
            chunks.append(pa.nulls(rows, kind))
        elif wide:
            chunks.append(pa.array(array.reshape(rows, -1).tolist(), kind))
        else:
            chunks.append(pa.array(array.reshape(rows), kind))
    return pa.chunked_array(chunks, kind)


def _by_date(table: pa.Table) -> Iterable[tuple[date, pa.Table]]:
    days = np.asarray(table["time"].cast(pa.int64())) // 86_400_000_000
    for day in np.unique(days):
        rows = table if (days == day).all() else table.filter(pc.equal(pa.array(days), int(day)))
        yield date(1970, 1, 1) + timedelta(days=int(day)), rows
