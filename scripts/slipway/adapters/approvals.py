"""Who let in what runs: the commit of the default branch that brought a digest into a manifest, and its author."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path

from slipway.adapters.deploy_edits import Commit, Edit, contents, each_edit, read_edits
from slipway.domain.upkeep import Approval


@dataclass(frozen=True)
class Approvals:
    """The edits of deploy/ along the default branch, read once."""

    repository: Path
    edits: Mapping[str, Sequence[Edit]]  # by path, newest first

    def each_of_digest(self, path: str, digest: str) -> tuple[Approval, ...]:
        """Of every time that a digest came into a manifest, newest first."""
        name = digest.encode()
        return tuple(
            _approval(edit.commit)
            for edit in self.edits.get(path, ())
            if name in self._contents[edit.after] and name not in self._contents[edit.before]
        )

    @cached_property
    def _contents(self) -> Mapping[str | None, bytes]:
        return contents(self.repository, (edit for edits in self.edits.values() for edit in edits))


def let_in(repository: Path, head: str | None, wanted: Mapping[str, str]) -> dict[str, Approval]:
    """By the path of a manifest, which commit up to `head` brought the digest that is `wanted` there.

    A path is left out where history does not tell, as in a clone without it. Of a digest that comes back after
    another one, it is the commit that brought it back. History is read no further than that.
    """
    left, found = dict(wanted), dict[str, Approval]()
    with closing(each_edit(repository, head)) as edits:
        of_those_left = ((path, edit) for path, edit in edits if path in left)
        while some := tuple(islice(of_those_left, len(left))):
            before = contents(repository, (Edit(edit.commit, edit.before, None) for _, edit in some))
            for path, edit in some:
                if path in left and left[path].encode() not in before[edit.before]:
                    found[path] = _approval(edit.commit)
                    del left[path]
    return found


def approvals(repository: Path, commit: str | None) -> Approvals:
    """Of the default branch up to `commit`, all by one git."""
    return Approvals(repository, read_edits(repository, commit))


def _approval(commit: Commit) -> Approval:
    return Approval(
        by=commit.author,
        commit=commit.id,
        pull=commit.pull,
        at=datetime.fromisoformat(commit.at),
        squashed=commit.is_squash,
    )
