"""The layer that a release adds to its runtime image: a tar with nothing in it but names and bytes.

Whoever writes it, wherever and whenever, gets the same digest: names are sorted, times and owners are zero,
modes are fixed. It is not compressed: float weights do not shrink, compressors differ between builds of zlib,
and so the digest of the blob is also the image's diff id.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from slipway.errors import BadFile

MODEL_FOLDER = "model"
MODEL_FILES = frozenset({"model.onnx", "identity.json", "profile.json", "README.md"})
CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)


@dataclass(frozen=True, slots=True)
class Layer:
    """A tar that is made anew each time it is read; `digest` is that of the blob and the diff id."""

    files: Mapping[str, Path | bytes]
    digest: str
    size: int

    def open(self) -> Iterator[bytes]:
        """Stream the tar; a chunk is at most 1 MiB."""
        return _tar(self.files)


def model_layer(files: Mapping[str, Path | bytes]) -> Layer:
    """The layer of a release.

    Args:
        files: by bare name (`model.onnx`, `identity.json`, …): the bytes, or where they lie.

    Raises:
        BadFile: a name that a model's layer does not hold, or no `model.onnx`.
    """
    unknown = sorted(files.keys() - MODEL_FILES)
    if unknown or "model.onnx" not in files:
        raise BadFile(
            f"a model's layer cannot hold {', '.join(sorted(files)) or 'nothing'}",
            mend=f"give model.onnx, and of {', '.join(sorted(MODEL_FILES))} what there is",
        )
    return tar_layer({f"{MODEL_FOLDER}/{name}": content for name, content in files.items()})


def tar_layer(files: Mapping[str, Path | bytes]) -> Layer:
    """A deterministic layer of regular files, by their path in the image; two readings, none of them whole.

    Raises:
        BadFile: a path that leaves the image's root, or a file that is not there.
    """
    for name in files:
        _check_path(name)
    ordered = {name: files[name] for name in sorted(files)}
    digest, size = hashlib.sha256(), 0
    for chunk in _tar(ordered):
        digest.update(chunk)
        size += len(chunk)
    return Layer(files=ordered, digest=f"sha256:{digest.hexdigest()}", size=size)


def _tar(files: Mapping[str, Path | bytes]) -> Iterator[bytes]:
    for folder in sorted({str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}):
        yield _header(folder, size=0, folder=True)
    for name, content in files.items():
        yield from _entry(name, content)
    yield _END


def _entry(name: str, content: Path | bytes) -> Iterator[bytes]:
    size = len(content) if isinstance(content, bytes) else _size(content)
    yield _header(name, size=size, folder=False)
    read = 0
    for chunk in _chunks(content):
        read += len(chunk)
        yield chunk
    if read != size:
        raise BadFile(f"{content!s} changed while it was read", mend="let no other process write it; run again")
    if padding := -size % _BLOCK:
        yield bytes(padding)


def _header(name: str, *, size: int, folder: bool) -> bytes:
    entry = tarfile.TarInfo(name)  # owner 0, no owner's name and time 0 are its defaults
    entry.size = size
    entry.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    entry.mode = 0o755 if folder else 0o644
    # PAX is byte-equal to USTAR but where USTAR cannot say it: names over 255 bytes, files over 8 GiB.
    return entry.tobuf(format=tarfile.PAX_FORMAT)


def _chunks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield from (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))
        return
    with content.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _size(path: Path) -> int:
    if not path.is_file():
        raise BadFile(f"{path} is not there, or is no regular file", mend="run the step that writes it again")
    return path.stat().st_size


def _check_path(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or name == "." or "\0" in name:
        raise BadFile(
            f"`{name}` is no path inside an image", mend="write it relative to the root, without `.`, `..` or `//`"
        )
