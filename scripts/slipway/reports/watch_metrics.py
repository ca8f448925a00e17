"""What `slipway export-watch` writes: the watch's last word on each deployed model, in the text format of Prometheus.

All are gauges: each export tells the present state, and what is not told any more is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from slipway.domain.incident import Outcome, Window
from slipway.domain.verdict import Verdict
from slipway.domain.watched import Watched, WatchExport

_PLACE = ("environment", "model")


def watch_metrics(export: WatchExport) -> bytes:
    """One sample a fact, ordered by environment and model; what was not measured has none."""
    registry = CollectorRegistry()
    registry.register(_Told(export))
    return generate_latest(registry)


class _Told(Collector):
    """An export, as the registry of Prometheus' client asks for it."""

    def __init__(self, export: WatchExport) -> None:
        self._export = export

    def collect(self) -> Iterable[Metric]:
        watched = self._export.watched
        yield _gauge(
            "slipway_export_timestamp_seconds", "When this was written", [((), self._export.made_at.timestamp())]
        )
        yield _gauge(
            "slipway_heartbeat_timestamp_seconds",
            "Begin of the day on which a daily workflow ran last",
            (((workflow,), _begin_of(day)) for workflow, day in sorted(self._export.heartbeats.items())),
            "workflow",
        )
        yield _gauge(
            "slipway_deployed",
            "What the manifests deploy",
            (((*_place(one), one.version), 1.0) for one in watched),
            *_PLACE,
            "version",
        )
        yield from _verdicts(watched)
        yield from _windows([(_place(one), one.window) for one in watched if one.window is not None])
        yield _limits(watched)
        yield from _canaries(watched)


def _canaries(watched: Iterable[Watched]) -> Iterator[Metric]:
    """Nothing of a team that has none: no name of these is told then."""
    trying = [((*_place(one), one.canary), one.canary_told) for one in watched if one.canary is not None]
    if not trying:
        return
    told = [(place, judged) for place, judged in trying if judged is not None]
    labels = (*_PLACE, "version")
    yield _gauge("slipway_canary", "What has a share of the traffic", ((place, 1.0) for place, _ in trying), *labels)
    yield _gauge(
        "slipway_canary_verdict",
        "1 for what was judged of it last, 0 for all else",
        (((*place, str(one)), float(judged.verdict is one)) for place, judged in told for one in Verdict),
        *labels,
        "verdict",
    )
    yield _gauge(
        "slipway_canary_rows", "Rows that it answered", ((place, float(judged.rows)) for place, judged in told), *labels
    )
    yield _gauge(
        "slipway_canary_rows_needed",
        "Rows that its policy asks for",
        ((place, float(judged.rows_needed)) for place, judged in told),
        *labels,
    )
    yield _gauge(
        "slipway_canary_share",
        "Share of the rows that it answered of those of both versions, 0 to 1",
        ((place, judged.share) for place, judged in told if judged.share is not None),
        *labels,
    )


def _verdicts(watched: Iterable[Watched]) -> Iterator[Metric]:
    judged = [one for one in watched if one.outcome is not None]
    yield _gauge(
        "slipway_watch_outcome",
        "1 for what the watch says that is to be done, 0 for all else",
        (((*_place(one), str(outcome)), float(one.outcome is outcome)) for one in judged for outcome in Outcome),
        *_PLACE,
        "outcome",
    )
    yield _gauge(
        "slipway_watch_findings",
        "Findings of the open incident; those in audit say so in their verdict",
        (
            ((*_place(one), *key), float(count))
            for one in judged
            for key, count in sorted(Counter((finding.gate, finding.in_words) for finding in one.findings).items())
        ),
        *_PLACE,
        "gate",
        "verdict",
    )


def _limits(watched: Iterable[Watched]) -> Metric:
    """With the labels of the distance, so that one can be asked beside the other."""
    windows = [(_place(one), one.window) for one in watched if one.window]
    measure_of = {(place, drift.feature): drift.measure for place, window in windows for drift in window.drift}
    return _gauge(
        "slipway_watch_drift_limit",
        "What that distance is held to: the policy's limit, or what the input does by itself where that is more",
        (
            ((*_place(one), limit.feature, measure_of[_place(one), limit.feature]), limit.distance)
            for one in watched
            for limit in one.limits
            if (_place(one), limit.feature) in measure_of
        ),
        *_PLACE,
        "feature",
        "measure",
    )


Placed = list[tuple[tuple[str, str], Window]]


def _windows(windows: Placed) -> Iterator[Metric]:
    yield _gauge(
        "slipway_watch_window_end_timestamp_seconds",
        "End of the last day of the newest window",
        ((place, _begin_of(window.end + timedelta(days=1))) for place, window in windows),
        *_PLACE,
    )
    yield _gauge(
        "slipway_watch_window_rows",
        "Rows that were served in the newest window",
        ((place, float(window.rows)) for place, window in windows),
        *_PLACE,
    )
    yield _gauge(
        "slipway_watch_window_labelled_rows",
        "Rows of the newest window that have a label",
        ((place, float(window.labelled)) for place, window in windows),
        *_PLACE,
    )
    yield _gauge(
        "slipway_watch_schema_breaks",
        "Inputs that are missing, or of another type",
        ((place, float(len(window.schema_breaks))) for place, window in windows),
        *_PLACE,
    )
    yield from _drift(windows)
    yield from _metrics(windows)


def _drift(windows: Placed) -> Iterator[Metric]:
    told = [((*place, one.feature, one.measure), one) for place, window in windows for one in window.drift]
    labels = (*_PLACE, "feature", "measure")
    yield _gauge(
        "slipway_watch_drift_distance",
        "Proven distance of an input from its reference, 0 to 1: the lower bound",
        ((place, one.low) for place, one in told),
        *labels,
    )
    yield _gauge(
        "slipway_watch_drift_distance_high",
        "The upper bound of that distance",
        ((place, one.high) for place, one in told),
        *labels,
    )
    yield _gauge(
        "slipway_watch_null_rate_change",
        "Change of the share of rows in which an input is missing",
        ((place, one.null_rate_change) for place, one in told),
        *labels,
    )


def _metrics(windows: Placed) -> Iterator[Metric]:
    told = [
        ((*place, metric), estimate)
        for place, window in windows
        if window.trailing is not None
        for metric, estimate in sorted(window.trailing.metrics.items())
        if estimate is not None
    ]
    labels = (*_PLACE, "metric")
    yield _gauge(
        "slipway_watch_metric",
        "A metric on labelled rows of the last days",
        ((place, estimate.value) for place, estimate in told),
        *labels,
    )
    yield _gauge(
        "slipway_watch_metric_low",
        "Lower end of its 95 % interval",
        ((place, estimate.low) for place, estimate in told),
        *labels,
    )
    yield _gauge(
        "slipway_watch_metric_high",
        "Upper end of its 95 % interval",
        ((place, estimate.high) for place, estimate in told),
        *labels,
    )


def _gauge(name: str, meaning: str, samples: Iterable[tuple[tuple[str, ...], float]], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _place(one: Watched) -> tuple[str, str]:
    return one.environment, one.model


def _begin_of(day: date) -> float:
    return datetime.combine(day, time(), tzinfo=UTC).timestamp()
