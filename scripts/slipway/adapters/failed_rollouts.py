"""Rollouts that failed, as the ledger and this machine know them: a failure is one incident, whoever sees it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from slipway.adapters import canaries, deploy_tree, git, manifests
from slipway.adapters.records import Record
from slipway.adapters.wanted_rollouts import Wanted, wanted, wanted_canary
from slipway.adapters.workplace import Workplace
from slipway.domain.baseline import Baseline
from slipway.domain.incident import IncidentKind, IssueAction, IssueFiled
from slipway.domain.pages import key_of
from slipway.domain.release import Proposal, Rollout
from slipway.domain.rollout_failure import RolledOut, RolloutFailure, RolloutProblem, incident_id
from slipway.domain.tag import ReleaseTag, covers
from slipway.errors import BadFile

_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class RanBefore:
    """What could be gone back to, and what was told of rollouts so far, by the names of the page."""

    back_to: str | None
    back_to_digest: str | None
    put_back_after: str | None
    history: tuple[RolledOut, ...]


def opened(model: str, environment: str, incident: str, workplace: Workplace) -> Record:
    """The record of an incident, with what the ledger has of it.

    Raises:
        BadFile: neither the ledger nor this machine has it.
    """
    record = workplace.incident(model, environment, incident)
    record.seed(workplace.history.pages_of_incident(model, environment, incident))
    if record.latest(RolloutFailure) is None:
        known = sorted(_ids(model, environment, workplace), reverse=True)
        raise BadFile(
            f"{record.subject} is no rollout that failed",
            mend=f"name one of {', '.join(known)}" if known else "slipway status tells which model has an incident",
        )
    return record


def named(name: str, workplace: Workplace) -> Record:
    """As `opened`, by `MODEL/ENVIRONMENT/ID`."""
    parts = name.split("/")
    if len(parts) != 3 or not all(parts) or any(part.startswith(".") for part in parts):
        raise BadFile(f"`{name}` is no incident", mend="write MODEL/ENVIRONMENT/ID as the issue does")
    model, environment, incident = parts
    return opened(model, environment, incident, workplace)


def newest_of_all(workplace: Workplace) -> Mapping[tuple[str, str], str]:
    """By model and environment, the name of the last failure there; the ledger is listed once for all."""
    found: dict[tuple[str, str], str] = {}
    for model, environment, incident in sorted([*workplace.history.all_failed_rollouts(), *_all_here(workplace)]):
        found[model, environment] = f"{model}/{environment}/{incident}"
    return found


def verified_since(failure: RolloutFailure, workplace: Workplace) -> Rollout | None:
    """The rollout of what the environment is to run by now, where it was verified: then the incident is over."""
    git.fetch(workplace.repository.root)
    found = _to_verify(failure, workplace)
    if found is None:
        return None
    keys = {key_of(found.reads(stays=stays)) for stays in (True, False)}
    pages = [*workplace.history.pages(found.tag, Rollout), *workplace.release(found.tag).pages(Rollout)]
    return next((page.body for page in pages if page.key in keys), None)


def was_worse(canary: Wanted, workplace: Workplace) -> RolloutFailure | None:
    """What this very canary was found to be bad by: what is judged of it later does not take that back."""
    model, environment = canary.tag.model, canary.environment
    for incident in reversed(workplace.history.failed_rollouts(model, environment)):
        if _version_in(incident) != canary.tag.image_tag:
            continue
        for page in workplace.history.incident_pages(model, environment, incident, RolloutFailure):
            told = page.body
            is_it = (told.canary, told.digest, told.commit) == (True, canary.digest, canary.commit)
            if is_it and told.problem is RolloutProblem.WORSE:
                return told
    return None


def _to_verify(failure: RolloutFailure, workplace: Workplace) -> Wanted | None:
    """What ends the incident when it is verified; None where nothing does yet.

    A canary that is still in the manifest ends its own by running after all, but for one that runs and is worse. Once
    it was taken out, and was seen to be gone, what is left does: it was verified long ago.
    """
    model, environment = failure.model, failure.environment
    if not failure.canary:
        return wanted(model, environment=environment, workplace=workplace)
    tag = ReleaseTag.parse(f"{model}@{failure.version}")
    failed = Wanted(tag, environment, failure.digest, failure.commit, is_canary=True)
    if wanted_canary(model, environment=environment, workplace=workplace) == failed:
        return None if failure.problem is RolloutProblem.WORSE else failed
    if not canaries.is_cleared(failed, workplace):
        return None
    return wanted(model, environment=environment, workplace=workplace)


def filed_before(failure: RolloutFailure, workplace: Workplace) -> int | None:
    """The number of the issue that an earlier failure left open in the same environment."""
    place = (failure.model, failure.environment)
    others = [one for one in workplace.history.failed_rollouts(*place) if one != failure.incident]
    filed = workplace.history.incident_page(*place, others[-1], IssueFiled) if others else None
    return None if filed is None or filed.body.action is IssueAction.CLOSED else filed.body.number


def id_of(found: Wanted, *, on: date, workplace: Workplace, reads: Mapping[str, str]) -> str:
    """The incident that this failure, by what it read, has already, or else a new one of the day."""
    model, version = found.tag.model, found.tag.image_tag
    for incident in sorted(_ids(model, found.environment, workplace), reverse=True):
        if incident == incident_id(date.fromisoformat(incident[:10]), version):
            record = opened(model, found.environment, incident, workplace)
            if record.written_for(RolloutFailure, reads=reads) is not None:
                return incident
    return incident_id(on, version)


def runs_instead(found: Wanted, workplace: Workplace) -> RanBefore:
    """What ran before a version that failed; beside a canary, what it got a share of."""
    if not found.is_canary:
        return _ran_before(found, workplace)
    stable = wanted(found.tag.model, environment=found.environment, workplace=workplace)
    assert stable is not None  # a canary has a share of its traffic
    return _runs_beside(found, stable, workplace)


def _ran_before(found: Wanted, workplace: Workplace) -> RanBefore:
    verified = workplace.history.rollouts(found.tag.model, found.environment)
    before = _verified_before(found, verified, workplace)
    return RanBefore(
        back_to=before[0] if before else None,
        back_to_digest=before[1] if before else None,
        put_back_after=_put_back_after(found, workplace),
        history=_told(found, verified, workplace),
    )


def _runs_beside(canary: Wanted, stable: Wanted, workplace: Workplace) -> RanBefore:
    """What answers the rest of what a canary is asked: it need not be gone back to, for it never left."""
    verified = workplace.history.rollouts(canary.tag.model, canary.environment)
    return RanBefore(
        back_to=stable.tag.image_tag,
        back_to_digest=stable.digest,
        put_back_after=None,
        history=_told(canary, verified, workplace),
    )


def _verified_before(found: Wanted, verified: list[Rollout], workplace: Workplace) -> tuple[str, str] | None:
    """Along what each version was proposed in place of, the first that ran; one that was merged and failed did not.

    Its version and digest. One that the quarantine of `found` would hold as well is no way back. What was adopted ran.
    """
    tag, seen = found.tag, {found.tag}
    while (replaced := _replaced(tag, found.environment, workplace)) is not None and replaced not in seen:
        tag = replaced
        seen.add(tag)
        ran = [(one.version, one.digest) for one in verified if one.version == tag.image_tag] or _adopted(
            tag, found.environment, workplace
        )
        if ran and not covers(found.tag.image_tag, tag.image_tag):
            return ran[-1]
    return None


def _adopted(tag: ReleaseTag, environment: str, workplace: Workplace) -> list[tuple[str, str]]:
    """Version and digest of a baseline there that can be started here; else nothing."""
    baselines = (page.body for page in workplace.history.pages(tag, Baseline))
    return [
        (one.version, one.image)
        for one in baselines
        if one.environment == environment and one.image is not None and not one.is_opaque
    ]


def _replaced(tag: ReleaseTag, environment: str, workplace: Workplace) -> ReleaseTag | None:
    told = _replaced_ever(tag, environment, workplace)
    return ReleaseTag.parse(f"{tag.model}@{told[-1]}") if told and told[-1] else None


def _replaced_ever(tag: ReleaseTag, environment: str, workplace: Workplace) -> list[str | None]:
    """What each proposal of a version in an environment was to take the place of, oldest first."""
    proposals = [page.body for page in workplace.history.pages(tag, Proposal)]
    return [one.replaces for one in proposals if one.environment == environment and one.replaces != tag.image_tag]


def _put_back_after(found: Wanted, workplace: Workplace) -> str | None:
    """By what the manifest said before the commit that brought this digest."""
    path = deploy_tree.manifest_path(found.environment, found.tag.model)
    content = git.read_file(workplace.repository.root, f"{found.commit}^", path)
    try:
        before = None if content is None else manifests.deployed(content, name=found.tag.model, where=path)
    except BadFile:
        return None  # what cannot be read deployed nothing
    if before is None or before.tag == found.tag.image_tag:
        return None
    proposed = _replaced_ever(found.tag, found.environment, workplace)
    return None if before.tag in proposed else before.tag


def _told(found: Wanted, verified: list[Rollout], workplace: Workplace) -> tuple[RolledOut, ...]:
    """The newest first: what ran, and what did not."""
    ran = [RolledOut(version=one.version, day=one.live_since) for one in verified]
    failed = [
        RolledOut(version=_version_in(incident), day=date.fromisoformat(incident[:10]), failed=True)
        for incident in workplace.history.failed_rollouts(found.tag.model, found.environment)
    ]
    return tuple(sorted([*ran, *failed], key=lambda one: (one.day, one.failed), reverse=True)[:_MOST_TOLD])


def _version_in(incident: str) -> str:
    return incident[11:].removeprefix(f"{IncidentKind.ROLLOUT_FAILED}-")


def _ids(model: str, environment: str, workplace: Workplace) -> set[str]:
    return {*workplace.history.failed_rollouts(model, environment), *_here(model, environment, workplace)}


def _here(model: str, environment: str, workplace: Workplace) -> Iterator[str]:
    return (incident for *place, incident in _all_here(workplace) if place == [model, environment])


def _all_here(workplace: Workplace) -> Iterator[tuple[str, str, str]]:
    """What runs of this machine wrote down, and may have been killed before they could record it."""
    for page in (workplace.state / "incidents").glob(f"*/*/*/{RolloutFailure.kind}.*.json"):
        *_, environment, model, incident, _ = page.parts
        yield model, environment, incident
