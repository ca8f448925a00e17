"""Who brought an image into a manifest, and who took it out: each time, with what it stood beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from slipway.adapters import deploy_edits, git, manifests
from slipway.adapters.deploy_edits import Commit, Edit, read_edits
from slipway.adapters.manifests import Deployed
from slipway.domain.explanation import Merge
from slipway.errors import BadFile


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
    repository: Path, head: str | None, path: str, *, model: str, digests: Sequence[str]
) -> tuple[Change, ...]:
    """Of one image after the other, oldest first; none without a branch.

    Args:
        repository: holds the history.
        head: the last commit of the default branch.
        path: of the manifest.
        model: what it calls the image.
        digests: of the images.
    """
    edits = read_edits(repository, head, path).get(path, ())[::-1]
    said = deploy_edits.contents(repository, edits)
    about = [edit for edit in edits if any(one.encode() in said[edit.before] + said[edit.after] for one in digests)]
    named = {blob: _named(said[blob], path, model=model) for edit in about for blob in (edit.before, edit.after)}
    return tuple(change for digest in digests for change in _changes(about, named, digest))


def was_brought_by(repository: Path, commit: str, merge: str) -> bool:
    """Whether a commit came to the default branch by this one, and was not there before."""
    if not git.is_ancestor(repository, commit, merge):
        return False
    before = git.ask("rev-parse", "--quiet", "--verify", f"{merge}^", cwd=repository)
    return bool(before.code) or not git.is_ancestor(repository, commit, before.out.decode().strip())


class _Traffic(Enum):
    NONE = auto()
    SHARE = auto()
    WHOLE = auto()


@dataclass(frozen=True, slots=True)
class _Named:
    """What has the traffic and what has a share of it."""

    whole: Deployed | None
    canary: Deployed | None

    @property
    def version(self) -> str | None:
        return self.whole.tag if self.whole else None

    def traffic_of(self, digest: str) -> _Traffic:
        if self.canary is not None and self.canary.digest == digest:
            return _Traffic.SHARE
        return _Traffic.WHOLE if self.whole is not None and self.whole.digest == digest else _Traffic.NONE


def _changes(edits: Sequence[Edit], named: Mapping[str | None, _Named | None], digest: str) -> Iterator[Change]:
    for edit in edits:
        before, after = named[edit.before], named[edit.after]
        if before and after and before.traffic_of(digest) != (now := after.traffic_of(digest)):
            merge = _merge(edit.commit, canary=now is _Traffic.SHARE)
            yield Change(merge, before.version, after.version, is_in=now is not _Traffic.NONE)


def _merge(commit: Commit, *, canary: bool) -> Merge:
    return Merge(
        commit=commit.id,
        by=f"{commit.author} <{commit.email}>",
        at=commit.at,
        subject=commit.subject,
        is_merge=commit.is_merge,
        by_slipway=commit.by_slipway,
        canary=canary,
    )


def _named(content: bytes, path: str, *, model: str) -> _Named | None:
    """None where a manifest of long ago cannot be read today: it says nothing of who brought what."""
    if not content:
        return _Named(None, None)
    try:
        return _Named(
            manifests.deployed(content, name=model, where=path), manifests.canary_of(content, name=model, where=path)
        )
    except BadFile:
        return None
