"""Each edit of deploy/ along the default branch, with the commit that made it: read once, by one git.

Along the first parents, what a pull request did inside of itself is one edit. The author of a merge commit is who
merged; where a request was squashed, its commit has the author of the request's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.adapters import git, moments
from slipway.adapters.forge import object_store

_PULL = re.compile(r"Merge pull request #(?P<merged>[1-9][0-9]*) |.*\(#(?P<squashed>[1-9][0-9]*)\)\Z")
_FORM = "%x00%H%n%P%n%cI%n%an%n%ae%n%s"  # none of these can hold a line break
_FLAGS = (
    *("--first-parent", "--diff-merges=first-parent", "--raw", "--no-renames", "--no-abbrev"),
    *("--sparse", "--no-show-signature", f"--format={_FORM}"),  # sparse: each tree is compared once, and not twice
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the default branch; `at` is when it was made, as ISO 8601 with its time zone.

    `pull` is the number of its pull request, None where its words name none. `is_merge` is False of a squash, a rebase
    or a direct commit.
    """

    id: str
    author: str
    email: str
    at: str
    subject: str
    is_merge: bool

    @property
    def pull(self) -> int | None:
        match = _PULL.match(self.subject)
        return None if match is None else int(match["merged"] or match["squashed"])

    @property
    def is_squash(self) -> bool:
        """Of a request that is named behind its title, as GitHub does: its author is who wrote it."""
        match = _PULL.match(self.subject)
        return not self.is_merge and match is not None and match["squashed"] is not None

    @property
    def by_slipway(self) -> bool:
        return self.email == object_store.EMAIL


@dataclass(frozen=True, slots=True)
class Edit:
    """What a commit did to a file: the blobs that it was and is, None where there is no file."""

    commit: Commit
    before: str | None
    after: str | None


def read_edits(repository: Path, head: str | None, under: str = "deploy") -> Mapping[str, Sequence[Edit]]:
    """By path, newest first; empty without a branch.

    Args:
        repository: holds the history.
        head: the last commit of the default branch.
        under: a folder or a file.
    """
    found: defaultdict[str, list[Edit]] = defaultdict(list)
    for path, edit in each_edit(repository, head, under):
        found[path].append(edit)
    return found


def each_edit(repository: Path, head: str | None, under: str = "deploy") -> Generator[tuple[str, Edit]]:
    """Path and edit, newest first, as git finds them: it looks no further than somebody reads."""
    if head is None:
        return
    cut_off = moments.is_shallow(repository)
    with git.streamed("log", *_FLAGS, head, "--", under, cwd=repository) as out:
        for told in _commits(out):
            yield from _of_one(told, cut_off=cut_off)


def contents(repository: Path, edits: Iterable[Edit]) -> Mapping[str | None, bytes]:
    """Every state that the edits led from and to, by its blob; that of no file is empty. Manifests are small.

    Raises:
        ForgeRefused: the repository lacks one of them.
    """
    blobs = {blob for edit in edits for blob in (edit.before, edit.after) if blob is not None}
    found: dict[str | None, bytes] = {None: b""}
    found.update(object_store.read_blobs(repository, sorted(blobs)))
    return found


def _commits(out: Iterable[bytes]) -> Iterator[str]:
    """What is told of each, from line to line."""
    lines: list[bytes] = []
    for line in out:
        if line.startswith(b"\0") and lines:
            yield b"".join(lines)[1:].decode(errors="replace")
            lines = []
        lines.append(line)
    if lines:
        yield b"".join(lines)[1:].decode(errors="replace")


def _of_one(told: str, *, cut_off: bool) -> Iterator[tuple[str, Edit]]:
    """A commit at which a shallow history ends seems to have brought all that there is: it says nothing."""
    name, parents, at, author, email, subject, *lines = told.split("\n")
    if cut_off and not parents:
        return
    commit = Commit(name, author, email, at, subject, is_merge=" " in parents)
    for line in lines:
        if line.startswith(":"):
            about, _, path = line.partition("\t")
            _, _, before, after, _ = about.split()
            yield path, Edit(commit, _blob(before), _blob(after))


def _blob(name: str) -> str | None:
    """Git writes zeros where there is none."""
    return name if name.strip("0") else None
