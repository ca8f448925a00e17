"""Unpack a tar as it comes, into a folder that it cannot leave.

`tarfile` has a filter for this, but not in the Python 3.11.2 of Debian 12.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

from slipway.errors import BadFile


def unpack(stream: IO[bytes], into: Path) -> None:
    """Write folders, files (with their executable bit) and links of a tar below `into`.

    Where links lead is for the caller to judge; nothing is written through one.

    Raises:
        BadFile: an entry would lie outside, or is neither file, folder nor link.
        tarfile.ReadError: the stream is no tar, or broke off.
    """
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            _unpack_entry(archive, entry, into)


def _unpack_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, into: Path) -> None:
    target = _inside(entry.name, into)
    if entry.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.issym():
        target.symlink_to(entry.linkname)
        return
    content = archive.extractfile(entry) if entry.isreg() else None
    if content is None:
        raise BadFile(f"`{entry.name}` is neither a file, a folder nor a link", mend="leave it out of the folder")
    with target.open("xb") as file:
        shutil.copyfileobj(content, file)
    target.chmod(0o755 if entry.mode & 0o100 else 0o644)


def _inside(name: str, into: Path) -> Path:
    path = PurePosixPath(name)
    target = into / path
    if path.is_absolute() or ".." in path.parts or not target.parent.resolve().is_relative_to(into.resolve()):
        raise BadFile(f"`{name}` would lie outside of the folder", mend="rename it")
    return target
