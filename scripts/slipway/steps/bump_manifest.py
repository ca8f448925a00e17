"""Propose that an environment runs the new version: one branch and one pull request a version.

Run again, it updates what it opened before; a branch with somebody else's commit is never overwritten.
"""

from __future__ import annotations

import logging

from slipway.adapters import deploy_tree, manifests
from slipway.adapters.forge import Pull
from slipway.adapters.manifests import Deployed
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.pages import Page
from slipway.domain.release import Conversion, Evidence, Identity, Image, Proposal, Rehearsal, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import BadTag, NotReleasable
from slipway.reports.pull_request import pull_request_body, pull_request_title

log = logging.getLogger(__name__)

_LABELS = ("slipway",)


def run(record: Record, *, environment: str, workplace: Workplace) -> Page[Proposal]:
    """Open or update the pull request, close those of lower versions, and write the page `proposal`.

    Raises:
        NotReleasable: the verdict is `fail`, or the version was quarantined meanwhile.
        ForgeRefused: somebody else committed to the branch.
    """
    identity = record.page(Identity, written_by="resolve-tag").body
    image = record.page(Image, written_by="build-image")
    verdicts = record.page(Verdicts, written_by="judge")
    _refuse(identity, verdicts.body, workplace)
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=identity.model)
    reads = {
        "image": image.body.digest,
        "verdicts": verdicts.key,
        "environment": environment,
        "deployed": live.digest if live else "none",
    }
    return record.once(Proposal, reads=reads, make=lambda: _propose(record, environment, live, workplace), is_deed=True)


def branch_of(model: str, environment: str, version: str) -> str:
    return f"release/{environment}/{model}/{version}"


def _refuse(identity: Identity, verdicts: Verdicts, workplace: Workplace) -> None:
    if verdicts.verdict is Verdict.FAIL:
        raise NotReleasable(
            f"{identity.tag} failed: it is proposed nowhere", mend="mend what failed and tag the next number"
        )
    entry = deploy_tree.quarantined(workplace.forge, model=identity.model, version=identity.version)
    if entry is not None:
        raise NotReleasable(
            f"{identity.tag} is quarantined by {entry.by}: {entry.reason}",
            mend=f"let an owner take the entry out of {deploy_tree.QUARANTINE}",
        )


def _propose(record: Record, environment: str, live: Deployed | None, workplace: Workplace) -> Proposal:
    identity = record.page(Identity, written_by="resolve-tag").body
    image = record.page(Image, written_by="build-image").body
    title = pull_request_title(identity, environment)
    verdict = record.page(Verdicts, written_by="judge").body.verdict
    branch = branch_of(identity.model, environment, identity.version)
    if live is not None and live.digest == image.digest:
        return _proposed_before(record, environment, branch, title)
    proposal = Proposal(
        environment=environment,
        branch=branch,
        pull=None,
        title=title,
        draft=verdict is not Verdict.PASS,
        replaces=live.tag if live else None,
    )
    _commit(branch, identity, image, environment, workplace)
    pull = _open_or_update(
        branch,
        title,
        pull_request_text(record, environment=environment, opened_by=workplace.opened_by),
        proposal.draft,
        workplace,
    )
    _close_lower(pull, identity.model, environment, workplace)
    return proposal.model_copy(update={"pull": pull.number})


def _proposed_before(record: Record, environment: str, branch: str, title: str) -> Proposal:
    """The manifest names this image already: what it replaced is told by the page of the time before."""
    before = [page.body for page in record.pages(Proposal) if page.body.environment == environment]
    replaces = before[-1].replaces if before else None
    return Proposal(environment=environment, branch=branch, pull=None, title=title, draft=False, replaces=replaces)


def _commit(branch: str, identity: Identity, image: Image, environment: str, workplace: Workplace) -> None:
    """Put the edited manifest on the branch, on top of the default branch as it is now."""
    forge = workplace.forge
    base = forge.head(forge.default_branch)
    path = deploy_tree.manifest_path(environment, identity.model)
    before = forge.read(base, path) if base else None
    after = manifests.set_image(
        before or manifests.new_manifest(identity.model, environment=environment),
        name=identity.model,
        new_name=f"{workplace.settings.image_registry}/{identity.model}",
        tag=identity.version,
        digest=image.digest,
        where=path,
    )
    head = forge.head(branch)
    if head is not None and forge.read(head, path) == after and not forge.commits(forge.default_branch, beyond=branch):
        return
    message = f"Deploy {identity.tag} to {environment}\n\n{image.digest}\n"
    forge.commit(branch, onto=head, parent=base, changes={path: after}, message=message)


def pull_request_text(record: Record, *, environment: str, opened_by: str | None = None) -> str:
    """The body for the newest pages of a record; where no image was built, it says nothing of one."""
    image = record.latest(Image)
    identity = record.page(Identity, written_by="resolve-tag").body
    return pull_request_body(
        identity=identity,
        conversion=record.page(Conversion, written_by="convert-to-onnx").body,
        evidence=record.page(Evidence, written_by="measure-consistency").body,
        rehearsal=record.page(Rehearsal, written_by="rehearse-rollback").body,
        verdicts=record.page(Verdicts, written_by="judge").body,
        image=image.body if image else None,
        environment=environment,
        opened_by=opened_by,
        deployed=identity.deployed.get(environment),
    )


def _open_or_update(branch: str, title: str, body: str, draft: bool, workplace: Workplace) -> Pull:
    there = workplace.forge.pull_for(branch)
    if there is not None:
        return workplace.forge.update_pull(there.number, title=title, body=body, draft=draft, labels=_LABELS)
    log.info("opening the pull request of %s", branch)
    base = workplace.forge.default_branch
    return workplace.forge.open_pull(branch=branch, base=base, title=title, body=body, draft=draft, labels=_LABELS)


def _close_lower(newest: Pull, model: str, environment: str, workplace: Workplace) -> None:
    """Two open proposals for one manifest could only conflict; the higher version stays."""
    folder = branch_of(model, environment, "")
    mine = ReleaseTag.parse(f"{model}@{newest.branch.removeprefix(folder)}")
    for pull in workplace.forge.open_pulls():
        if pull.branch.startswith(folder) and _is_lower(pull.branch.removeprefix(folder), mine):
            workplace.forge.close_pull(pull.number, comment=f"Replaced by #{newest.number}: {newest.title}")


def _is_lower(version: str, than: ReleaseTag) -> bool:
    try:
        return ReleaseTag.parse(f"{than.model}@{version}").version < than.version
    except BadTag:  # a person's branch
        return False
