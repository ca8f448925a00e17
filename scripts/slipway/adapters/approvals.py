"""Who let in what runs: the commit of the default branch that brought a digest into a manifest, and its author.

The author of a merge commit is who merged; where a request was squashed, its commit has the author of the request's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from slipway.adapters import git, moments
from slipway.adapters.forge import object_store
from slipway.domain.upkeep import Approval

_PULL = re.compile(r"Merge pull request #(?P<merged>[1-9][0-9]*) |.*\(#(?P<squashed>[1-9][0-9]*)\)\Z")
_FORM = "%x00%H%n%P%n%aI%n%an%n%s"  # none of these can hold a line break


@dataclass(frozen=True, slots=True)
class _Change:
    """What a commit did to a file: the blobs that it was and is, of zeros where there is none."""

    approval: Approval
    before: str
    after: str


@dataclass(frozen=True)
class Approvals:
    """The changes of deploy/ along the default branch, read once."""

    repository: Path
    changes: Mapping[str, Sequence[_Change]]  # by path, newest first

    def of_digests(self, wanted: Mapping[str, str]) -> dict[str, Approval]:
        """By the path of a manifest, which commit brought the digest that is `wanted` there.

        A path is left out where history does not tell, as in a clone without it. Of a digest that comes back after
        another one, it is the commit that brought it back.
        """
        found: dict[str, Approval] = {}
        left = {path: iter(self.changes.get(path, ())) for path in wanted}
        while left:
            newest = {path: change for path, changes in left.items() if (change := next(changes, None)) is not None}
            before = {change.before for change in newest.values() if set(change.before) != {"0"}}
            contents = object_store.read_blobs(self.repository, sorted(before))
            for path, change in newest.items():
                if wanted[path].encode() not in contents.get(change.before, b""):
                    found[path] = change.approval
            left = {path: left[path] for path in newest if path not in found}
        return found

    def each_of_digest(self, path: str, digest: str) -> tuple[Approval, ...]:
        """Of every time that a digest came into a manifest, newest first."""
        name = digest.encode()
        return tuple(
            change.approval
            for change in self.changes.get(path, ())
            if name in self._contents.get(change.after, b"") and name not in self._contents.get(change.before, b"")
        )

    @cached_property
    def _contents(self) -> Mapping[str, bytes]:
        """Every state that a manifest ever had; they are small."""
        blobs = {blob for changes in self.changes.values() for one in changes for blob in (one.before, one.after)}
        return object_store.read_blobs(self.repository, sorted(blob for blob in blobs if set(blob) != {"0"}))


def approvals(repository: Path, commit: str | None) -> Approvals:
    """Of the default branch up to `commit`, all by one git."""
    if commit is None:
        return Approvals(repository, {})
    flags = (
        *("--first-parent", "--diff-merges=first-parent", "--raw", "--no-renames", "--no-abbrev"),
        "--no-show-signature",
    )
    out = git.run("log", *flags, f"--format={_FORM}", commit, "--", "deploy", cwd=repository)
    cut_off = moments.is_shallow(repository)
    found: defaultdict[str, list[_Change]] = defaultdict(list)
    for told in out.decode(errors="replace").split("\0")[1:]:
        for path, change in _of_one(told, cut_off=cut_off):
            found[path].append(change)
    return Approvals(repository, found)


def _of_one(told: str, *, cut_off: bool) -> Iterator[tuple[str, _Change]]:
    """A commit at which a shallow history ends seems to have brought all that there is: it says nothing."""
    commit, parents, when, author, subject, *lines = told.split("\n")
    if cut_off and not parents:
        return
    approval = Approval(by=author, commit=commit, pull=_pull(subject), at=datetime.fromisoformat(when))
    for line in lines:
        if line.startswith(":"):
            about, _, path = line.partition("\t")
            _, _, before, after, _ = about.split()
            yield path, _Change(approval, before, after)


def _pull(subject: str) -> int | None:
    match = _PULL.match(subject)
    return None if match is None else int(match["merged"] or match["squashed"])
