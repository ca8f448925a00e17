"""Tell people: one issue for what the watch found, or for a release that was refused. Recovery closes it."""

from __future__ import annotations

import logging

from slipway.adapters.forge import Forge, Issue
from slipway.adapters.records import Record
from slipway.domain.incident import IncidentVerdicts, IssueAction, IssueFiled, Outcome, Reversion, WindowEvidence
from slipway.domain.pages import Page
from slipway.domain.release import Identity, Verdicts
from slipway.domain.verdict import Verdict
from slipway.reports.incident_issue import incident_body, incident_title
from slipway.reports.refusal import refused_release_issue, refused_release_title

log = logging.getLogger(__name__)

_STATUS = "slipway/release"


def run_on_window(record: Record, *, forge: Forge) -> Page[IssueFiled]:
    """Open the issue of an incident, update it, or close it after recovery; and write the page `issue`."""
    evidence = record.page(WindowEvidence, written_by="measure-drift")
    verdicts = record.page(IncidentVerdicts, written_by="judge")
    reversion = record.latest(Reversion)
    reads = {
        "window": evidence.key,
        "verdicts": verdicts.key,
        "reversion": reversion.key if reversion else "none",
    }
    return record.once(
        IssueFiled,
        reads=reads,
        make=lambda: _tell(evidence.body, verdicts.body, reversion.body if reversion else None, forge),
    )


def run_on_release(record: Record, *, forge: Forge) -> Page[IssueFiled]:
    """Open one issue to the tagger of a release that failed, and mark its commit; a release that passed closes it."""
    identity = record.page(Identity, written_by="resolve-tag").body
    verdicts = record.page(Verdicts, written_by="judge")
    return record.once(
        IssueFiled, reads={"verdicts": verdicts.key}, make=lambda: _tell_tagger(identity, verdicts.body, forge)
    )


def label_of(model: str, environment: str) -> str:
    """What the one open issue of a model and environment is found by."""
    return f"slipway:{environment}/{model}"


def _tell(
    evidence: WindowEvidence, verdicts: IncidentVerdicts, reversion: Reversion | None, forge: Forge
) -> IssueFiled:
    label = label_of(evidence.model, evidence.environment)
    there = next(iter(forge.open_issues(label)), None)
    title = incident_title(evidence, verdicts)
    if verdicts.outcome is Outcome.QUIET:
        return _close(there, evidence, title, forge)
    body = incident_body(evidence, verdicts, reversion=reversion)
    if there is None:
        log.info("opening an issue: %s", title)
        issue = forge.open_issue(title=title, body=body, labels=("slipway", label))
        return IssueFiled(incident=verdicts.incident, number=issue.number, action=IssueAction.OPENED, title=title)
    forge.update_issue(there.number, title=title, body=body)
    return IssueFiled(incident=verdicts.incident, number=there.number, action=IssueAction.UPDATED, title=title)


def _close(there: Issue | None, evidence: WindowEvidence, title: str, forge: Forge) -> IssueFiled:
    if there is None:
        return IssueFiled(incident=None, number=None, action=IssueAction.NONE, title=title)
    window = evidence.window
    forge.close_issue(
        there.number, comment=f"{window.version} was quiet from {window.start} to {window.end}: closed by the watch."
    )
    return IssueFiled(
        incident=evidence.open_incident, number=there.number, action=IssueAction.CLOSED, title=there.title
    )


def _tell_tagger(identity: Identity, verdicts: Verdicts, forge: Forge) -> IssueFiled:
    label = f"slipway:{identity.tag}"
    there = next(iter(forge.open_issues(label)), None)
    title = refused_release_title(identity, verdicts)
    if verdicts.verdict is not Verdict.FAIL:
        forge.set_status(identity.commit, context=_STATUS, state="success", description=f"{identity.tag}: passed")
        if there is not None:
            forge.close_issue(there.number, comment=f"{identity.tag} passes now.")
        return IssueFiled(
            incident=None,
            number=there.number if there else None,
            action=IssueAction.CLOSED if there else IssueAction.NONE,
            title=title,
        )
    forge.set_status(identity.commit, context=_STATUS, state="failure", description=title)
    body = refused_release_issue(identity, verdicts)
    if there is not None:
        forge.update_issue(there.number, title=title, body=body)
        return IssueFiled(incident=None, number=there.number, action=IssueAction.UPDATED, title=title)
    issue = forge.open_issue(title=title, body=body, labels=("slipway", label))
    return IssueFiled(incident=None, number=issue.number, action=IssueAction.OPENED, title=title)
