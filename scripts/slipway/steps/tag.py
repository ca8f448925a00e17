"""Make the tag that `check` proposes, and push it: what was checked, committed, on the default branch, and passes.

Nothing is measured here. A commit that has a tag of the model gets no other one, so that whatever was killed between
tag and push is mended by the same command.
"""

from __future__ import annotations

from pathlib import Path

from slipway.adapters import git, release_tags
from slipway.adapters.records import Record
from slipway.adapters.repository import Repository
from slipway.adapters.trees import digest_of_tree
from slipway.domain.identity import Identity
from slipway.domain.release import Verdicts
from slipway.domain.tag import ReleaseTag, first_line
from slipway.domain.tagged import Tagged
from slipway.domain.verdict import Verdict
from slipway.errors import BadTag, NotReleasable


def run(
    model: str, *, record: Record, repository: Repository, message: str = "", push: bool, dry_run: bool = False
) -> Tagged:
    """Tag HEAD as what `check` found to pass.

    Args:
        model: its name.
        record: what `check` wrote of it.
        repository: the checkout.
        message: of the tag; the first line of the last commit that changed the model, where it is left out.
        push: whether the remote gets it, too.
        dry_run: write nothing, and return what would be.

    Raises:
        BadFile: nothing was checked yet.
        UnknownModel: there is no such model.
        NotReleasable: it does not pass, is not what was checked, not committed, not on the default branch, or its
            number was taken since.
        Unreachable: the remote does not answer.
    """
    repository.model(model)
    root, proposed = repository.root, _proposed(model, record, repository)
    there = release_tags.on_remote(root, model)
    here = _tag_here(model, root)
    if here is not None:
        _refuse_other(here, there)
    git.fetch(root)
    _refuse_off_the_default_branch(root)
    if here is None:
        _refuse_taken(proposed, root)
        here = _made(proposed, _message(message, model, root), root, dry_run=dry_run)
        made = True
    else:
        made = False
    pushed = here.name in there
    if push and not pushed and not dry_run:
        release_tags.push(root, here.name)
    return Tagged(tag=here.name, commit=here.commit, message=here.message, made=made, pushed=pushed or push)


def _proposed(model: str, record: Record, repository: Repository) -> ReleaseTag:
    identity = record.page(Identity, written_by=f"check {model}")
    verdicts = record.page(Verdicts, written_by=f"check {model}")
    again = f"slipway check {model}"
    if verdicts.reads["identity"] != identity.key or not _is_of(identity.body, repository.root / "models" / model):
        raise NotReleasable(f"models/{model} is not what was checked last", mend=again)
    if verdicts.body.policies_digest != repository.policies_digest():
        raise NotReleasable(f"policies/ are not what {model} was checked by", mend=again)
    if verdicts.body.verdict is not Verdict.PASS:
        raise NotReleasable(
            f"{model} does not pass: {verdicts.body.verdict}", mend=f"mend what this names, then tag: {again}"
        )
    _refuse_uncommitted(model, repository.root)
    return ReleaseTag.parse(identity.body.tag)


def _is_of(identity: Identity, folder: Path) -> bool:
    """Its files were copied into a folder that is called by their digest."""
    return digest_of_tree(folder).removeprefix("sha256:")[:16] == Path(identity.model_folder).parts[1]


def _refuse_uncommitted(model: str, root: Path) -> None:
    names = release_tags.uncommitted(root, ignored_below=f"models/{model}")
    if names:
        shown = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise NotReleasable(
            f"the working tree is not what is committed: {shown}",
            mend="commit and merge what belongs to the release, and take out or stash the rest (git stash -u)",
        )


def _tag_here(model: str, root: Path) -> git.Tag | None:
    """The tag that HEAD has of this model; the lowest, should a person have made several."""
    names = set(git.tags_at(root, "HEAD"))
    found = next((one for one in git.release_tags(root, model=model) if str(one) in names), None)
    if found is None:
        return None
    tag = git.resolve_tag(root, str(found))
    if not tag.annotated:
        raise BadTag(
            f"`{tag.name}`, which this commit has, is a lightweight tag: it says neither who released nor why",
            mend=f"git tag -d {tag.name}, then slipway tag {model}",
        )
    return tag


def _refuse_other(here: git.Tag, there: dict[str, str]) -> None:
    if there.get(here.name, here.object_id) != here.object_id:
        raise NotReleasable(
            f"`{here.name}` of this checkout is not that of the remote: somebody else released under this name",
            mend=f"git tag -d {here.name} && git fetch --tags, then slipway check {here.name.partition('@')[0]}",
        )


def _refuse_off_the_default_branch(root: Path) -> None:
    branch = git.default_branch(root)
    if not git.is_ancestor(root, git.head_commit(root), git.commit_of(root, f"refs/remotes/origin/{branch}")):
        raise NotReleasable(
            f"commit {git.head_commit(root)[:12]} is not on the branch `{branch}` of origin: what was not reviewed "
            "and merged is not released",
            mend=f"merge it into {branch} by a pull request, then check and tag the merged commit",
        )


def _refuse_taken(proposed: ReleaseTag, root: Path) -> None:
    if proposed in git.release_tags(root, model=proposed.model):
        raise NotReleasable(
            f"`{proposed}` was tagged since {proposed.model} was checked", mend=f"slipway check {proposed.model}"
        )


def _message(given: str, model: str, root: Path) -> str:
    return given.strip() or first_line(release_tags.subject_of_last_change(root, f"models/{model}"))


def _made(proposed: ReleaseTag, message: str, root: Path, *, dry_run: bool) -> git.Tag:
    if not dry_run:
        release_tags.make(root, str(proposed), message=message)
        return git.resolve_tag(root, str(proposed))
    commit = git.head_commit(root)
    return git.Tag(str(proposed), "", commit, annotated=True, tagger=None, tagged_at=None, message=message)
