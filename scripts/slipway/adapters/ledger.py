"""The ledger: a branch of pages that were written once, and of windows, a line each.

    <model>/v1.4.0/<kind>.<n>.json    <model>/<environment>/windows/<year-month>.jsonl
    _heartbeats/<workflow>/<year-month>.jsonl

It lives on a forge as a branch without code. Many runs append at the same time: each reads the branch, makes
its commit on what it read, and begins again when somebody else was faster.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from slipway.adapters import crash_points
from slipway.adapters.forge import Branches
from slipway.errors import BranchMoved, PageExists

BRANCH = "ledger"
_TRIES = 120  # eight busy writers on two cores were seen to need up to 40
_LONGEST_PAUSE = 1.0  # seconds
_NUMBERED = re.compile(r"([1-9][0-9]*)\.json")
_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._+-]*/)*[A-Za-z0-9_][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True)
class StoredPage:
    """One page as it lies in the ledger; `number` is the n of `<kind>.<n>.json`."""

    path: str
    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Ledger:
    """Readers see one commit at a time; the only writer is the step `record-pages`."""

    forge: Branches

    def append(
        self, files: Mapping[str, bytes], *, lines: Mapping[str, Sequence[str]] | None = None, message: str
    ) -> str:
        """Add pages and lines by one commit and return the commit that holds them.

        Args:
            files: path → the whole page. One that is there with the same bytes is left.
            lines: path of a `.jsonl` → JSON lines for its end. One that is there, or whose `key` is, is left.
            message: why, for the branch's history.

        Nothing new makes no commit.

        Raises:
            PageExists: a page is there with other bytes; nothing was written.
            BranchMoved: others were faster each time.
        """
        _check(files, lines or {})
        for pause in _pauses():
            head = self.forge.head(BRANCH)
            changes = {**self._new_pages(head, files), **self._new_lines(head, lines or {})}
            if head is not None and not changes:
                return head
            try:
                with crash_points.external_write("ledger-commit"):
                    return self.forge.commit(BRANCH, onto=head, changes=changes, message=message)
            except BranchMoved:
                time.sleep(pause)
        raise BranchMoved(f"the branch `{BRANCH}` moved {_TRIES} times while it was written", mend="run again")

    def read(self, path: str) -> bytes | None:
        """The newest state of one file, None where it was never written."""
        head = self.forge.head(BRANCH)
        return None if head is None else self.forge.read(head, path)

    def pages(self, under: str = "") -> dict[str, bytes]:
        """Path → content of all files below the folder `under`, of one commit."""
        head = self.forge.head(BRANCH)
        return {} if head is None else self._contents(self.forge.list_files(head, under))

    def pages_in(self, folders: Collection[str]) -> dict[str, bytes]:
        """Path → content of the files that lie in many folders, of one commit: listed once and read at once."""
        head = self.forge.head(BRANCH)
        files = {} if head is None else self.forge.list_files(head)
        return self._contents({path: blob for path, blob in files.items() if path.rpartition("/")[0] in folders})

    def pages_of_kind(self, kind: str, *, under: str) -> dict[str, bytes]:
        """Path → content of the pages of one kind below the folder `under`, of one commit and read at once."""
        head = self.forge.head(BRANCH)
        files = {} if head is None else self.forge.list_files(head, under)
        return self._contents({path: at for path, at in files.items() if path.split("/")[-1].startswith(f"{kind}.")})

    def _contents(self, files: Mapping[str, str]) -> dict[str, bytes]:
        contents = self.forge.read_blobs(files.values())
        return {path: contents[blob] for path, blob in files.items()}

    def latest(self, folder: str, kind: str) -> StoredPage | None:
        """The page with the highest number of one kind in a folder such as `flight-delay/v1.4.0`."""
        head = self.forge.head(BRANCH)
        numbers = [] if head is None else _numbers(self.forge.list_files(head, folder), folder, kind)
        if head is None or not numbers:
            return None
        path = page_path(folder, kind, max(numbers))
        content = self.forge.read(head, path)
        return None if content is None else StoredPage(path, max(numbers), content)

    def _new_pages(self, head: str | None, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those that are not there yet, found by blob id: no page is read for it."""
        if head is None:
            return dict(files)
        there: dict[str, str] = {}
        for folder in {str(PurePosixPath(path).parent) for path in files}:
            there.update(self.forge.list_files(head, "" if folder == "." else folder))
        new = {path: content for path, content in files.items() if path not in there}
        for path, content in files.items():
            if path in there and there[path] != _blob_id(content, like=there[path]):
                raise _exists(path)
        for path in new:
            self._refuse_file_as_folder(head, path, there)
        return new

    def _refuse_file_as_folder(self, head: str, path: str, there: Mapping[str, str]) -> None:
        """Git would silently let the one take the other's place."""
        if any(other.startswith(f"{path}/") for other in there):
            raise _exists(path)
        folder = str(PurePosixPath(path).parent)
        if not any(other.startswith(f"{folder}/") for other in there):
            for parent in PurePosixPath(path).parents:
                if self.forge.read(head, str(parent)) is not None:
                    raise _exists(str(parent))

    def _new_lines(self, head: str | None, lines: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
        changes = {}
        for path, wanted in lines.items():
            before = (self.forge.read(head, path) if head else None) or b""
            after = _with_lines(before, wanted)
            if after != before:
                changes[path] = after
        return changes


def page_path(folder: str, kind: str, number: int) -> str:
    return f"{folder.strip('/')}/{kind}.{number}.json"


def _check(files: Mapping[str, bytes], lines: Mapping[str, Sequence[str]]) -> None:
    """These are mistakes of ours, never of a user: no mend."""
    if not files and not lines:
        raise ValueError("nothing to append")
    for path in (*files, *lines):
        if not _PATH.fullmatch(path) or path in files.keys() & lines.keys():
            raise ValueError(f"no path of the ledger: {path!r}")
    for line in (line for wanted in lines.values() for line in wanted):
        if "\n" in line or not isinstance(json.loads(line), dict):
            raise ValueError(f"not one line with a JSON object: {line!r}")


def _pauses() -> Iterator[float]:
    """Seconds; a random part of a growing span, so that two losers do not meet again."""
    return (random.uniform(0, min(_LONGEST_PAUSE, 0.02 * 1.3**number)) for number in range(_TRIES))  # noqa: S311


def _with_lines(before: bytes, wanted: Sequence[str]) -> bytes:
    there = [line for line in before.decode().split("\n") if line]
    keys = set(map(_key, there)) - {None}
    for line in wanted:
        if line not in there and _key(line) not in keys:
            there.append(line)
            keys |= {_key(line)} - {None}
    return "".join(f"{line}\n" for line in there).encode()


def _key(line: str) -> str | None:
    """The line's own name of what it tells, such as the digest of what a window's measure read."""
    told = json.loads(line)
    return str(told["key"]) if isinstance(told, dict) and "key" in told else None


def _numbers(paths: Mapping[str, str], folder: str, kind: str) -> list[int]:
    start = f"{folder.strip('/')}/{kind}."
    matches = (_NUMBERED.fullmatch(path, len(start)) for path in paths if path.startswith(start))
    return [int(match[1]) for match in matches if match]


def _blob_id(content: bytes, *, like: str) -> str:
    """What git calls a blob of this content; a longer id is that of a repository with SHA-256."""
    algorithm = "sha1" if len(like) == 40 else "sha256"
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _exists(path: str) -> PageExists:
    return PageExists(
        f"the ledger's `{path}` is written already, with other content; pages are written once",
        mend="run the step again: it takes the next number",
    )
