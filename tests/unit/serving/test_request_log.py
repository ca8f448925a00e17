"""The queue and the thread of the served log: when files are written, and what happens where they cannot be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from serving.inference import Model
from serving.metrics import Metrics
from serving.request_log import LogLimits
from serving.served import Encoded, Served, Weight
from tests.unit.serving.served_logs import NEVER, open_log, rows_of, served

PATIENCE = 60.0


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(model="flight-delay", version="v1.1.0")


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def number_of(name: str, metrics: Metrics) -> float:
    (line,) = [line for line in metrics.text().decode().splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[-1])


@dataclass
class Gate:
    """A target that takes files while it is open, and says of each other one what `failure` says."""

    failure: Exception | None = None
    hurdle: threading.Event = field(default_factory=threading.Event)
    stored: dict[str, bytes] = field(default_factory=dict)
    tries: int = 0

    def put(self, name: str, content: bytes, *, seconds: float) -> None:
        self.tries += 1
        if not self.hurdle.wait(seconds if self.failure is None else 0):
            raise self.failure or TimeoutError
        self.stored[name] = content


def test_a_flush_returns_when_the_rows_are_there(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """A watch that runs right after the traffic must see all of it."""
    log = open_log(late, tmp_path, metrics)
    log.record(served("a", 0, 0, 0))

    assert log.flush() is True
    assert rows_of(tmp_path).num_rows == 3
    assert b"slipway_log_rows_written_total 3.0" in metrics.text()
    log.close()


@pytest.mark.parametrize("limits", [LogLimits(rows_a_file=2, seconds_a_file=10_000.0), LogLimits(seconds_a_file=0.01)])
def test_a_file_is_written_at_so_many_rows_or_after_so_long(
    late: Model, tmp_path: Path, metrics: Metrics, limits: LogLimits
) -> None:
    """A quiet service must show its rows within seconds, a busy one must not keep them in memory."""
    log = open_log(late, tmp_path, metrics, limits)
    log.record(served("a", 0, 0))
    wait_for(lambda: bool(list(tmp_path.rglob("*.parquet"))))
    log.close()

    assert rows_of(tmp_path).num_rows == 2


def test_a_file_is_written_before_the_queue_is_full(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """Rows must not be lost to a limit while the target has nothing to do."""
    log = open_log(late, tmp_path, metrics, LogLimits(waiting_bytes=200_000, seconds_a_file=10_000.0))
    for number in range(500):
        log.record(served(str(number), 0))
        wait_for(lambda: number_of("slipway_log_waiting_bytes", metrics) < 150_000)
    log.close()

    assert rows_of(tmp_path).num_rows == 500
    dropped = [line for line in metrics.text().splitlines() if line.startswith(b"slipway_log_rows_dropped_total{")]
    assert dropped and all(line.endswith(b" 0.0") for line in dropped)


def test_rows_beyond_the_queue_are_dropped_and_counted(late: Model, metrics: Metrics) -> None:
    """A slow disk may cost lines of the log, never a client's time; and the loss must be visible."""
    weight = Weight.of(late.inputs, late.outputs)(served("kept", 0, 0))
    target = Gate()
    log = open_log(late, target, metrics, LogLimits(rows_a_file=1, waiting_bytes=3 * weight))
    for _ in range(3):
        log.record(served("kept", 0, 0))
    before = time.monotonic()
    log.record(served("lost", 0, 0))
    assert time.monotonic() - before < 1.0
    target.hurdle.set()
    log.flush()
    log.record(served("later", 0, 0))
    log.close()

    assert b'slipway_log_rows_dropped_total{cause="slow"} 2.0' in metrics.text()
    assert b"slipway_log_rows_written_total 8.0" in metrics.text()


def test_a_body_that_arrays_are_windows_on_counts_too(late: Model, metrics: Metrics) -> None:
    """A binary request of a row may come with megabytes that the model does not ask for, and they stay in memory."""
    request = served("a", 0)
    weight = Weight.of(late.inputs, late.outputs)

    heavy = Served(request.request_id, request.times, request.values, body_bytes=5_000_000)
    assert weight(heavy) == weight(request) + 5_000_000


@pytest.mark.parametrize("rows", [1, 100])
def test_the_weight_of_a_request_is_near_what_it_takes(late: Model, rows: int) -> None:
    """The bound on memory is only as good as this estimate."""
    import tracemalloc

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        requests = [
            served(f"request {number}", *range(number, number + rows), carrier=texts(number, rows))
            for number in range(100_000, 100_500)
        ]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    weight = Weight.of(late.inputs, late.outputs)

    assert 0.5 < sum(map(weight, requests)) / (after - before) < 2.0


