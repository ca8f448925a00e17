"""What is left of a watch to be read: a report of each window, and the summary of the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.cli.printing import summarise

if TYPE_CHECKING:
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace

REPORT = "report.html"


def write_report(record: Record, place: Workplace) -> Path:
    """The report of a window that was judged, beside its pages."""
    from slipway.adapters import atomic
    from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
    from slipway.reports.window_report import WindowReport, window_html

    evidence = record.page(WindowEvidence, written_by="measure-drift")
    verdicts = record.page(IncidentVerdicts, written_by="judge")
    issue, reversion = record.latest(IssueFiled), record.latest(Reversion)
    report = WindowReport(
        evidence=evidence.body,
        verdicts=verdicts.body,
        issue=issue.body if issue else None,
        reversion=reversion.body if reversion else None,
        measured_at=evidence.circumstances.written_at,
        web=place.web,
    )
    path = record.folder / REPORT
    atomic.write(path, window_html(report).encode())
    return path


def summarise_windows(records: Sequence[tuple[str, str, Record]], place: Workplace) -> None:
    """On the run's page; each record with its environment and model."""
    from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
    from slipway.reports.watch_summary import WatchedWindow, watch_summary

    windows, not_seen = [], []
    for environment, model, record in records:
        evidence, verdicts = record.latest(WindowEvidence), record.latest(IncidentVerdicts)
        issue, reversion = record.latest(IssueFiled), record.latest(Reversion)
        if evidence is None or verdicts is None:
            not_seen.append((environment, model))
            continue
        told = (issue.body if issue else None, reversion.body if reversion else None)
        windows.append(WatchedWindow(evidence.body, verdicts.body, *told))
    summarise(watch_summary(windows, not_seen=not_seen, web=place.web))
