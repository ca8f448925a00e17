"""Files of a source that stand for others: pointers of Git LFS, and `.dvc` files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_LONGEST = 1_024  # bytes; the specification of pointers says so
_OID, _SIZE = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE), re.compile(rb"^size ([0-9]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LfsPointer:
    """What a pointer file says: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Pointers:
    lfs: tuple[LfsPointer, ...]
    dvc: tuple[Path, ...]

    def __bool__(self) -> bool:
        return bool(self.lfs or self.dvc)


def pointers_of(folder: Path, source: str) -> Pointers:
    """Those of the file or folder `source` below `folder`; also `source.dvc`, where all of it is tracked by DVC."""
    top, tracked = folder / source, folder / f"{source.rstrip('/')}.dvc"
    files = sorted(path for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file())
    whole = [tracked] if tracked.is_file() else []
    return Pointers(
        lfs=tuple(found for path in files if (found := _lfs(path)) is not None),
        dvc=(*whole, *(path for path in files if path.name.endswith(".dvc") and path.name != ".dvc")),
    )


def _lfs(path: Path) -> LfsPointer | None:
    if path.stat().st_size > _LONGEST:
        return None
    content = path.read_bytes()
    oid, size = _OID.search(content), _SIZE.search(content)
    if not content.startswith(_LFS) or oid is None or size is None:
        return None
    return LfsPointer(path, oid[1].decode(), int(size[1]))
