"""What the page of a run shows of a watch: a row a model, then what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.domain.incident import IncidentVerdicts, IssueAction, IssueFiled, Outcome, Reversion, WindowEvidence
from slipway.reports import rendering
from slipway.reports.incident_issue import advice, answer_to, incident_title
from slipway.reports.markdown import Markdown


@dataclass(frozen=True, slots=True)
class WatchedWindow:
    evidence: WindowEvidence
    verdicts: IncidentVerdicts
    issue: IssueFiled | None = None
    reversion: Reversion | None = None


def watch_summary(
    windows: Sequence[WatchedWindow], *, not_seen: Sequence[tuple[str, str]] = (), web: str | None = None
) -> str:
    """In Markdown.

    Args:
        windows: of the models that could be looked at.
        not_seen: environment and model of those that could not.
        web: the repository's address on GitHub, where issues are found by their number; None elsewhere.
    """
    return rendering.markdown(
        "watch_summary",
        windows=[(one, _issue(one.issue, web)) for one in windows],
        not_seen=not_seen,
        found=[_found(one) for one in windows if one.verdicts.outcome is not Outcome.QUIET],
    )


def _issue(filed: IssueFiled | None, web: str | None) -> Markdown:
    """Its number as a link, for GitHub makes none of `#7` in a summary, and what was done."""
    if filed is None or filed.number is None:
        return Markdown("–")
    number = f"[#{filed.number}]({web}/issues/{filed.number})" if web else f"#{filed.number}"
    return Markdown(number if filed.action is IssueAction.NONE else f"{number} {filed.action}")


def _found(one: WatchedWindow) -> tuple[str, str, list[tuple[object, str]]]:
    """Title, advice, and each finding with its answer."""
    return (
        incident_title(one.evidence, one.verdicts, reversion=one.reversion),
        advice(one.evidence, one.verdicts, one.reversion),
        [(finding, answer_to(finding)) for finding in one.verdicts.findings],
    )
