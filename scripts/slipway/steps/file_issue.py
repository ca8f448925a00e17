"""Tell people: one issue for what the watch found, or for a release that was refused. Recovery closes it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from slipway.adapters import failed_rollouts
from slipway.adapters.forge import LONGEST_DESCRIPTION, Forge, Issue, StatusState
from slipway.adapters.history import History
from slipway.adapters.ledger import Ledger
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain import labels
from slipway.domain.identity import Identity
from slipway.domain.incident import (
    IncidentVerdicts,
    IssueAction,
    IssueFiled,
    Outcome,
    Reversion,
    WindowEvidence,
)
from slipway.domain.pages import Page, key_of
from slipway.domain.recovery import is_back, is_over
from slipway.domain.release import Proposal, Rollout, Verdicts
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.verdict import Verdict
from slipway.reports.incident_issue import incident_body, incident_title, why_quiet, why_reopened
from slipway.reports.marker import read_marker
from slipway.reports.refusal import refused_release_issue, refused_release_title, status_description
from slipway.reports.rollout_issue import not_over, rollout_body, rollout_title, why_again, why_closed

log = logging.getLogger(__name__)

# GitHub's fourth, `error`, is never set: what could not be looked at has no verdict, and its run is red.
_STATES: dict[Verdict, StatusState] = {
    Verdict.PASS: "success",
    Verdict.NOT_ENOUGH_EVIDENCE: "pending",
    Verdict.FAIL: "failure",
}


def run_on_window(record: Record, *, forge: Forge, owners: Sequence[str] = ()) -> Page[IssueFiled]:
    """Open the issue of an incident, update it, or close it after recovery; and write the page `issue`.

    `owners` are those of the model, `@user` or `@organisation/team`: people are assigned, teams called in the text.
    """
    evidence = record.page(WindowEvidence, written_by="measure-drift")
    verdicts = record.page(IncidentVerdicts, written_by="judge")
    reversion = record.latest(Reversion)
    reads = {
        "window": evidence.key,
        "verdicts": verdicts.key,
        "reversion": reversion.key if reversion else "none",
    }
    seen = _Seen(evidence.body, verdicts.body, reversion.body if reversion else None, tuple(owners))
    return record.once(IssueFiled, reads=reads, make=lambda: _tell(record, seen, forge), is_deed=True)


def run_on_rollout(record: Record, *, workplace: Workplace, owners: Sequence[str] = ()) -> Page[IssueFiled]:
    """Open the issue of a version that was merged and does not run, or update it; and write the page `issue`.

    Closed it is as soon as what the environment is to run by then was verified, whichever version that is.
    """
    failure = record.page(RolloutFailure, written_by="verify-rollout")
    verdicts = record.page(IncidentVerdicts, written_by="judge")
    reversion, filed = record.latest(Reversion), record.latest(IssueFiled)
    told = reversion.body if reversion else None
    seen = _SeenRollout(failure.body, verdicts.body, told, tuple(owners))
    reads = {"failure": failure.key, "verdicts": verdicts.key, "reversion": reversion.key if reversion else "none"}
    verified = failed_rollouts.verified_since(failure.body, workplace)
    if verified is None or filed is None:
        filed = _file_of_rollout(record, filed, seen, workplace, reads=reads)
    if verified is None:
        return filed
    reads = {"failure": failure.key, "verified": f"{verified.digest} of {verified.commit}"}
    return record.once(
        IssueFiled, reads=reads, make=lambda: _close_rollout(filed.body, seen, verified, workplace.forge), is_deed=True
    )


def run_on_release(record: Record, *, forge: Forge, web: str | None = None) -> Page[IssueFiled]:
    """Open one issue to the tagger of a release that failed, and mark its commit; a release that passed closes it.

    `web` is the repository's address on GitHub, to which the mark and the issue link; None elsewhere.
    """
    identity = record.page(Identity, written_by="resolve-tag").body
    verdicts = record.page(Verdicts, written_by="judge")
    return record.once(
        IssueFiled,
        reads={"verdicts": verdicts.key},
        make=lambda: _tell_tagger(record, identity, verdicts.body, forge, web=web),
        is_deed=True,
    )


def context_of(model: str) -> str:
    """The name under which a tagged commit is marked: one commit may release several models."""
    return f"slipway/{model}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is to be told of a window, and whom it concerns."""

    evidence: WindowEvidence
    verdicts: IncidentVerdicts
    reversion: Reversion | None
    owners: tuple[str, ...]


