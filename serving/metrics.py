"""What the server counts, in the text format of Prometheus."""

from __future__ import annotations

from functools import cache
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from serving.causes import NotLogged, NotStored, Unanswered

# One row of a small model takes 60 µs, 50,000 rows about a second.
_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_CODES = (200, 400, 413, 415, 500, 503)  # of infer requests
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


class Metrics:
    """One registry a server, so that tests and swaps never share counts."""

    def __init__(self, *, model: str, version: str) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter("slipway_requests", "infer requests, by status", ["code"], registry=registry)
        self._errors = Counter("slipway_errors", "Requests without an answer, by cause", ["cause"], registry=registry)
        self.seconds = Histogram("slipway_request_seconds", "infer time", registry=registry, buckets=_SECONDS)
        self.in_flight = Gauge("slipway_requests_in_flight", "infer requests being read or run", registry=registry)
        self.batch_rows = Histogram("slipway_batch_rows", "Rows a request", registry=registry, buckets=_ROWS)
        self.rows = Counter("slipway_rows", "Rows answered", registry=registry)
        self.unknown_inputs = Counter(
            "slipway_unknown_inputs", "Inputs that the model does not have, ignored", registry=registry
        )
        self.log_rows_written = Counter("slipway_log_rows_written", "Rows in the served log", registry=registry)
        self._log_rows_dropped = Counter(
            "slipway_log_rows_dropped", "Rows that the served log lost, by cause", ["cause"], registry=registry
        )
        self._log_failures = Counter(
            "slipway_log_failures", "Tries to store a file of the served log that failed", ["cause"], registry=registry
        )
        self.log_waiting_bytes = Gauge("slipway_log_waiting_bytes", "Of rows not stored yet", registry=registry)
        info = Gauge("slipway_model", "The model that is served", ["model", "version"], registry=registry)
        info.labels(model=model, version=version).set(1)
        ProcessCollector(registry=registry)
        self._begin_at_zero()
        self._requests_by_code = cache(lambda code: self._requests.labels(code=code))  # looking a label up takes 1 µs

    def _begin_at_zero(self) -> None:
        for code in _CODES:
            self._requests.labels(code=code)
        for counter, causes in (
            (self._errors, Unanswered),
            (self._log_rows_dropped, NotLogged),
            (self._log_failures, NotStored),
        ):
            for cause in get_args(causes):
                counter.labels(cause=cause)

    def answered(self, status: int, seconds: float) -> None:
        self._requests_by_code(status).inc()
        self.seconds.observe(seconds)

    def failed(self, cause: Unanswered) -> None:
        self._errors.labels(cause=cause).inc()

    def log_dropped(self, rows: int, cause: NotLogged) -> None:
        if rows:
            self._log_rows_dropped.labels(cause=cause).inc(rows)

    def log_failed(self, cause: NotStored) -> None:
        self._log_failures.labels(cause=cause).inc()

    def add(self, collector: Collector) -> None:
        self._registry.register(collector)

    def text(self) -> bytes:
        return generate_latest(self._registry)
