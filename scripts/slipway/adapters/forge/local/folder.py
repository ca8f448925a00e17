"""The folder of a local forge: numbered files, written whole, by one writer at a time.

People may read and edit the files meanwhile; nobody ever sees half of one.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from slipway.adapters import atomic, crash_points
from slipway.adapters.forge.local.documents import Document, FieldsT, IssueFields, PullFields, parse, render
from slipway.errors import ForgeRefused

Kind = Literal["pulls", "issues"]
_KINDS: tuple[Kind, ...] = ("pulls", "issues")
_CALLED = {"pulls": "pull request", "issues": "issue"}
_LONGEST_SLUG = 80


@dataclass(frozen=True, slots=True)
class Folder:
    """`path` holds the folders `pulls` and `issues`, and those of `announcements.py`."""

    path: Path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer at a time; the operating system frees the lock of a killed process."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / ".lock"):
            for leftover in self.path.glob("*/.*.part"):  # of a killed writer: nobody else writes now
                leftover.unlink()
            yield

    def next_number(self) -> int:
        """Pull requests and issues count together, as on GitHub."""
        taken = [int(path.name.split("-")[0]) for kind in _KINDS for path in self._files(kind)]
        return max(taken, default=0) + 1

    def pull(self, number: int) -> Document[PullFields]:
        return _load(self.file("pulls", number), PullFields)

    def issue(self, number: int) -> Document[IssueFields]:
        return _load(self.file("issues", number), IssueFields)

    def pulls(self) -> list[Document[PullFields]]:
        return [_load(path, PullFields) for path in self._files("pulls")]

    def issues(self) -> list[Document[IssueFields]]:
        return [_load(path, IssueFields) for path in self._files("issues")]

    def holds(self, kind: Kind, number: int) -> bool:
        return bool(self._files(kind, number))

    def file(self, kind: Kind, number: int) -> Path:
        """
        Raises:
            ForgeRefused: nothing of that kind has the number.
        """
        for path in self._files(kind, number):
            return path
        raise ForgeRefused(f"there is no {_CALLED[kind]} #{number}", mend=f"look into {self.path / kind}")

    def create(self, kind: Kind, document: Document[Any], *, named: str, moment: str) -> None:
        name = f"{document.fields.number:04}-{_slug(named)}.md"
        with crash_points.external_write(moment):
            replace_file(self.path / kind / name, render(document))

    def update(self, kind: Kind, document: Document[Any], *, moment: str) -> None:
        path, content = self.file(kind, document.fields.number), render(document)
        if path.read_bytes() != content:
            with crash_points.external_write(moment):
                replace_file(path, content)

    def _files(self, kind: Kind, number: int | None = None) -> list[Path]:
        pattern = "[0-9]*-*.md" if number is None else f"{number:04}-*.md"
        return sorted((self.path / kind).glob(pattern))


def replace_file(path: Path, content: bytes) -> None:
    """Write the file whole: whoever looks sees what was there before, or all of this."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(scratch).chmod(0o644)  # mkstemp's is for one user only
    Path(scratch).replace(path)
    atomic.keep_name_in(path.parent)


def _load(path: Path, fields: type[FieldsT]) -> Document[FieldsT]:
    return parse(path.read_bytes(), fields, where=str(path))


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:_LONGEST_SLUG].strip("-.") or "untitled"
