"""The digest of a folder: of names and contents, in one order, on any machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from slipway.adapters.records import sha256_of


def digest_of_tree(folder: Path) -> str:
    """`sha256:` of all files below `folder`, or of the one file that it is; times and modes play no part."""
    digest = hashlib.sha256()
    for path in sorted([folder] if folder.is_file() else folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in name.parts:
            digest.update(f"{name.as_posix()}\0{sha256_of(path)}\n".encode())
    return f"sha256:{digest.hexdigest()}"