def _tell(record: Record, seen: _Seen, forge: Forge) -> IssueFiled:
    evidence, verdicts, reversion = seen.evidence, seen.verdicts, seen.reversion
    label = labels.of_environment(evidence.model, evidence.environment).name
    there = next(iter(forge.open_issues(label)), None)
    before = _filed_before(record, evidence, forge)
    title = incident_title(evidence, verdicts, reversion=reversion)
    if verdicts.outcome is Outcome.QUIET and there is not None and not _is_over(there, seen):
        return IssueFiled(
            incident=evidence.open_incident, number=there.number, action=IssueAction.NONE, title=there.title
        )
    if verdicts.outcome is Outcome.QUIET:
        return _close(there, before, evidence, title, forge)
    body = incident_body(evidence, verdicts, reversion=reversion, owners=seen.owners)
    if there is not None:
        number = forge.update_issue(there.number, title=title, body=body).number
        again = record.latest(IssueFiled) is None and why_reopened(evidence) in forge.comments(number)
        new = _is_new(there, before, evidence, verdicts)  # both by a run of this window that was killed
        action = IssueAction.REOPENED if again else IssueAction.OPENED if new else IssueAction.UPDATED
    elif (closed := _to_reopen(evidence, verdicts, forge)) is not None:
        action, number = IssueAction.REOPENED, closed.number
        forge.update_issue(number, title=title, body=body)  # first: by its marker a run after this one knows it again
        forge.reopen_issue(number, comment=why_reopened(evidence))
    else:
        log.info("opening an issue: %s", title)
        action = IssueAction.OPENED
        number = forge.open_issue(title=title, body=body, labels=(labels.SLIPWAY.name, label)).number
    if action is not IssueAction.UPDATED:  # who has taken it by then, or given it back, is left alone
        forge.assign(number, seen.owners)
    return IssueFiled(incident=verdicts.incident, number=number, action=action, title=title)


def _is_over(there: Issue, seen: _Seen) -> bool:
    return is_over(seen.evidence, seen.verdicts, opened_as=read_marker(there.body).get("incident", ""))


@dataclass(frozen=True, slots=True)
class _SeenRollout:
    """What is to be told of a version that does not run, and whom it concerns."""

    failure: RolloutFailure
    verdicts: IncidentVerdicts
    reversion: Reversion | None
    owners: tuple[str, ...]


def _file_of_rollout(
    record: Record, filed: Page[IssueFiled] | None, seen: _SeenRollout, workplace: Workplace, *, reads: dict[str, str]
) -> Page[IssueFiled]:
    """Told once; where a person closed the issue and the version fails again, it is opened again once."""
    reopening = {**reads, "closed": "by hand"}
    if filed is not None and _closed_by_hand(filed.body, workplace.forge):
        reads = reopening
    elif filed is not None and filed.key == key_of(reopening):
        return filed
    body = filed.body if filed else None
    return record.once(IssueFiled, reads=reads, make=lambda: _tell_of_rollout(body, seen, workplace), is_deed=True)


def _closed_by_hand(filed: IssueFiled, forge: Forge) -> bool:
    by_us = filed.action is IssueAction.CLOSED or filed.number is None
    return not by_us and not forge.issue(filed.number or 0).open


def _tell_of_rollout(filed: IssueFiled | None, seen: _SeenRollout, workplace: Workplace) -> IssueFiled:
    failure, forge = seen.failure, workplace.forge
    label = labels.of_rollout(failure.model, failure.environment).name
    title = rollout_title(failure, seen.verdicts, reversion=seen.reversion)
    body = rollout_body(failure, seen.verdicts, reversion=seen.reversion, owners=seen.owners)
    again = why_again(failure) if filed is None else not_over(failure)
    there, last = next(iter(forge.open_issues(label)), None), forge.last_issue(label)
    if there is not None:
        number = forge.update_issue(there.number, title=title, body=body).number
        action = _what_was_done(there, filed, failure, again=again, workplace=workplace)
    elif last is not None and read_marker(last.body).get("version") == failure.version:
        action, number = IssueAction.REOPENED, last.number
        forge.update_issue(number, title=title, body=body)
        forge.reopen_issue(number, comment=again)
    else:
        log.info("opening an issue: %s", title)
        action = IssueAction.OPENED
        number = forge.open_issue(title=title, body=body, labels=(labels.SLIPWAY.name, label)).number
    if action is not IssueAction.UPDATED:
        forge.assign(number, seen.owners)
    return IssueFiled(incident=failure.incident, number=number, action=action, title=title)


def _what_was_done(
    there: Issue, filed: IssueFiled | None, failure: RolloutFailure, *, again: str, workplace: Workplace
) -> IssueAction:
    """An issue that is open was updated, unless a run opened it that was killed before it could write that down."""
    known = filed.number if filed else failed_rollouts.filed_before(failure, workplace)
    if again in workplace.forge.comments(there.number):
        return IssueAction.REOPENED
    return IssueAction.UPDATED if known == there.number else IssueAction.OPENED


def _close_rollout(filed: IssueFiled, seen: _SeenRollout, verified: Rollout, forge: Forge) -> IssueFiled:
    assert filed.number is not None  # it was opened
    forge.close_issue(filed.number, comment=why_closed(seen.failure, verified, seen.reversion))
    return IssueFiled(incident=seen.failure.incident, number=filed.number, action=IssueAction.CLOSED, title=filed.title)


