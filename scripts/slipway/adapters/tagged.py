"""The commit that a release tag names, as far as it may be released at all, and the model's folder in it."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters import git
from slipway.adapters.exported import export
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadTag, NotReleasable, UnknownModel


def reviewed(tag: ReleaseTag, *, workplace: Workplace) -> git.Tag:
    """Bring what the remote has, and return the tag that it has: a checkout keeps what it fetched when one is moved.

    Raises:
        BadTag: it is a revision, or not annotated.
        NotReleasable: it is off the default branch: nobody reviewed what it names.
    """
    _refuse_revision(tag)
    git.fetch(workplace.repository.root)
    found = workplace.forge.tag(str(tag))
    _refuse_lightweight(found)
    _refuse_off_the_default_branch(found, workplace)
    return found


def exported(tag: ReleaseTag, commit: str, record: Record, *, root: Path) -> Path:
    """The folder models/<name> of the tagged commit, laid down in the record.

    Raises:
        UnknownModel: the tagged commit does not declare the model.
    """
    if git.read_file(root, commit, f"models/{tag.model}/model.yaml") is None:
        raise UnknownModel(
            f"`{tag}`: commit {commit[:12]} has no models/{tag.model}/model.yaml",
            mend=f"slipway new-model {tag.model}, commit, merge, then tag; or correct the tag's name",
        )
    folder = record.folder / "tagged" / commit / "models" / tag.model
    export(root, commit, f"models/{tag.model}", into=folder)
    return folder


def _refuse_revision(tag: ReleaseTag) -> None:
    if tag.revision > 1:
        raise BadTag(
            f"`{tag}` is a revision, {tag.git_tag} on another runtime image: it has no git tag of its own",
            mend=f"git tag -d {tag}, where there is one; then slipway rebase {tag.model}",
        )


def _refuse_lightweight(tag: git.Tag) -> None:
    if not tag.annotated:
        raise BadTag(
            f"`{tag.name}` is a lightweight tag: it says neither who released nor why",
            mend=f"git tag -d {tag.name} && git tag -a {tag.name} {tag.commit[:12]}",
        )


def _refuse_off_the_default_branch(tag: git.Tag, workplace: Workplace) -> None:
    branch = workplace.forge.default_branch
    head = workplace.forge.head(branch)
    if head is None or not git.is_ancestor(workplace.repository.root, tag.commit, head):
        raise NotReleasable(
            f"`{tag.name}` names commit {tag.commit[:12]}, which is not on the branch `{branch}` of origin: "
            "what was not reviewed and merged is not released",
            mend=f"merge the commit into {branch} and push it, then tag the merged commit",
        )
