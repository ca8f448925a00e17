"""Propose that releases are appended to another runtime image: one line of slipway.yaml, by pull request.

The image was pushed by `runtime-image.yml`, which knows of engines; here only its digest counts. Run again, it updates
what it opened before; a branch with somebody else's commit is never overwritten.
"""

from __future__ import annotations

import logging
import re

from slipway.adapters import manifests, runtime_image
from slipway.adapters.forge import Pull
from slipway.adapters.repository import SETTINGS
from slipway.adapters.workplace import Workplace
from slipway.domain.runtime import RuntimeImage, RuntimeProposal, package_changes
from slipway.errors import BadFile
from slipway.reports.runtime_request import runtime_body, runtime_title

log = logging.getLogger(__name__)

_LABELS = ("slipway",)
_BRANCH = re.compile(r"runtime/[0-9a-f]{12}")  # a person's branch may begin with the same word


def run(tag: str, *, workplace: Workplace) -> RuntimeProposal:
    """Open or update the pull request for the image under `tag`, and close those for other images.

    Raises:
        NoSuchImage: no image was pushed under the tag.
        UnusableImage: its documents do not fit each other.
        BadFile: slipway.yaml of the default branch is missing, or cannot be edited.
        ForgeRefused: somebody else committed to the branch.
    """
    image = runtime_image.built(tag, workplace)
    settings = _settings(workplace)
    before = manifests.runtime_image(settings)
    proposal = RuntimeProposal(
        reference=image.reference, before=before, branch=branch_of(image), pull=None, title=runtime_title(image)
    )
    if before == image.reference:
        return proposal
    _commit(proposal, settings, workplace)
    pull = _open_or_update(proposal, _body(image, before, workplace), workplace)
    _close_others(pull, workplace)
    return proposal.model_copy(update={"pull": pull.number})


def branch_of(image: RuntimeImage) -> str:
    return f"runtime/{image.digest.removeprefix('sha256:')[:12]}"


def _settings(workplace: Workplace) -> bytes:
    """As they are at the head of the default branch, where the proposal will be merged."""
    forge = workplace.forge
    head = forge.head(forge.default_branch)
    content = forge.read(head, SETTINGS) if head is not None else None
    if content is None:
        raise BadFile(
            f"the branch {forge.default_branch} has no {SETTINGS}", mend=f"git push origin HEAD:{forge.default_branch}"
        )
    return content


def _commit(proposal: RuntimeProposal, settings: bytes, workplace: Workplace) -> None:
    """Put the edited settings on the branch, on top of the default branch as it is now."""
    forge = workplace.forge
    after = manifests.set_runtime_image(settings, proposal.reference)
    head = forge.head(proposal.branch)
    is_current = head is not None and not forge.commits(forge.default_branch, beyond=proposal.branch)
    if head is not None and is_current and forge.read(head, SETTINGS) == after:
        return
    message = (
        f"Let releases stand on the runtime image {proposal.reference.partition('@')[2][:19]}\n\n{proposal.reference}\n"
    )
    base = forge.head(forge.default_branch)
    forge.commit(proposal.branch, onto=head, parent=base, changes={SETTINGS: after}, message=message)


def _body(image: RuntimeImage, named: str | None, workplace: Workplace) -> str:
    before = runtime_image.named(named, workplace) if named else None
    root = workplace.repository.root
    changes = runtime_image.changes(root, before.revision, image.revision) if before else None
    packages = package_changes(before, image) if before else None
    return runtime_body(
        image, named=named, before=before, changes=changes, packages=packages, opened_by=workplace.opened_by
    )


def _open_or_update(proposal: RuntimeProposal, body: str, workplace: Workplace) -> Pull:
    forge = workplace.forge
    there = forge.pull_for(proposal.branch)
    if there is not None:
        return forge.update_pull(there.number, title=proposal.title, body=body, labels=_LABELS)
    log.info("opening the pull request of %s", proposal.branch)
    return forge.open_pull(
        branch=proposal.branch, base=forge.default_branch, title=proposal.title, body=body, labels=_LABELS
    )


def _close_others(newest: Pull, workplace: Workplace) -> None:
    """Two open proposals for one line could only conflict; what was built last stays."""
    for pull in workplace.forge.open_pulls():
        if _BRANCH.fullmatch(pull.branch) and pull.branch != newest.branch:
            workplace.forge.close_pull(pull.number, comment=f"Replaced by #{newest.number}: {newest.title}")
