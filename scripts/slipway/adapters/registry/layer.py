"""The layer that a release adds to its runtime image: a tar with nothing in it but names and bytes.

Whoever writes it, wherever and whenever, gets the same digest: names are sorted, times and owners are zero,
modes are fixed. It is compressed only where that is worth it: float weights do not shrink, and compressors differ
between builds of zlib. Uncompressed, the digest of the blob is also the image's diff id.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from slipway.adapters.registry.compression import compressed, is_worth_it
from slipway.errors import BadFile

MODEL_FOLDER = "model"
MODEL_FILES = frozenset({"model.onnx", "identity.json", "profile.json", "README.md"})
CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)


class Layer(NamedTuple):
    """A tar that is made anew each time it is read."""

    files: Mapping[str, Path | bytes]
    digest: str  # of the blob, as it is sent
    size: int  # of the blob, bytes
    diff_id: str  # the digest of the tar, compressed or not
    is_compressed: bool

    def open(self) -> Iterator[bytes]:
        """Stream the blob; a chunk is about 1 MiB at most."""
        tar = _tar(self.files)
        return compressed(tar) if self.is_compressed else tar


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
    model = files["model.onnx"]
    return _layer(
        {f"{MODEL_FOLDER}/{name}": content for name, content in files.items()},
        is_compressed=_size(model) > 0 and is_worth_it(model),
    )


def tar_layer(files: Mapping[str, Path | bytes]) -> Layer:
    """A deterministic uncompressed layer of regular files, by their path in the image.

    Raises:
        BadFile: a path that leaves the image's root, or a file that is not there.
    """
    return _layer(files, is_compressed=False)


def _layer(files: Mapping[str, Path | bytes], *, is_compressed: bool) -> Layer:
    """Read all once for the digests; it is read again when it is sent, and never held whole."""
    for name in files:
        _check_path(name)
    ordered = {name: files[name] for name in sorted(files)}
    diff_id, digest, size = hashlib.sha256(), hashlib.sha256(), 0
    tar = _told(_tar(ordered), diff_id.update)
    for chunk in compressed(tar) if is_compressed else tar:
        digest.update(chunk)
        size += len(chunk)
    return Layer(ordered, f"sha256:{digest.hexdigest()}", size, f"sha256:{diff_id.hexdigest()}", is_compressed)


def _told(chunks: Iterator[bytes], tell: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        tell(chunk)
        yield chunk


def _tar(files: Mapping[str, Path | bytes]) -> Iterator[bytes]:
    for folder in sorted({str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}):
        yield _header(folder, size=0, folder=True)
    for name, content in files.items():
        yield from _entry(name, content)
    yield _END


def _entry(name: str, content: Path | bytes) -> Iterator[bytes]:
    size = _size(content)
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


def _size(content: Path | bytes) -> int:
    if isinstance(content, bytes):
        return len(content)
    if not content.is_file():
        raise BadFile(f"{content} is not there, or is no regular file", mend="run the step that writes it again")
    return content.stat().st_size


def _check_path(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or name == "." or "\0" in name:
        raise BadFile(
            f"`{name}` is no path inside an image", mend="write it relative to the root, without `.`, `..` or `//`"
        )
