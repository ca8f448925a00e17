"""What the server counts, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# One row of a small model takes 60 µs, 50,000 rows about a second.
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One registry a server, so that tests and swaps never share counts."""

    def __init__(self, *, model: str, version: str) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter("slipway_requests", "infer requests, by status", ["code"], registry=registry)
        self.seconds = Histogram("slipway_request_seconds", "infer time", registry=registry, buckets=_SECONDS)
        self.rows = Counter("slipway_rows", "Rows answered", registry=registry)
        self.unknown_inputs = Counter(
            "slipway_unknown_inputs", "Inputs that the model does not have, ignored", registry=registry
        )
        self.log_rows_written = Counter("slipway_log_rows_written", "Rows in the served log", registry=registry)
        self.log_rows_dropped = Counter(
            "slipway_log_rows_dropped", "Rows that the served log lost: queue full or disk failing", registry=registry
        )
        info = Gauge("slipway_model", "The model that is served", ["model", "version"], registry=registry)
        info.labels(model=model, version=version).set(1)

    def text(self) -> bytes:
        return generate_latest(self._registry)
