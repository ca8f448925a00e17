"""Measure the window of an incident again, and see what it comes to by now. Nothing is written but scratch.

The version that ran then comes back by the digest of its image, the rows from the served log. It is judged by the
policies of then. Labels may have come since, and then the answer may be another: that is what this is for.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from slipway.adapters import git, old_policies
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryEvidence, CanaryVerdicts
from slipway.domain.incident import IncidentVerdicts, Window, WindowEvidence
from slipway.domain.pages import Page
from slipway.domain.policy import Policies
from slipway.domain.replayed import Difference, Missing, Replay, differences_between, other_verdicts
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.errors import BadFile

_OF_LABELS = ("labelled", "trailing", "previous", "arrival")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayingIncident:
    """A record to measure in, and what the ledger says of the newest window of the incident; the lists grow."""

    name: str
    record: Record
    window: Page[WindowEvidence]
    verdicts: Page[IncidentVerdicts]
    policies: Policies
    missing: list[Missing] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def prepare(name: str, *, workplace: Workplace) -> ReplayingIncident:
    """Find what was recorded of the incident `MODEL/ENVIRONMENT/ID`.

    Raises:
        BadFile: the ledger has no such incident, or nothing was measured for it, as where a person asked to go back.
        Unreachable: the forge did not answer.
    """
    git.fetch(workplace.repository.root)
    model, environment, incident = _parts(name, workplace)
    window = workplace.history.incident_page(model, environment, incident, WindowEvidence)
    verdicts = workplace.history.incident_page(model, environment, incident, IncidentVerdicts)
    if window is None or verdicts is None:
        raise BadFile(
            f"the ledger has no window of the incident {name}",
            mend="name one that the watch found: a way back that a person asked for was never measured",
        )
    record = _scratch(name, workplace)
    policies, notices = _policies(verdicts.body.policies_digest, workplace)
    return ReplayingIncident(
        name=name, record=record, window=window, verdicts=verdicts, policies=policies, notices=notices
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayingCanary:
    """As `ReplayingIncident`, of a canary whose answers were judged to be bad."""

    name: str
    record: Record
    canary: Page[CanaryEvidence]
    verdicts: Page[CanaryVerdicts]
    policies: Policies
    missing: list[Missing] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def prepare_canary(name: str, *, workplace: Workplace) -> ReplayingCanary | None:
    """What was recorded where the incident is one of a canary that ran and was worse; None where it is another.

    Raises:
        BadFile: the ledger has no such incident, or not what was measured for it.
        Unreachable: the forge did not answer.
    """
    git.fetch(workplace.repository.root)
    model, environment, incident = _parts(name, workplace)
    failure = workplace.history.incident_page(model, environment, incident, RolloutFailure)
    if failure is None or failure.body.problem is not RolloutProblem.WORSE:
        return None
    verdicts = _failed_look(failure.body, workplace)
    canary = None if verdicts is None else _read_by(verdicts, workplace)
    if canary is None or verdicts is None:
        raise BadFile(f"the ledger has not what was measured for {name}", mend="record it: slipway watch " + model)
    policies, notices = _policies(verdicts.body.policies_digest, workplace)
    record = _scratch(name, workplace)
    return ReplayingCanary(
        name=name, record=record, canary=canary, verdicts=verdicts, policies=policies, notices=notices
    )


def _failed_look(failure: RolloutFailure, workplace: Workplace) -> Page[CanaryVerdicts] | None:
    """What the incident was opened for: a canary is looked at again until it is gone, and so is one of a later time."""
    pages = workplace.history.canary_pages(failure.model, failure.environment, failure.version, CanaryVerdicts)
    of_it = [page for page in pages if (page.body.commit, page.body.seen) == (failure.commit, failure.seen)]
    return next((page for page in of_it if page.body.failed), None)


def _read_by(verdicts: Page[CanaryVerdicts], workplace: Workplace) -> Page[CanaryEvidence] | None:
    told = verdicts.body
    pages = workplace.history.canary_pages(told.model, told.environment, told.version, CanaryEvidence)
    return next((page for page in pages if page.key == verdicts.reads["canary"]), None)


def compare_canary(replaying: ReplayingCanary) -> Replay:
    """As `compare`; rows that came later on the last day count, and then numbers are of more rows than they were."""
    then, told = replaying.canary.body, replaying.verdicts.body
    now = replaying.record.page(CanaryEvidence, written_by="measure-canary").body
    verdicts = replaying.record.page(CanaryVerdicts, written_by="judge").body
    more, differences = now.window.rows - then.window.rows, list[Difference]()
    if more > 0:
        replaying.notices.append(f"{more:,} rows of its last day came since: numbers are of all of them")
    elif more == 0:
        differences += differences_between("canary", then, now)
    differences += other_verdicts(told.findings, verdicts.findings)
    otherwise = {one.page for one in differences} | {one.taken_as_recorded for one in replaying.missing}
    return Replay(
        subject=replaying.name,
        recorded=told.verdict,
        now=verdicts.verdict,
        same=tuple(page for page in ("canary", "verdicts") if page not in otherwise),
        differences=tuple(differences),
        missing=tuple(replaying.missing),
        notices=tuple(replaying.notices),
        beside=(),
    )


def take_canary_as_recorded(replaying: ReplayingCanary, now: Page[CanaryEvidence]) -> None:
    """As `take_as_recorded`."""
    then, found = replaying.canary.body.window, now.body.window
    if found.rows >= then.rows:
        return
    why = f"it holds {found.rows:,} of the {then.rows:,} rows of {then.start} to {then.end} by now"
    replaying.missing.append(Missing(what="the served log", why=why, taken_as_recorded="canary"))
    replaying.record.once(CanaryEvidence, reads=replaying.canary.reads, make=lambda: replaying.canary.body)


def take_as_recorded(replaying: ReplayingIncident, now: Page[WindowEvidence]) -> None:
    """Where rows are gone, what was measured on them stands as it was recorded, and is judged again alone."""
    then, found = replaying.window.body.window, now.body.window
    if found.rows >= then.rows:
        return
    why = f"it holds {found.rows:,} of the {then.rows:,} rows of {then.start} to {then.end} by now"
    replaying.missing.append(Missing(what="the served log", why=why, taken_as_recorded="window"))
    replaying.record.once(WindowEvidence, reads=replaying.window.reads, make=lambda: replaying.window.body)


def compare(replaying: ReplayingIncident) -> Replay:
    """Hold what was measured now against what was recorded, and the answers against those of then."""
    now = replaying.record.page(WindowEvidence, written_by="measure-drift").body.window
    verdicts = replaying.record.page(IncidentVerdicts, written_by="judge").body
    then = replaying.verdicts.body
    differences = [*_of_windows(replaying, now), *other_verdicts(then.findings, verdicts.findings)]
    if then.outcome is not verdicts.outcome:
        differences.append(Difference(page="verdicts", field="outcome", recorded=then.outcome, now=verdicts.outcome))
    otherwise = {one.page for one in differences} | {one.taken_as_recorded for one in replaying.missing}
    return Replay(
        subject=replaying.name,
        recorded=then.outcome,
        now=verdicts.outcome,
        same=tuple(page for page in ("window", "verdicts") if page not in otherwise),
        differences=tuple(differences),
        missing=tuple(replaying.missing),
        notices=tuple(replaying.notices),
        beside=(),
    )


def _scratch(name: str, workplace: Workplace) -> Record:
    model, environment, incident = name.split("/")
    record = Record(workplace.state / "replays" / environment / model / incident, subject=name)
    shutil.rmtree(record.folder, ignore_errors=True)  # nothing of an earlier replay is believed
    record.folder.mkdir(parents=True)
    return record


def _parts(name: str, workplace: Workplace) -> tuple[str, str, str]:
    parts = name.split("/")
    if len(parts) != 3 or not all(parts):
        raise BadFile(
            f"`{name}` is neither a release nor an incident",
            mend="write MODEL@vX.Y.Z, or MODEL/ENVIRONMENT/ID as the issue does",
        )
    model, environment, incident = parts
    known = workplace.history.incidents(model, environment)
    if incident not in known:
        mend = f"name one of {', '.join(known)}" if known else "slipway status tells which model has an incident"
        raise BadFile(f"the ledger has no incident {incident} of {model} in {environment}", mend=mend)
    return model, environment, incident


def _policies(digest: str, workplace: Workplace) -> tuple[Policies, list[str]]:
    """Those that the window was judged by, or those of today with the word that they are."""
    forge = workplace.forge
    found = old_policies.with_digest(digest, repository=workplace.repository, head=forge.head(forge.default_branch))
    if found is not None:
        return found, []
    return workplace.repository.policies(), [
        "no commit holds the policies that it was judged by: those of today are used"
    ]


def _of_windows(replaying: ReplayingIncident, now: Window) -> Iterator[Difference]:
    then = replaying.window.body.window
    came_since = now.labelled - then.labelled
    if came_since > 0:
        replaying.notices.append(f"{came_since:,} labels came since: what is measured on labels is measured on all")
    yield from differences_between("window", then, now, leave_out=_OF_LABELS if came_since > 0 else ())
