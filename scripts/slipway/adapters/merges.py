"""Who brought an image into deploy/, and who took it out: read in the history of the default branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.adapters import git, manifests
from slipway.adapters.forge import object_store
from slipway.adapters.manifests import Deployed
from slipway.domain.explanation import Merge
from slipway.errors import BadFile

_FORM = "--format=%x1e%H%x1f%P%x1f%an <%ae>%x1f%cI%x1f%s"


@dataclass(frozen=True, slots=True)
class Change:
    """A commit of the default branch after which a manifest says something else of an image.

    `before` and `after` are the versions that had all of the traffic; `is_in` whether the image is named since.
    """

    merge: Merge
    before: str | None
    after: str | None
    is_in: bool


def changes_of(
    repository: Path, head: str, path: str, *, model: str, digest: str, is_shallow: bool = False
) -> tuple[Change, ...]:
    """Oldest first, along the first parents: what a pull request did inside of itself is one change.

    Where history is cut off, `is_shallow`, its first commit seems to have brought everything, and is left out.

    Args:
        repository: holds the history.
        head: the last commit of the default branch.
        path: of the manifest.
        model: what it calls the image.
        digest: of the image.
        is_shallow: as git says of the repository.
    """
    said = git.run(
        *("log", "--no-patch", "--reverse", "--first-parent", "--diff-merges=first-parent", "--no-show-signature"),
        *(_FORM, f"-G{digest}", head, "--", path),
        cwd=repository,
    )
    records = said.decode(errors="replace").split("\x1e")[1:]
    whole = (one for one in records if not is_shallow or one.split("\x1f")[1])
    return tuple(_changes(repository, whole, path, model=model, digest=digest))


def was_brought_by(repository: Path, commit: str, merge: str) -> bool:
    """Whether a commit came to the default branch by this one, and was not there before."""
    if not git.is_ancestor(repository, commit, merge):
        return False
    before = git.ask("rev-parse", "--quiet", "--verify", f"{merge}^", cwd=repository)
    return bool(before.code) or not git.is_ancestor(repository, commit, before.out.decode().strip())


def _changes(repository: Path, records: Iterable[str], path: str, *, model: str, digest: str) -> Iterator[Change]:
    for record in records:
        commit, parents, by, at, subject = record.strip().split("\x1f")
        before, _ = _named(repository, f"{commit}^", path, model=model)
        after, canary = _named(repository, commit, path, model=model)
        is_canary = canary is not None and canary.digest == digest
        merge = Merge(
            commit=commit,
            by=by,
            at=at,
            subject=subject,
            is_merge=len(parents.split()) > 1,
            by_slipway=by.endswith(f"<{object_store.EMAIL}>"),
            canary=is_canary,
        )
        is_in = is_canary or (after is not None and after.digest == digest)
        yield Change(merge, before.tag if before else None, after.tag if after else None, is_in)


def _named(repository: Path, commit: str, path: str, *, model: str) -> tuple[Deployed | None, Deployed | None]:
    """What has the traffic and what has a share of it; nothing where a commit of long ago cannot be read today."""
    content = git.read_file(repository, commit, path)
    if content is None:
        return None, None
    try:
        return (
            manifests.deployed(content, name=model, where=path),
            manifests.canary_of(content, name=model, where=path),
        )
    except BadFile:
        return None, None
