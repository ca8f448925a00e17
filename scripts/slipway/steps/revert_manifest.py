"""Send an environment back to the version before, or withdraw its canary, and quarantine the one that is left.

Both are one commit, so that no state exists in which a bad version is gone and may come back by itself.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass

from slipway.adapters import deploy_tree, ways_back, ways_taken
from slipway.adapters.forge import Forge
from slipway.adapters.records import Record
from slipway.adapters.ways_back import Obstacle
from slipway.adapters.ways_taken import Way
from slipway.adapters.workplace import Workplace
from slipway.domain.incident import IncidentKind, IncidentVerdicts, Outcome, Reversion, WindowEvidence
from slipway.domain.limits import Reversion as Means
from slipway.domain.pages import Page, key_of
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.domain.tag import ReleaseTag, covers
from slipway.errors import BadTag, ForgeRefused, NotReleasable
from slipway.reports.plain import commit_line
from slipway.reports.revert_request import WayBackAsked, way_back_body, way_back_title, withdrawn_comment
from slipway.reports.rollout_words import in_words

log = logging.getLogger(__name__)

_LABELS = ("slipway",)


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of it, by the names of the page `reversion`."""

    branch: str
    commit: str
    pull: int | None = None
    refused: str = ""
    not_started: str = ""
    no_way_back: str = ""
    mend: str = ""


def run(record: Record, *, means: Means, workplace: Workplace) -> Page[Reversion] | None:
    """Carry out the verdict `revert` of a window, and write the page `reversion`; None where it says otherwise.

    A commit that the default branch does not take becomes a pull request, and the page says why. Where the version
    before is quarantined by now, gone from the registry or not signed by the team, nothing is changed: the page says
    that there is no way back, for the issue to tell.

    Args:
        record: of the window.
        means: by pull request, by commit or never, as the policy says.
        workplace: where the manifest lies.

    Raises:
        Unreachable: registry or forge does not answer: nobody knows whether there is a way back.
        NotReleasable: another version runs by now.
    """
    evidence = record.page(WindowEvidence, written_by="measure-drift").body
    verdicts = record.page(IncidentVerdicts, written_by="judge")
    if verdicts.body.outcome is not Outcome.REVERT or means is Means.NEVER:
        return None
    assert evidence.back_to is not None and evidence.back_to_digest is not None
    assert verdicts.body.incident is not None
    way = Way(
        model=evidence.model,
        environment=evidence.environment,
        version=evidence.window.version,
        back_to=evidence.back_to,
        back_to_digest=evidence.back_to_digest,
        incident=verdicts.body.incident,
        reason=next(finding.problem for finding in verdicts.body.findings if finding.gate == "previous_version"),
        by="slipway watch",
    )
    reads = {"verdicts": verdicts.key, "means": means}
    if (found := _in_the_way(record, way, workplace, reads=reads)) is not None:
        return _stay(record, way, found, reads=reads)
    return _revert(record, way, reads=reads, means=means, workplace=workplace)


def run_on_rollout(record: Record, *, workplace: Workplace) -> Page[Reversion] | None:
    """Carry out the verdict `revert` of a version that was merged and does not run, as `run` does.

    None where the verdict or its policy say otherwise, and where the environment is to run another version by now: then
    nothing is left to be gone back from.

    Raises:
        Unreachable: registry or forge does not answer.
    """
    page = record.page(RolloutFailure, written_by="verify-rollout")
    verdicts = record.page(IncidentVerdicts, written_by="judge").body
    failure, means = page.body, verdicts.means
    if verdicts.outcome is not Outcome.REVERT or means is None or means is Means.NEVER:
        return None
    assert failure.back_to is not None and failure.back_to_digest is not None
    reads = {"failure": page.key, "means": means}
    done = record.latest(Reversion)
    is_done = done is not None and done.key == key_of(reads)
    if not is_done and not ways_taken.is_wanted(failure, means, workplace):
        return done
    way = Way(
        model=failure.model,
        environment=failure.environment,
        version=failure.version,
        back_to=failure.back_to,
        back_to_digest=failure.back_to_digest,
        incident=failure.incident,
        reason=f"{failure.version} {in_words(failure)}: {failure.said}",
        by="slipway watch" if failure.problem is RolloutProblem.WORSE else "slipway rollout",
        failure=failure,
        withdraws=failure.canary,
    )
    if (found := _in_the_way(record, way, workplace, reads=reads)) is not None:
        return _stay(record, way, found, reads=reads)
    return _revert(record, way, reads=reads, means=means, workplace=workplace)


