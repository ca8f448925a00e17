"""A window of production in one HTML file: the verdict first, then everything that it rests on.

As the report of a story, the file holds all that it shows, and asks no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from slipway.domain.incident import HeldTo, IncidentVerdicts, IssueFiled, Outcome, Reversion, WindowEvidence
from slipway.maths.named_metrics import BY_NAME, foremost
from slipway.reports import plots, rendering
from slipway.reports.incident_issue import advice, answer_to, foremost_of, history, incident_title, largest_drift

_POLICY_LIMIT = 0.15  # of windows that were judged before their limits were kept


@dataclass(frozen=True, slots=True)
class WindowReport:
    """Pages of a window; `measured_at` is in ISO 8601, `web` the repository in a browser, None where it has none."""

    evidence: WindowEvidence
    verdicts: IncidentVerdicts
    issue: IssueFiled | None = None
    reversion: Reversion | None = None
    measured_at: str = ""
    web: str | None = None


def window_html(report: WindowReport) -> str:
    """One HTML file, with everything inside of it."""
    evidence, verdicts = report.evidence, report.verdicts
    return rendering.html(
        "window_report",
        report=report,
        evidence=evidence,
        window=evidence.window,
        title=incident_title(evidence, verdicts, reversion=report.reversion),
        advice=advice(evidence, verdicts, report.reversion),
        quiet=verdicts.outcome is Outcome.QUIET,
        answers=[(one, answer_to(one)) for one in verdicts.findings],
        limits={one.feature: one for one in verdicts.limits},
        metric=foremost(evidence.decision),
        named=BY_NAME,
        history=history(evidence),
        foremost_of=foremost_of,
        largest_drift=largest_drift,
        drift=_drift(evidence, {one.feature: one for one in verdicts.limits}),
        curve=_curve(evidence, verdicts),
    )


def _drift(evidence: WindowEvidence, limits: Mapping[str, HeldTo]) -> Markup | None:
    """All windows beside the limits of the newest, by which it was judged."""
    windows = (*evidence.earlier, evidence.window)
    own = {feature: one.distance for feature, one in limits.items()}
    drawn = plots.drift_by_feature(
        windows,
        limits={window.end: own for window in windows},
        limit=min(own.values(), default=_POLICY_LIMIT),
        label="Bars: drift of each feature, window by window",
    )
    return _safe(drawn)


def _curve(evidence: WindowEvidence, verdicts: IncidentVerdicts) -> Markup | None:
    windows, metric = (*evidence.earlier, evidence.window), foremost(evidence.decision)
    limits = {} if verdicts.metric_limit is None else {evidence.window.version: verdicts.metric_limit}
    return _safe(
        plots.metric_over_time(windows, metric=metric, limits=limits, label=f"Lines: {metric.title} over time")
    )


def _safe(plot: str | None) -> Markup | None:
    """The plots escape what users wrote: Vega for letters, `plots` for its own attributes."""
    return None if plot is None else Markup(plot)  # noqa: S704