def _to_reopen(evidence: WindowEvidence, verdicts: IncidentVerdicts, forge: Forge) -> Issue | None:
    """The last issue of this model and environment, where this incident belongs to it."""
    last = forge.last_issue(labels.of_environment(evidence.model, evidence.environment).name)
    if last is None or last.open:
        return None
    told = read_marker(last.body)
    back = is_back(evidence, verdicts, opened_as=told.get("incident", ""), version=told.get("version"))
    return last if back else None


def _filed_before(record: Record, evidence: WindowEvidence, forge: Forge) -> IssueFiled | None:
    """What was filed last about this incident: in this window, or else in one that the ledger has."""
    filed = record.latest(IssueFiled)
    if filed is None and evidence.open_incident is not None:
        history = History(Ledger(forge))
        filed = history.incident_page(evidence.model, evidence.environment, evidence.open_incident, IssueFiled)
    return filed.body if filed else None


def _is_new(there: Issue, before: IssueFiled | None, evidence: WindowEvidence, verdicts: IncidentVerdicts) -> bool:
    """Whether a run of this window opened it, and was killed before it could write that down."""
    told_before = before is not None and before.number == there.number
    known = before is not None or evidence.open_incident is None
    return known and not told_before and read_marker(there.body).get("incident") == verdicts.incident


def _close(
    there: Issue | None, before: IssueFiled | None, evidence: WindowEvidence, title: str, forge: Forge
) -> IssueFiled:
    """Close the incident's issue; one that was closed already, by a killed run or by a person, ends it as well."""
    if there is None and evidence.open_incident is not None and before is not None and before.number is not None:
        there = forge.issue(before.number)
    if there is None:
        return IssueFiled(incident=None, number=None, action=IssueAction.NONE, title=title)
    forge.close_issue(there.number, comment=why_quiet(evidence))
    return IssueFiled(
        incident=evidence.open_incident, number=there.number, action=IssueAction.CLOSED, title=there.title
    )


def _tell_tagger(
    record: Record, identity: Identity, verdicts: Verdicts, forge: Forge, *, web: str | None
) -> IssueFiled:
    """The issue as the verdict asks for it, then the mark of the tagged commit, which leads to what came of it."""
    there, filed = _refusal_of(identity, forge), record.latest(IssueFiled)
    title = refused_release_title(identity, verdicts)
    if verdicts.verdict is Verdict.FAIL:
        told = _refuse(there, filed, identity, verdicts, forge, web=web)
    elif verdicts.verdict is Verdict.PASS:
        told = _close_refusal(there, filed.body if filed else None, identity, title, forge)
    else:
        told = IssueFiled(incident=None, number=there.number if there else None, action=IssueAction.NONE, title=title)
    proposed = record.latest(Proposal)
    number = told.number if verdicts.verdict is Verdict.FAIL else (proposed.body.pull if proposed else None)
    forge.set_status(
        identity.commit,
        context=context_of(identity.model),
        state=_STATES[verdicts.verdict],
        description=status_description(identity, verdicts, longest=LONGEST_DESCRIPTION),
        url=f"{web}/issues/{number}" if web and number else None,  # GitHub leads on to a pull request of that number
    )
    return told


def _refuse(
    there: Issue | None,
    filed: Page[IssueFiled] | None,
    identity: Identity,
    verdicts: Verdicts,
    forge: Forge,
    *,
    web: str | None,
) -> IssueFiled:
    title, body = refused_release_title(identity, verdicts), refused_release_issue(identity, verdicts, web=web)
    if there is None:
        given = (labels.SLIPWAY.name, labels.REFUSED.name, labels.of_model(identity.model).name)
        issue = forge.open_issue(title=title, body=body, labels=given)
        return IssueFiled(incident=None, number=issue.number, action=IssueAction.OPENED, title=title)
    # The same text, and no page: a run of these verdicts opened it, and was killed before it could write that down.
    is_new = filed is None and there.body == body
    action = IssueAction.OPENED if is_new else IssueAction.UPDATED
    forge.update_issue(there.number, title=title, body=body)
    return IssueFiled(incident=None, number=there.number, action=action, title=title)


def _refusal_of(identity: Identity, forge: Forge) -> Issue | None:
    """The open issue of this tag: a label for every tag would drown all others, so its text and title are asked."""
    return next((one for one in forge.open_issues(labels.REFUSED.name) if _is_about(one, identity.tag)), None)


def _is_about(issue: Issue, tag: str) -> bool:
    """By the marker, or by the title where a person wrote below the marker."""
    return read_marker(issue.body).get("tag") == tag or issue.title.startswith(f"{tag} ")


def _close_refusal(
    there: Issue | None, filed: IssueFiled | None, identity: Identity, title: str, forge: Forge
) -> IssueFiled:
    number = there.number if there else None
    if filed is not None and filed.action in (IssueAction.OPENED, IssueAction.UPDATED):
        number = filed.number
    if number is not None:
        forge.close_issue(number, comment=f"{identity.tag} passes now.")
    action = IssueAction.NONE if number is None else IssueAction.CLOSED
    return IssueFiled(incident=None, number=number, action=action, title=title)