def run_on_request(
    model: str, *, environment: str, back_to: str, reason: str, by: str, day: str, workplace: Workplace
) -> Page[Reversion]:
    """Go back because a person asks, by pull request: `slipway rollback`.

    Raises:
        NotReleasable: nothing is deployed, or `back_to` never passed, runs already, is quarantined, gone from the
            registry or not signed.
    """
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if live is None:
        raise NotReleasable(f"{environment} runs no version of {model}", mend="there is nothing to go back from")
    canary = deploy_tree.canary(workplace.forge, environment=environment, model=model)
    if canary is not None and back_to == live.tag:
        incident = f"{day}-{IncidentKind.REQUESTED}-{canary.tag}-{back_to}"
        record = workplace.window(model, environment, incident)
        way = Way(model, environment, canary.tag, back_to, live.digest, incident, reason, by, withdraws=True)
        reads = {"canary": canary.digest, "beside": live.digest, "reason": reason}
        return _revert(record, way, reads=reads, means=Means.PULL_REQUEST, workplace=workplace)
    target = _target(model, back_to)
    digest = _image_to_go_back_to(target, environment, live.tag, workplace)
    incident = f"{day}-{IncidentKind.REQUESTED}-{live.tag}-{back_to}"
    record = workplace.window(model, environment, incident)
    way = Way(model, environment, live.tag, back_to, digest, incident, reason, by)
    reads = {"from": live.digest, "to": digest, "reason": reason}
    return _revert(record, way, reads=reads, means=Means.PULL_REQUEST, workplace=workplace)


def _target(model: str, back_to: str) -> ReleaseTag:
    try:
        return ReleaseTag.parse(f"{model}@{back_to}")
    except BadTag as error:
        raise BadTag(f"`{back_to}` is no version of {model}", mend="name one that passed, like --to v1.4.0") from error


def _image_to_go_back_to(target: ReleaseTag, environment: str, running: str, workplace: Workplace) -> str:
    """Its digest."""
    if target.image_tag == running:
        raise NotReleasable(
            f"{environment} runs {running} already", mend="name another version: slipway status lists them"
        )
    if covers(running, target.image_tag):
        raise NotReleasable(
            f"{target} is {running} on another runtime image: what is left is quarantined, and that would hold both",
            mend=f"slipway rebase {target.model} --environment {environment}, or name another version to go back to",
        )
    digests = workplace.history.digests(target)
    if not digests or not workplace.history.passed(target):
        released = workplace.history.releases(target.model)
        passed = [one.image_tag for one in released if workplace.history.passed(one)]
        raise NotReleasable(
            f"the ledger has no passing release {target}; it has {', '.join(passed) or 'none'}",
            mend="name a version that passed",
        )
    found = ways_back.obstacle(target, digests[-1], environment=environment, workplace=workplace)
    if found is not None:
        raise NotReleasable(found.problem, mend=found.mend)
    return digests[-1]


def _in_the_way(record: Record, way: Way, workplace: Workplace, *, reads: dict[str, str]) -> Obstacle | None:
    """None, too, where this way was gone already."""
    done = record.latest(Reversion)
    if done is not None and done.key == key_of(reads):
        return None
    ways_taken.refuse_overtaken(way, workplace)
    if way.withdraws:
        return None  # what answers the rest never left
    target = ReleaseTag.parse(f"{way.model}@{way.back_to}")
    return ways_back.obstacle(target, way.back_to_digest, environment=way.environment, workplace=workplace)


