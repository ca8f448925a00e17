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
