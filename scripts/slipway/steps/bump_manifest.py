"""Propose that an environment runs the new version: one branch and one pull request a version.

Run again, it updates what it opened before; a branch with somebody else's commit is never overwritten, and what a
person closed, or merged and took back, is not opened again for the same tag.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from slipway.adapters import deploy_tree, git, manifests
from slipway.adapters.canary_proposals import Course, course_of, manifest_with
from slipway.adapters.forge import Pull, PullState
from slipway.adapters.manifests import Deployed
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain import labels
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.pages import Page
from slipway.domain.release import Image, Proposal, Rehearsal, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import BadTag, NotReleasable
from slipway.reports.pull_request import (
    Opening,
    Superseded,
    proposes_canary,
    proposes_tag_object,
    pull_request_body,
    pull_request_title,
    superseded_comment,
    supersedes_of,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Proposed:
    """What is to run where, and on which branch that is proposed."""

    identity: Identity
    image: Image
    verdict: Verdict
    environment: str
    course: Course

    @property
    def branch(self) -> str:
        return deploy_tree.release_branch(self.environment, self.identity.model, self.identity.version)

    @property
    def title(self) -> str:
        return pull_request_title(self.identity, self.environment, canary=self.course.trial)


def run(record: Record, *, environment: str, workplace: Workplace) -> Page[Proposal]:
    """Open or update the pull request, close those of lower versions, and write the page `proposal`.

    Where a policy asks for a canary, a share of the traffic is proposed first; once that was merged and was judged to
    pass, all of it is.

    Raises:
        BadFile: a canary is asked for that this engine or this manifest cannot hold to its share.
        NotReleasable: the verdict is `fail`, or the version was quarantined meanwhile.
        ForgeRefused: somebody else committed to the branch.
    """
    identity = record.page(Identity, written_by="resolve-tag").body
    image = record.page(Image, written_by="build-image").body
    verdicts = record.page(Verdicts, written_by="judge")
    _refuse(identity, verdicts.body, workplace)
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=identity.model)
    course = course_of(identity.release, image, environment, live=live, workplace=workplace)
    proposed = _Proposed(identity, image, verdicts.body.verdict, environment, course)
    decided = _decided(proposed, workplace)
    reads = {
        "image": image.digest,
        "verdicts": verdicts.key,
        "environment": environment,
        "deployed": live.digest if live else "none",
        "decided": str(decided.number) if decided else "none",
        **course.reads,
    }
    return record.once(
        Proposal, reads=reads, make=lambda: _propose(record, proposed, live, decided, workplace), is_deed=True
    )


def _refuse(identity: Identity, verdicts: Verdicts, workplace: Workplace) -> None:
    if verdicts.verdict is Verdict.FAIL:
        raise NotReleasable(
            f"{identity.release} failed: it is proposed nowhere", mend="mend what failed and tag the next number"
        )
    deploy_tree.refuse_quarantined(
        workplace.forge, model=identity.model, version=identity.version, called=str(identity.release)
    )


def _decided(proposed: _Proposed, workplace: Workplace) -> Pull | None:
    """The pull request by which a person said no, or yes, to this very tag object; None while it is open or absent."""
    last = workplace.forge.last_pull_for(proposed.branch)
    if last is None or last.state is PullState.OPEN:
        return None
    if last.state is PullState.MERGED and proposed.course.is_beyond_a_share and proposes_canary(last.body):
        return None  # the yes was to a share
    about = proposes_tag_object(last.body)  # a body without it was edited, and stands for the same tag
    return last if about in (None, proposed.identity.tag_object) else None


def _propose(
    record: Record, proposed: _Proposed, live: Deployed | None, decided: Pull | None, workplace: Workplace
) -> Proposal:
    if live is not None and live.digest == proposed.image.digest:
        return _without_pull(proposed, replaces=_replaced_before(record, proposed.environment))
    replaces = live.tag if live else None
    if proposed.course.waits:
        log.info("%s is a canary in %s, and has not shown enough yet", proposed.identity.release, proposed.environment)
        return _without_pull(proposed, replaces=replaces)
    if decided is not None:
        _say_that_it_is_decided(proposed, decided)
        return _without_pull(proposed, replaces=replaces).model_copy(update={"decided": decided.number})
    _commit(proposed, workplace)
    lower = _lower_pulls(proposed, workplace)
    pull = _open_or_update(record, proposed, lower, workplace)
    for one in lower:
        comment = superseded_comment(
            proposed.identity, proposed.environment, by=pull.number, canary=proposed.course.trial
        )
        workplace.forge.close_pull(one.number, comment=comment)
    return _without_pull(proposed, replaces=replaces).model_copy(
        update={"pull": pull.number, "draft": proposed.verdict is not Verdict.PASS}
    )


def _without_pull(proposed: _Proposed, *, replaces: str | None) -> Proposal:
    return Proposal(
        environment=proposed.environment,
        branch=proposed.branch,
        pull=None,
        title=proposed.title,
        draft=False,
        replaces=replaces,
        canary=proposed.course.trial.share if proposed.course.trial else None,
    )


def _replaced_before(record: Record, environment: str) -> str | None:
    """The manifest names this image already: what it replaced is told by the page of the time before."""
    before = [page.body for page in record.pages(Proposal) if page.body.environment == environment]
    return before[-1].replaces if before else None


def _say_that_it_is_decided(proposed: _Proposed, decided: Pull) -> None:
    how = "was merged, and the manifest has changed since" if decided.state is PullState.MERGED else "was closed"
    log.warning(
        "nothing is proposed: pull request #%s of %s %s; open it again by hand, or tag the next number",
        decided.number,
        proposed.identity.release,
        how,
    )


def _commit(proposed: _Proposed, workplace: Workplace) -> None:
    """Put the edited manifest on the branch, on top of the default branch as it is now."""
    forge, branch, model = workplace.forge, proposed.branch, proposed.identity.model
    base = forge.head(forge.default_branch)
    path = deploy_tree.manifest_path(proposed.environment, model)
    before = forge.read(base, path) if base else None
    wanted = Deployed(
        name=model,
        new_name=f"{workplace.settings.image_registry}/{model}",
        tag=proposed.identity.version,
        digest=proposed.image.digest,
    )
    after = manifest_with(
        wanted,
        before or _new_manifest(model, proposed.environment, workplace),
        limit=proposed.course.trial,
        environment=proposed.environment,
        base=base,
        workplace=workplace,
    )
    head = forge.head(branch)
    if head is not None and forge.read(head, path) == after and not forge.commits(forge.default_branch, beyond=branch):
        return
    how = " as a canary" if proposed.course.trial else ""
    message = f"Deploy {proposed.identity.release} to {proposed.environment}{how}\n\n{proposed.image.digest}\n"
    forge.commit(branch, onto=head, parent=base, changes={path: after}, message=message)


def _new_manifest(model: str, environment: str, workplace: Workplace) -> bytes:
    return manifests.new_manifest(model, environment=environment, engine=workplace.settings.rollout_engine)


def pull_request_text(
    record: Record, *, environment: str, opening: Opening | None = None, course: Course | None = None
) -> str:
    """The body for the newest pages of a record; without an opening it is what a check would propose."""
    image = record.latest(Image)
    identity = record.page(Identity, written_by="resolve-tag").body
    evidence = record.page(Evidence, written_by="measure-consistency")
    return pull_request_body(
        identity=identity,
        conversion=record.page(Conversion, written_by="convert-to-onnx").body,
        evidence=evidence.body,
        rehearsal=record.page(Rehearsal, written_by="rehearse-rollback").body,
        verdicts=record.page(Verdicts, written_by="judge").body,
        image=image.body if image else None,
        environment=environment,
        opening=opening or Opening(),
        cost=evidence.circumstances.cost,
        before=_live_elsewhere(record, environment, image.body if image else None),
        canary=course.trial if course else None,
        shown=course.shown if course else None,
    )


def _live_elsewhere(record: Record, environment: str, image: Image | None) -> Rollout | None:
    """Where this very image runs already: its evidence is what the next environment is told."""
    whole = [page.body for page in record.pages(Rollout) if not page.body.canary]
    rollouts = [one for one in whole if one.environment != environment]
    return next((one for one in reversed(rollouts) if image is not None and one.digest == image.digest), None)


def _open_or_update(record: Record, proposed: _Proposed, lower: tuple[Pull, ...], workplace: Workplace) -> Pull:
    forge = workplace.forge
    there = forge.pull_for(proposed.branch)
    opening = Opening(
        opened_by=workplace.opened_by,
        tooling=git.head_commit(workplace.repository.root),
        web=workplace.web,
        supersedes=_superseded(there, lower),
    )
    body = pull_request_text(record, environment=proposed.environment, opening=opening, course=proposed.course)
    draft, identity = proposed.verdict is not Verdict.PASS, proposed.identity
    given = [one.name for one in (labels.SLIPWAY, labels.of_model(identity.model), labels.of_bump(identity.bump))]
    owners = identity.declaration.owners
    if there is not None:
        return forge.update_pull(
            there.number, title=proposed.title, body=body, draft=draft, labels=given, reviewers=owners
        )
    log.info("opening the pull request of %s", proposed.branch)
    return forge.open_pull(
        branch=proposed.branch,
        base=forge.default_branch,
        title=proposed.title,
        body=body,
        draft=draft,
        labels=given,
        reviewers=owners,
    )


def _superseded(there: Pull | None, lower: tuple[Pull, ...]) -> tuple[Superseded, ...]:
    """What is closed now, and what a run before this one closed: its text told so."""
    now = tuple(Superseded(one.number, one.branch.rpartition("/")[2]) for one in lower)
    before = supersedes_of(there.body) if there is not None else ()
    return tuple(dict.fromkeys((*before, *now)))


def _lower_pulls(proposed: _Proposed, workplace: Workplace) -> tuple[Pull, ...]:
    """Two open proposals for one manifest could only conflict; the higher version stays."""
    mine = proposed.identity.release
    folder = deploy_tree.release_branch(proposed.environment, mine.model, "")
    return tuple(
        pull
        for pull in workplace.forge.open_pulls()
        if pull.branch.startswith(folder) and _is_lower(pull.branch.removeprefix(folder), mine)
    )


def _is_lower(version: str, than: ReleaseTag) -> bool:
    try:
        return ReleaseTag.parse(f"{than.model}@{version}").precedence < than.precedence
    except BadTag:  # a person's branch
        return False
