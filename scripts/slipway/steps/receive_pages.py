"""Take pages and files that another job wrote into the record, and nothing that it was not asked for.

The job that ran a model's code may have been taken over. What it hands on is data: pages of the kinds that are its
own, and files whose bytes are what a page says.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from slipway.adapters.records import Record, files_in, sha256_of
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.release import RELEASE_PAGES
from slipway.errors import BadFile, DigestMismatch

_PAGE = re.compile(r"(?P<kind>[a-z]+(?:-[a-z]+)*)\.(?P<number>[1-9][0-9]{0,5})\.json")
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
    pages = [_read(path, record, kinds) for path in sorted(received.glob("*.json"))]
    missing = [kind for kind in kinds if kind not in {page.kind for page in pages}]
    if missing:
        raise BadFile(f"{received} holds no page `{missing[0]}` of {record.subject}", mend=_AGAIN)
    for page in pages:
        for file in files_in(page.body):
            _take(record, received / "blobs" / file.sha256, file.sha256, file.size)
    record.seed({page.file_name: page.to_json() for page in pages})
    return [page.file_name for page in pages]


def _read(path: Path, record: Record, kinds: Collection[str]) -> Page[Body]:
    match = _PAGE.fullmatch(path.name)
    if match is None or match["kind"] not in kinds or match["kind"] not in RELEASE_PAGES:
        raise BadFile(f"{path} is no page that this job was to write ({', '.join(kinds)})", mend=_AGAIN)
    if path.is_symlink() or path.stat().st_size > _LARGEST_PAGE:
        raise BadFile(f"{path} is no plain file of at most {_LARGEST_PAGE:,} bytes", mend=_AGAIN)
    page = parse_page(RELEASE_PAGES[match["kind"]], path.read_bytes(), where=str(path))
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
