"""What the dashboard shows: panels in rows, each with its queries. `generate_dashboard.py` writes them for Grafana."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_HERE = 'environment=~"$environment", model=~"$model"'
_JOINED = f"* on (job, instance) group_left (model, version) slipway_model{{{_HERE}}}"


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and how a line that it gives is called."""

    promql: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is one of Grafana's names, `most` the upper end of the axis; of `names` no values are shown."""

    title: str
    meaning: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Literal["timeseries", "stat", "names"] = "timeseries"
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


_SERVERS = Row(
    "Servers",
    (
        Panel(
            "What is served",
            "Each server tells which model and version it serves.",
            (
                Query(
                    f"count by (environment, model, version) (slipway_model{{{_HERE}}})",
                    "{{environment}} {{model}} {{version}}",
                ),
            ),
            kind="names",
        ),
        Panel(
            "Requests a second",
            "All that came, by version.",
            (Query(f"slipway:requests:rate5m{{{_HERE}}}", "{{environment}} {{model}} {{version}}"),),
            unit="reqps",
        ),
        Panel(
            "Failed requests",
            "Share that was answered with 5xx; what a client did wrong is none of them.",
            (Query(f"slipway:request_errors:ratio_rate5m{{{_HERE}}}", "{{environment}} {{model}} {{version}}"),),
            unit="percentunit",
            most=1,
        ),
        Panel(
            "Time of a request",
            "Median, and the slowest of 100.",
            (
                Query(f"slipway:request_seconds:p50_rate5m{{{_HERE}}}", "{{environment}} {{model}} {{version}} p50"),
                Query(f"slipway:request_seconds:p99_rate5m{{{_HERE}}}", "{{environment}} {{model}} {{version}} p99"),
            ),
            unit="s",
        ),
        Panel(
            "Requests without an answer, by cause",
            "A second. model_failed: the server's log says why; all others are told to the client.",
            (
                Query(
                    f"sum by (environment, model, cause) (rate(slipway_errors_total[$__rate_interval]) {_JOINED})",
                    "{{environment}} {{model}} {{cause}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            "Requests in flight",
            "Being read or run; above its limit a server answers 503.",
            (Query(f"slipway_requests_in_flight {_JOINED}", "{{environment}} {{model}} {{instance}}"),),
        ),
        Panel(
            "Rows a request",
            "On average.",
            (
                Query(
                    f"sum by (environment, model) (rate(slipway_batch_rows_sum[$__rate_interval]) {_JOINED})"
                    f" / sum by (environment, model) (rate(slipway_batch_rows_count[$__rate_interval]) {_JOINED})",
                    "{{environment}} {{model}}",
                ),
            ),
        ),
        Panel(
            "Memory",
            "Of the server's process.",
            (Query(f"process_resident_memory_bytes {_JOINED}", "{{environment}} {{model}} {{instance}}"),),
            unit="bytes",
        ),
        Panel(
            "Processors",
            "That the server's process keeps busy.",
            (
                Query(
                    f"rate(process_cpu_seconds_total[$__rate_interval]) {_JOINED}",
                    "{{environment}} {{model}} {{instance}}",
                ),
            ),
        ),
    ),
)
_BUCKETS = (
    f"sum by (environment, model, output, column, le) (rate(slipway_prediction_bucket[$__rate_interval]) {_JOINED})"
)
_ANSWERS = Row(
    "Answers and served log",
    (
        Panel(
            "Answers of floating point",
            "Median and highest tenth of what goes out, from buckets: a shift shows before there are labels.",
            (
                Query(f"histogram_quantile(0.5, {_BUCKETS})", "{{environment}} {{model}} {{output}} {{column}} p50"),
                Query(f"histogram_quantile(0.9, {_BUCKETS})", "{{environment}} {{model}} {{output}} {{column}} p90"),
            ),
        ),
        Panel(
            "Answers by value",
            "A second, of outputs that are classes, texts or whole numbers; the ten commonest.",
            (
                Query(
                    "topk(10, sum by (environment, model, output, value)"
                    f" (rate(slipway_predicted_values_total[$__rate_interval]) {_JOINED}))",
                    "{{environment}} {{model}} {{output}} {{value}}",
                ),
            ),
            unit="rowsps",
        ),
        Panel(
            "Served log",
            "Rows a second that were written, and that were lost by cause: what is lost is not watched.",
            (
                Query(f"rate(slipway_log_rows_written_total[$__rate_interval]) {_JOINED}", "{{instance}} written"),
                Query(
                    f"rate(slipway_log_rows_dropped_total[$__rate_interval]) {_JOINED}", "{{instance}} lost: {{cause}}"
                ),
            ),
            unit="rowsps",
        ),
    ),
)
_WATCH = Row(
    "Watch",
    (
        Panel(
            "What is to be done",
            "The watch's word on what is deployed: quiet, watch, retrain, revert or unclear.",
            (Query(f"slipway_watch_outcome{{{_HERE}}} == 1", "{{environment}} {{model}}: {{outcome}}"),),
            kind="names",
        ),
        Panel(
            "Findings of open incidents",
            "By gate; those in audit decide nothing.",
            (Query(f"slipway_watch_findings{{{_HERE}}}", "{{environment}} {{model}} {{gate}}: {{verdict}}"),),
            kind="stat",
        ),
        Panel(
            "Age of what is known",
            "Since the last day of the newest window, the last run of a schedule, the last export.",
            (
                Query(f"slipway:watch_window_age_seconds{{{_HERE}}}", "window of {{model}} in {{environment}}"),
                Query("time() - max by (workflow) (slipway_heartbeat_timestamp_seconds)", "{{workflow}}.yml"),
                Query("time() - slipway_export_timestamp_seconds", "export on {{instance}}"),
            ),
            unit="s",
        ),
        Panel(
            "Distance of inputs from the reference",
            "Kolmogorov-Smirnov or total variation, the proven lower bound; the ten largest, and what each is held to.",
            (
                Query(
                    f"topk(10, slipway_watch_drift_distance{{{_HERE}}})",
                    "{{environment}} {{model}} {{feature}} ({{measure}})",
                ),
                Query(
                    f"slipway_watch_drift_limit{{{_HERE}}} and topk(10, slipway_watch_drift_distance{{{_HERE}}})",
                    "{{environment}} {{model}} {{feature}}, limit",
                ),
            ),
            unit="percentunit",
            most=1,
        ),
        Panel(
            "Missing values",
            "Change of the share of rows in which an input is missing; the ten largest.",
            (
                Query(
                    f"topk(10, abs(slipway_watch_null_rate_change{{{_HERE}}}))", "{{environment}} {{model}} {{feature}}"
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Metrics on labelled rows",
            "With their 95 % intervals.",
            (
                Query(f"slipway_watch_metric{{{_HERE}}}", "{{environment}} {{model}} {{metric}}"),
                Query(f"slipway_watch_metric_low{{{_HERE}}}", "{{environment}} {{model}} {{metric}}, lower end"),
                Query(f"slipway_watch_metric_high{{{_HERE}}}", "{{environment}} {{model}} {{metric}}, upper end"),
            ),
        ),
        Panel(
            "Rows of the newest window",
            "Served, and of these with a label.",
            (
                Query(f"slipway_watch_window_rows{{{_HERE}}}", "{{environment}} {{model}} served"),
                Query(f"slipway_watch_window_labelled_rows{{{_HERE}}}", "{{environment}} {{model}} labelled"),
            ),
        ),
        Panel(
            "Broken inputs",
            "Inputs of the newest window that are missing, or of another type.",
            (Query(f"slipway_watch_schema_breaks{{{_HERE}}}", "{{environment}} {{model}}"),),
        ),
        Panel(
            "Alerts",
            "Of monitoring/rules.yml: all that ring now.",
            (Query('sum by (alertname) (ALERTS{alertname=~"Slipway.*", alertstate="firing"})', "{{alertname}}"),),
            kind="names",
        ),
    ),
)
_CANARY = Row(
    "Canaries",
    (
        Panel(
            "What has a share of the traffic",
            "Beside the version that answers the rest, and what was judged of it last.",
            (
                Query(f"slipway_canary{{{_HERE}}}", "{{environment}} {{model}} {{version}}"),
                Query(f"slipway_canary_verdict{{{_HERE}}} == 1", "{{environment}} {{model}} {{version}}: {{verdict}}"),
            ),
            kind="names",
        ),
        Panel(
            "Share of the rows",
            "That it answered, of those of both versions.",
            (Query(f"slipway_canary_share{{{_HERE}}}", "{{environment}} {{model}} {{version}}"),),
            unit="percentunit",
            most=1,
        ),
        Panel(
            "Rows that it answered",
            "And how many its policy asks for before it may have all of the traffic.",
            (
                Query(f"slipway_canary_rows{{{_HERE}}}", "{{environment}} {{model}} {{version}}"),
                Query(f"slipway_canary_rows_needed{{{_HERE}}}", "{{environment}} {{model}} {{version}}, needed"),
            ),
        ),
    ),
)
ROWS = (_SERVERS, _ANSWERS, _WATCH, _CANARY)