def texts(number: int, rows: int) -> Any:
    return np.array([[f"carrier {number} {row}"] for row in range(rows)], dtype=object)


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (OSError(28, "No space left on device"), "full"),
        (FileNotFoundError("The specified bucket does not exist."), "gone"),
        (ConnectionRefusedError(), "gone"),
        (PermissionError("Access Denied"), "refused"),
        (TimeoutError(), "slow"),
        (ValueError(), "failed"),
    ],
)
def test_what_could_not_be_stored_is_tried_again_and_what_finds_no_room_is_put_down_to_the_cause(
    late: Model, metrics: Metrics, failure: Exception, cause: str
) -> None:
    """A full disk is mended by somebody else, who has to be told; what memory holds meanwhile is not lost."""
    weight = Weight.of(late.inputs, late.outputs)(served("kept", 0))
    target = Gate(failure=failure)
    log = open_log(late, target, metrics, LogLimits(waiting_bytes=2 * weight, seconds_a_file=10_000.0))
    log.record(served("kept", 0))
    assert log.flush() is False
    log.record(served("kept", 0))
    log.record(served("lost", 0))
    target.hurdle.set()
    assert log.flush() is True
    log.record(served("kept", 0))
    log.close()

    text = metrics.text().decode()
    assert f'slipway_log_failures_total{{cause="{cause}"}}' in text
    assert f'slipway_log_rows_dropped_total{{cause="{cause}"}} 1.0' in text
    assert "slipway_log_rows_written_total 3.0" in text
    assert "slipway_log_waiting_bytes 0.0" in text


def test_tries_come_more_and_more_rarely(late: Model, metrics: Metrics) -> None:
    """A target that is down for a night must not be asked without end, nor fill the server's own log."""
    target = Gate(failure=ConnectionRefusedError())
    log = open_log(late, target, metrics, LogLimits(seconds_a_file=0.01))
    log.record(served("a", 0))
    time.sleep(1.2)
    tries = target.tries
    target.hurdle.set()
    log.close()

    assert 2 <= tries <= 3  # at once, after half a second, after one more second
    assert len(target.stored) == 1


def test_the_end_waits_only_so_long_for_a_target_that_says_nothing(late: Model, metrics: Metrics) -> None:
    """What stops a server kills it after a while; the rows are lost either way, the exit code is not."""
    log = open_log(late, Gate(), metrics, LogLimits(closing_seconds=0.3))
    log.record(served("a", 0))
    before = time.monotonic()
    log.close()

    assert time.monotonic() - before < 5.0


def test_a_batch_that_cannot_be_written_is_dropped_and_the_next_one_is_not(
    late: Model, tmp_path: Path, metrics: Metrics
) -> None:
    """One odd request must not end the log; and what it held is no text for the server's own log."""

    @dataclass
    class Picky:
        def encode(self, batch: Sequence[Served]) -> Encoded:
            if batch[0].request_id == "odd":
                raise ValueError("secret value")
            return Encoded([], kept_back=[])

    log = open_log(late, tmp_path, metrics, encoding=Picky())
    log.record(served("odd", 0, 0))
    log.flush()
    log.record(served("even", 0))
    assert log.flush() is True
    log.close()

    assert b'slipway_log_rows_dropped_total{cause="unwritable"} 2.0' in metrics.text()
    assert b"slipway_log_waiting_bytes 0.0" in metrics.text()


def test_no_half_written_file_is_ever_seen(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """Readers list the folder at any moment: what carries the ending .parquet is whole."""
    log = open_log(late, tmp_path, metrics, LogLimits(rows_a_file=1))
    for number in range(30):
        log.record(served(str(number), 0))
        for path in tmp_path.rglob("[!.]*.parquet"):
            assert pyarrow.parquet.read_table(path).num_rows == 1
    log.close()

    assert not list(tmp_path.rglob(".*.part"))
    assert rows_of(tmp_path).num_rows == 30


def test_a_long_queue_of_small_requests_is_written_in_time_that_grows_with_it(
    late: Model, tmp_path: Path, metrics: Metrics
) -> None:
    """Ten thousand requests a second are what the server answers: the log must not look at all of them for each."""
    log = open_log(late, tmp_path, metrics, NEVER)
    before = time.process_time()
    for number in range(20_000):
        log.record(served(str(number), 0))
    log.close()

    assert rows_of(tmp_path).num_rows == 20_000
    assert time.process_time() - before < 10.0
