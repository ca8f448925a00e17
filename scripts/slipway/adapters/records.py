"""A record on disk: write-once pages `<kind>.<number>.json`, and the files that they name under `blobs/`."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from slipway import __version__
from slipway.adapters import atomic, crash_points, git
from slipway.adapters.file_digests import sha256_of as sha256_of  # noqa: PLC0414  # who keeps a file asks here
from slipway.domain.cost import Cost
from slipway.domain.pages import Body, Circumstances, File, Page, key_of, parse_page
from slipway.errors import BadFile, DigestMismatch

BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True)
class Record:
    """The pages of one release or incident; `subject` is its name, `flight-delay@v1.4.0`."""

    folder: Path
    subject: str

    def once(
        self,
        kind: type[BodyT],
        *,
        reads: Mapping[str, str],
        make: Callable[[], BodyT],
        is_deed: bool = False,
        cost: Callable[[], Cost] | None = None,
        isolation: Callable[[], tuple[str, ...]] | None = None,
    ) -> Page[BodyT]:
        """Return the page that was written for the same `reads`, or make it.

        A page whose inputs changed gets the next number beside the old one. When inputs change back, what was
        found then is written again as the newest page, so that the newest is always the one that counts. A deed,
        such as an issue that was closed meanwhile, is done again instead: `is_deed`. `cost` and `isolation` are asked
        when a body was made, and told beside it.
        """
        key = key_of(reads)
        written = self.pages(kind)
        usable = written[-1:] if is_deed else written
        known = next((page for page in reversed(usable) if page.key == key and self._has_files(page.body)), None)
        if known is not None and known is written[-1]:
            return known
        started = time.monotonic()
        body = known.body if known is not None else make()
        seconds = time.monotonic() - started
        page = Page(
            kind=kind.kind,
            subject=self.subject,
            number=written[-1].number + 1 if written else 1,
            reads=dict(reads),
            key=key,
            body=body,
            circumstances=_circumstances(
                seconds,
                tooling=git.commit_here(self.folder),
                cost=_cost_beside(known, cost),
                isolation=known.circumstances.isolation if known else isolation() if isolation else None,
            ),
        )
        atomic.write(self.folder / page.file_name, page.to_json())
        return page

    def once_for_each(self, kind: type[BodyT], *, reads: Mapping[str, str], make: Callable[[], BodyT]) -> Page[BodyT]:
        """As `once`, for pages of which each counts for itself, such as one an environment: none is written again."""
        return self.written_for(kind, reads=reads) or self.once(kind, reads=reads, make=make)

    def written_for(self, kind: type[BodyT], *, reads: Mapping[str, str]) -> Page[BodyT] | None:
        """The page that was written for the same `reads`, also where later ones were written for others."""
        key = key_of(reads)
        return next((page for page in self.pages(kind) if page.key == key), None)

    def page(self, kind: type[BodyT], *, written_by: str) -> Page[BodyT]:
        """Return the newest page of a kind.

        Raises:
            BadFile: there is none; the error names the step `written_by` that makes it.
        """
        found = self.latest(kind)
        if found is None:
            raise BadFile(
                f"{self.folder} has no page `{kind.kind}` for {self.subject}", mend=f"run `slipway {written_by}` first"
            )
        return found

    def latest(self, kind: type[BodyT]) -> Page[BodyT] | None:
        written = self.pages(kind)
        return written[-1] if written else None

    def pages(self, kind: type[BodyT]) -> list[Page[BodyT]]:
        """All pages of a kind, oldest first."""
        found = [
            parse_page(kind, path.read_bytes(), where=str(path)) for path in self.folder.glob(f"{kind.kind}.*.json")
        ]
        return sorted(found, key=lambda page: page.number)

    def contents(self) -> dict[str, bytes]:
        """Every page's file name and bytes, for the ledger."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("*.*.json"))}

    def seed(self, contents: Mapping[str, bytes]) -> None:
        """Lay down pages that the ledger already has, so that this run numbers its own after them."""
        for name, content in contents.items():
            if not (self.folder / name).exists():
                atomic.write(self.folder / name, content)

    def keep(self, source: Path, *, name: str) -> File:
        """Take a file into the record, under its digest."""
        sha256 = sha256_of(source)
        target = self.folder / "blobs" / sha256
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".writing-{sha256}-{os.getpid()}")
            shutil.copyfile(source, temporary)
            with crash_points.external_write("blob"):
                temporary.replace(target)
        return File(name=name, sha256=sha256, size=target.stat().st_size)

    def keep_bytes(self, content: bytes, *, name: str) -> File:
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.folder / "blobs" / sha256
        if not target.exists():
            atomic.write(target, content)
        return File(name=name, sha256=sha256, size=len(content))

    def path(self, file: File) -> Path:
        """Where a file of the record lies.

        Raises:
            DigestMismatch: it is gone, or holds other bytes than the page says.
        """
        path = self.folder / "blobs" / file.sha256
        if not path.is_file():
            raise DigestMismatch(
                f"{path}, the file `{file.name}`, is missing", mend="run the steps again from the start"
            )
        if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            raise DigestMismatch(
                f"{path} does not hold the bytes of `{file.name}`", mend=f"delete {path}, then run the steps again"
            )
        return path

    def scratch(self, name: str) -> Path:
        """An empty folder for work that is not finished; what a killed run left there is removed."""
        folder = self.folder / "scratch" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def has(self, file: File) -> bool:
        """Whether its bytes were handed on; `path` says whether they are what the page says."""
        return (self.folder / "blobs" / file.sha256).is_file()

    def _has_files(self, body: Body) -> bool:
        return all(self.has(file) for file in files_in(body))


def files_in(value: object) -> Iterator[File]:
    """Every file that a page names, at any depth."""
    if isinstance(value, File):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from files_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from files_in(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from files_in(item)


def _cost_beside(known: Page[BodyT] | None, cost: Callable[[], Cost] | None) -> Cost | None:
    if known is not None:
        return known.circumstances.cost
    return None if cost is None else cost()


def _circumstances(
    seconds: float, *, tooling: str | None, cost: Cost | None, isolation: tuple[str, ...] | None
) -> Circumstances:
    return Circumstances(
        written_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        seconds=round(seconds, 3),
        host=socket.gethostname(),
        slipway=__version__,
        run_url=run_url(),
        cost=cost,
        isolation=isolation,
        tooling=tooling,
    )


def run_url() -> str | None:
    """Where GitHub Actions shows this run; None on a laptop."""
    run = os.environ.get("GITHUB_RUN_ID")
    if run is None:
        return None
    return f"{os.environ.get('GITHUB_SERVER_URL')}/{os.environ.get('GITHUB_REPOSITORY')}/actions/runs/{run}"
