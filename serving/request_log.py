"""The served log: what was asked and answered, in files by date, written beside the requests.

    <target>/date=2013-08-01/v1.1.0-<writer>-000001.parquet

A request only ever puts its arrays into a queue that is bounded in bytes; a thread makes files of them and stores them.
A file that could not be stored is tried again, under the same name, while newer rows wait behind it. Where the queue is
full, rows are dropped and counted, since a late answer costs a client more than a missing line costs the watch.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
import uuid
from dataclasses import dataclass

from serving.causes import NotStored
from serving.log_targets import Target, cause_of, told
from serving.metrics import Metrics
from serving.served import Encoding, LogFile, Served, Weight

log = logging.getLogger(__name__)

_NEVER = float("inf")
_FIRST_PAUSE = 0.5  # seconds, doubled with each failure


@dataclass(frozen=True, slots=True)
class LogLimits:
    """When a file is written, how much may wait for it, and for how long anything is tried."""

    rows_a_file: int = 50_000
    seconds_a_file: float = 5.0
    waiting_bytes: int = 64 * 2**20
    seconds_a_write: float = 20.0
    longest_pause: float = 30.0  # between two tries
    closing_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request in the queue, and what it weighs there."""

    served: Served
    held_bytes: int


class _Question:
    """Asks the writer to write all that it has; `answered` once it tried, `stored` if it could."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.stored = False


class RequestLog:
    """Takes requests from the server's thread and writes them from its own."""

    def __init__(
        self,
        target: Target,
        *,
        version: str,
        encoding: Encoding,
        weight: Weight,
        metrics: Metrics,
        limits: LogLimits | None = None,
    ) -> None:
        self._target = target
        self._encoding = encoding
        self._weight = weight
        self._metrics = metrics
        self._limits = limits or LogLimits()
        self._queue: queue.SimpleQueue[_Waiting | _Question | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._held_up_by: NotStored = "slow"  # what a drop is put down to; a target that works may still be too slow
        self._writer_name = f"{version}-{uuid.uuid4().hex[:12]}"
        self._files = 0
        self._batch: list[_Waiting] = []
        self._batch_rows = self._batch_bytes = 0
        self._due = _NEVER
        self._unsent: list[tuple[str, LogFile]] = []  # made of the rows that weigh `_unsent_bytes` in the queue's bound
        self._unsent_bytes = 0
        self._pause = _FIRST_PAUSE
        self._retry = 0.0
        self._closing = _NEVER
        metrics.log_waiting_bytes.set_function(lambda: self._waiting_bytes)
        self._thread = threading.Thread(target=self._write_until_closed, name="served-log", daemon=True)
        self._thread.start()

    def record(self, served: Served) -> None:
        """Hand one request over; drops and counts it where too much waits already."""
        waiting = _Waiting(served, self._weight(served))
        with self._lock:
            full = self._waiting_bytes + waiting.held_bytes > self._limits.waiting_bytes
            if not full:
                self._waiting_bytes += waiting.held_bytes
        if full:
            self._metrics.log_dropped(served.rows, self._held_up_by)
        else:
            self._queue.put(waiting)

    def flush(self) -> bool:
        """Have everything written that was recorded before; whether it is stored."""
        question = _Question()
        self._queue.put(question)
        question.answered.wait()
        return question.stored

    def close(self) -> None:
        """Write what waits, once more where that failed, and end the thread; within `closing_seconds`."""
        self._closing = time.monotonic() + self._limits.closing_seconds
        self._queue.put(None)
        self._thread.join(self._limits.closing_seconds)
        if self._thread.is_alive():
            log.error("the served log does not end: what waited is lost, %d bytes of rows", self._waiting_bytes)

    def _write_until_closed(self) -> None:
        while True:
            item = self._next()
            if isinstance(item, _Waiting):
                self._add(item)
                self._write(at_once=False)
            else:
                self._write(at_once=item is not _WOKEN)
            if isinstance(item, _Question):
                item.stored = not self._unsent and not self._batch
                item.answered.set()
            if item is None:
                self._drop_the_rest()
                return

    def _next(self) -> _Waiting | _Question | None:
        """The next item, or `_WOKEN` when something is to be written or tried again."""
        wake = self._retry if self._unsent else self._due
        seconds = max(0.0, wake - time.monotonic())
        try:
            return self._queue.get(timeout=None if wake == _NEVER else seconds)
        except queue.Empty:
            return _WOKEN

    def _add(self, waiting: _Waiting) -> None:
        self._batch.append(waiting)
        self._batch_rows += waiting.served.rows
        self._batch_bytes += waiting.held_bytes
        self._due = min(self._due, time.monotonic() + self._limits.seconds_a_file)

    def _write(self, *, at_once: bool) -> None:
        """Store what is due, oldest first: newer rows wait behind a file that could not be stored."""
        if self._unsent and (at_once or time.monotonic() >= self._retry):
            self._send()
        if self._batch and not self._unsent and (at_once or self._is_due()):
            self._encode()
            self._send()

    def _is_due(self) -> bool:
        limits = self._limits
        much = self._batch_rows >= limits.rows_a_file or self._batch_bytes >= limits.waiting_bytes // 2
        return much or time.monotonic() >= self._due

    def _encode(self) -> None:
        batch, rows, held = [waiting.served for waiting in self._batch], self._batch_rows, self._batch_bytes
        self._batch, self._batch_rows, self._batch_bytes, self._due = [], 0, 0, _NEVER
        try:
            encoded = self._encoding.encode(batch)
        except Exception as failure:  # one odd batch must not end the log for good
            where = "".join(traceback.format_tb(failure.__traceback__))  # no message: it could hold a value
            log.error("%d rows of the served log cannot be written: %s\n%s", rows, type(failure).__name__, where)  # noqa: TRY400
            self._metrics.log_dropped(rows, "unwritable")
            self._release(held)
            return
        for served in encoded.kept_back:
            self._add(_Waiting(served, self._weight(served)))
        self._unsent = [(self._name(file), file) for file in encoded.files]
        self._unsent_bytes = held - self._batch_bytes

    def _name(self, file: LogFile) -> str:
        self._files += 1
        return f"date={file.day.isoformat()}/{self._writer_name}-{self._files:06d}{file.ending}"

    def _send(self) -> None:
        while self._unsent:
            name, file = self._unsent[0]
            try:
                self._target.put(name, file.content, seconds=self._seconds_for_a_write())
            except Exception as failure:  # of whichever library the target has
                self._held_up(failure)
                return
            self._unsent.pop(0)
            self._metrics.log_rows_written.inc(file.rows)
        self._release(self._unsent_bytes)
        self._unsent_bytes = 0
        self._held_up_by, self._pause = "slow", _FIRST_PAUSE

    def _seconds_for_a_write(self) -> float:
        return max(0.1, min(self._limits.seconds_a_write, self._closing - time.monotonic()))

    def _held_up(self, failure: Exception) -> None:
        self._held_up_by = cause_of(failure)
        self._metrics.log_failed(self._held_up_by)
        log.error("the served log is held up (%s), next try in %g s: %s", self._held_up_by, self._pause, told(failure))
        self._retry = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, self._limits.longest_pause)

    def _release(self, held: int) -> None:
        with self._lock:
            self._waiting_bytes -= held

    def _drop_the_rest(self) -> None:
        """What no try could store before the end, or what was too little for a file."""
        unsent = sum(file.rows for _, file in self._unsent)
        self._metrics.log_dropped(unsent, self._held_up_by)
        self._metrics.log_dropped(self._batch_rows, self._held_up_by if unsent else "too_few")
        if unsent + self._batch_rows:
            log.error("the served log ends without %d rows", unsent + self._batch_rows)


_WOKEN = _Question()