def _stay(record: Record, way: Way, found: Obstacle, *, reads: dict[str, str]) -> Page[Reversion]:
    log.warning("%s in %s stays at %s: %s", way.model, way.environment, way.version, found.problem)
    stays = _Done(branch="", commit="", no_way_back=found.problem, mend=found.mend)
    reads = {**reads, "in the way": found.problem}
    return record.once(Reversion, reads=reads, make=lambda: _reversion(way, stays), is_deed=True)


def _revert(record: Record, way: Way, *, reads: dict[str, str], means: Means, workplace: Workplace) -> Page[Reversion]:
    def write() -> Reversion:
        ways_taken.refuse_overtaken(way, workplace)
        log.info("sending %s in %s back from %s to %s", way.model, way.environment, way.version, way.back_to)
        _close_proposal(way, workplace.forge)
        done = _by_commit(way, workplace) if means is Means.COMMIT else _by_pull_request(way, workplace)
        return _reversion(way, done)

    return record.once(Reversion, reads=reads, make=write, is_deed=True)


def _close_proposal(way: Way, forge: Forge) -> None:
    """A canary that passed and is bad after all is proposed for all of the traffic: nobody may merge that by now."""
    branch = deploy_tree.release_branch(way.environment, way.model, way.version)
    proposed = forge.pull_for(branch) if way.withdraws else None
    if proposed is not None:
        told = {"model": way.model, "environment": way.environment, "version": way.version}
        forge.close_pull(proposed.number, comment=withdrawn_comment(**told, reason=way.reason))


def _reversion(way: Way, done: _Done) -> Reversion:
    told = {name: value for name, value in asdict(way).items() if name not in ("by", "failure", "withdraws")}
    return Reversion(**told, **asdict(done))


def _by_commit(way: Way, workplace: Workplace) -> _Done:
    """On the default branch, and rolled out at once; where the branch takes no commit of ours, by pull request."""
    try:
        commit = ways_taken.commit_to_default(way, _message(way), workplace)
    except ForgeRefused as refusal:
        log.warning("the commit was refused, so it is proposed: %s", refusal.problem)
        return _by_pull_request(way, workplace, refused=refusal.problem)
    return _Done(workplace.forge.default_branch, commit, not_started=ways_taken.start_rollout(way, workplace.forge))


def _by_pull_request(way: Way, workplace: Workplace, *, refused: str = "") -> _Done:
    commit = ways_taken.commit_to_branch(way, _message(way), workplace)
    return _Done(ways_taken.branch_of(way), commit, pull=_open(way, workplace, refused=refused), refused=refused)


def _message(way: Way) -> str:
    if way.withdraws:
        return f"Withdraw the canary {way.version} of {way.model} from {way.environment}\n\n{commit_line(way.reason)}\n"
    return f"Send {way.model} in {way.environment} back to {way.back_to}\n\n{commit_line(way.reason)}\n"


def _open(way: Way, workplace: Workplace, *, refused: str) -> int:
    forge, branch = workplace.forge, ways_taken.branch_of(way)
    asked = _asked(way, refused=refused)
    title, body = way_back_title(asked), way_back_body(asked)
    there = forge.pull_for(branch)
    if there is not None:
        return forge.update_pull(there.number, title=title, body=body, labels=_LABELS).number
    base = forge.default_branch
    return forge.open_pull(branch=branch, base=base, title=title, body=body, labels=_LABELS).number


def _asked(way: Way, *, refused: str) -> WayBackAsked:
    return WayBackAsked(
        model=way.model,
        environment=way.environment,
        version=way.version,
        back_to=way.back_to,
        digest=way.back_to_digest,
        reason=way.reason,
        incident=way.incident,
        refused=refused,
        failure=way.failure,
        withdraws=way.withdraws,
    )
