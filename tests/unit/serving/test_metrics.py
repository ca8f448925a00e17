"""Counts for Prometheus."""

from __future__ import annotations

from serving.metrics import Metrics


def test_two_servers_of_one_process_count_apart() -> None:
    """The library's default registry is global: a second server would fail on names that are taken."""
    first, second = (Metrics(model="flight-delay", version=version) for version in ("v1.0.0", "v1.1.0"))
    first.unknown_inputs.inc(3)

    assert b"slipway_unknown_inputs_total 3.0" in first.text()
    assert b"slipway_unknown_inputs_total 0.0" in second.text()
    assert b'slipway_model{model="flight-delay",version="v1.1.0"} 1.0' in second.text()


def test_each_cause_is_counted_from_zero_on() -> None:
    """A count that begins with one is no increase, so that the first error of a server would alert nobody."""
    metrics = Metrics(model="flight-delay", version="v1.0.0")
    before = metrics.text()
    metrics.failed("model_failed")
    metrics.log_dropped(3, "full")

    for name in ('slipway_errors_total{cause="model_failed"}', 'slipway_log_rows_dropped_total{cause="full"}'):
        assert f"{name} 0.0\n".encode() in before
    for name in ('slipway_requests_total{code="503"}', 'slipway_log_failures_total{cause="gone"}'):
        assert f"{name} 0.0\n".encode() in before
    assert len(metrics.text().splitlines()) == len(before.splitlines())
