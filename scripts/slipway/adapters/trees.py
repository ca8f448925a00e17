"""Folders as a whole: their digest, of names and contents, the same on any machine, and what may not lie in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from slipway.adapters.file_digests import sha256_of
from slipway.errors import BadFile


def digest_of_tree(folder: Path) -> str:
    """`sha256:` of all files below `folder`, or of the one file that it is; times and modes play no part."""
    digest = hashlib.sha256()
    for path in sorted([folder] if folder.is_file() else folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in name.parts:
            digest.update(f"{name.as_posix()}\0{sha256_of(path)}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def refuse_strange_files(top: Path, *, shown_as: str) -> None:
    """Looked at when all are there: a chain of two links can lead out where neither does alone.

    Raises:
        BadFile: a link leads out of the folder `top`: what it names belongs to the machine, not to the model; or there
            is a pipe or a device, whose reader would wait for ever.
    """
    for path in top.rglob("*"):
        if path.is_symlink() and not _stays_inside(path, top):
            target = os.readlink(path)  # noqa: PTH115  # as written
            raise BadFile(
                f"{shown_as}/{path.relative_to(top)} is a link to `{target}`, outside of {shown_as}",
                mend=f"put a copy of the file in place of the link, or keep it out of {shown_as}",
            )
        if not path.is_symlink() and not path.is_file() and not path.is_dir():
            raise BadFile(
                f"{shown_as}/{path.relative_to(top)} is neither a file, a folder nor a link",
                mend=f"keep it out of {shown_as}",
            )


def _stays_inside(link: Path, top: Path) -> bool:
    try:
        return link.resolve().is_relative_to(top.resolve())
    except RuntimeError:  # links in a circle
        return False
