"""What any source may not be, whatever its format: a way out of its folder, a file without an end, a lying archive."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from slipway.errors import ModelRefused

MOST_BYTES = 4 << 30  # unpacked: a small archive can be made of endless zeros
_MOST_ENTRIES = 100_000
_ENCRYPTED = 0x1


def refuse_strange_files(source: Path) -> None:
    """Say no to all but plain files and folders, and to links that lead out of the source.

    Raises:
        ModelRefused: a file is a pipe or a device, whose reader would wait for ever, or a link leads out.
    """
    inside = (source if source.is_dir() else source.parent).resolve()
    for path in (source, *source.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) and not _stays(path, inside):
            raise ModelRefused(f"{path} is a link out of the model's folder", mend="put the file itself there")
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            raise ModelRefused(f"{path} is neither a file, a folder nor a link", mend="leave it out of the source")


def _stays(link: Path, inside: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(inside)
    except (OSError, RuntimeError):  # it leads nowhere, or in a circle
        return False


def refuse_archive(file: Path, *, what: str, mend: str, most_bytes: int = MOST_BYTES) -> None:
    """Say no to a zip archive that two readers could read differently, or that does not fit.

    Raises:
        ModelRefused: it is no `what`, unpacks to too much, or has an entry twice, encrypted, or outside of itself.
    """
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise ModelRefused(f"{file.name} is no {what}: {error}", mend=mend) from error
    size = sum(entry.file_size for entry in entries)
    if size > most_bytes or len(entries) > _MOST_ENTRIES:
        raise ModelRefused(
            f"{file.name} unpacks to {size:,} bytes in {len(entries):,} entries",
            mend=f"save a model of less than {most_bytes >> 30} GiB, in fewer than {_MOST_ENTRIES:,} entries",
        )
    seen: set[str] = set()
    for entry in entries:
        if problem := _problem(entry, seen):
            raise ModelRefused(f"{file.name}: the entry `{entry.filename}` {problem}", mend=mend)
        seen.add(entry.filename)


def _problem(entry: ZipInfo, seen: set[str]) -> str | None:
    path = PurePosixPath(entry.filename)
    mode = entry.external_attr >> 16
    if entry.filename in seen:
        return "is there twice"
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename.partition("/")[0]:
        return "lies outside of the archive"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    return None
