"""Take pages and files that another job wrote into the record, and nothing that it was not asked for.

The job that ran a model's code may have been taken over. What it hands on is data: pages of the kinds that are its
own, and files whose bytes are what a page says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from slipway.adapters.records import Record, files_in, sha256_of
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CANARY_PAGES, CanaryEvidence
from slipway.domain.delivery import Delivery
from slipway.domain.incident import WINDOW_PAGES, IncidentVerdicts
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.release import RELEASE_PAGES
from slipway.errors import BadFile, DigestMismatch

_PAGE = re.compile(r"(?P<kind>[a-z]+(?:-[a-z]+)*)\.(?P<number>[1-9][0-9]{0,5})\.json")
_INCIDENT = re.compile(r"\d{4}-\d\d-\d\d-[a-z]+(?:-[a-z]+)*")
_WINDOW_PAGES = {**WINDOW_PAGES, **CANARY_PAGES}
_LARGEST_PAGE = 5_000_000  # bytes
_AGAIN = "run the whole release again; if it happens twice, look into that job's log"


def run(record: Record, *, received: Path, kinds: Collection[str]) -> list[str]:
    """Return the names of the pages that were taken in.

    Args:
        record: of the release.
        received: the folder that came from the other job: `<kind>.<n>.json` and `blobs/`.
        kinds: the pages that this job was to write.

    Raises:
        BadFile: a page of another kind or release, one that does not read as its kind, or none of a kind.
        DigestMismatch: a file is missing, or is not what its page says.
    """
    known = {kind: RELEASE_PAGES[kind] for kind in kinds if kind in RELEASE_PAGES}
    pages = [_read(path, record, known) for path in sorted(received.glob("*.json"))]
    missing = [kind for kind in kinds if kind not in {page.kind for page in pages}]
    if missing:
        raise BadFile(f"{received} holds no page `{missing[0]}` of {record.subject}", mend=_AGAIN)
    return _take_in(record, pages, received)


def run_on_windows(received: Path, *, workplace: Workplace) -> list[Record]:
    """Take in the windows that other jobs looked at; the records of those that were judged, or a canary in them.

    Args:
        received: holds folders `<environment>/<model>/<day>`, at any depth; none where no job had anything to hand on.
        workplace: whose records they become.

    Raises:
        BadFile: a page of another kind or window, or one that does not read as its kind.
    """
    records = []
    for folder in sorted({path.parent for path in received.rglob("*.json")}):
        environment, model, day = folder.relative_to(received).parts[-3:]
        record = workplace.window(model, environment, day)
        pages = [_read(path, record, _WINDOW_PAGES) for path in sorted(folder.glob("*.json")) if not _is_posted(path)]
        for page in pages:
            _refuse_other_places(page.body, environment=environment, model=model, where=folder)
        _take_in(record, pages, folder)
        if record.latest(IncidentVerdicts) is not None or record.latest(CanaryEvidence) is not None:
            records.append(record)
    return records


def _is_posted(path: Path) -> bool:
    """A shard posts nothing, and has such pages from the ledger at most: one of its own would be signed and posted."""
    return path.name.startswith(f"{Delivery.kind}.")


def _take_in(record: Record, pages: Sequence[Page[Body]], received: Path) -> list[str]:
    for page in pages:
        for file in files_in(page.body):
            _take(record, received / "blobs" / file.sha256, file.sha256, file.size)
    record.seed({page.file_name: page.to_json() for page in pages})
    return [page.file_name for page in pages]


def _refuse_other_places(body: Body, *, environment: str, model: str, where: Path) -> None:
    """What a page says of itself decides where the ledger keeps it."""
    told = {name: getattr(body, name) for name in ("environment", "model") if hasattr(body, name)}
    incident = getattr(body, "incident", None)
    if not told.items() <= {"environment": environment, "model": model}.items():
        raise BadFile(f"{where} holds a page about {told['model']} in {told['environment']}", mend=_AGAIN)
    if incident is not None and not _INCIDENT.fullmatch(incident):
        raise BadFile(f"{where} holds a page of `{incident}`, which names no incident", mend=_AGAIN)


def _read(path: Path, record: Record, kinds: Mapping[str, type[Body]]) -> Page[Body]:
    match = _PAGE.fullmatch(path.name)
    if match is None or match["kind"] not in kinds:
        raise BadFile(f"{path} is no page that this job was to write ({', '.join(kinds)})", mend=_AGAIN)
    if path.is_symlink() or path.stat().st_size > _LARGEST_PAGE:
        raise BadFile(f"{path} is no plain file of at most {_LARGEST_PAGE:,} bytes", mend=_AGAIN)
    page = parse_page(kinds[match["kind"]], path.read_bytes(), where=str(path))
    if page.subject != record.subject or page.file_name != path.name:
        raise BadFile(f"{path} is about {page.subject}, {page.file_name}; asked was {record.subject}", mend=_AGAIN)
    return page


def _take(record: Record, path: Path, sha256: str, size: int) -> None:
    if (record.folder / "blobs" / sha256).is_file():
        return
    if path.is_symlink() or not path.is_file():
        raise DigestMismatch(f"{path} was not handed on", mend=_AGAIN)
    if path.stat().st_size != size or sha256_of(path) != sha256:
        raise DigestMismatch(f"{path} does not hold the bytes that its page names", mend=_AGAIN)
    record.keep(path, name=sha256)
