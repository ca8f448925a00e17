"""The model back out of a released image, named by digest: nothing is used before all of it is verified.

The image is not trusted to be ours: from its layer come the four files of a model and nothing else, no path,
link or device of its choosing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from slipway.adapters.crash_points import external_write
from slipway.adapters.registry.compression import decompressed
from slipway.adapters.registry.digests import verified
from slipway.adapters.registry.disk import writing_below
from slipway.adapters.registry.documents import MODEL_LAYER
from slipway.adapters.registry.layer import CHUNK, MODEL_FILES, MODEL_FOLDER
from slipway.adapters.registry.manifests import Descriptor
from slipway.adapters.registry.names import hexadecimal
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.registry.protocol import Registry, Repository
from slipway.errors import UnusableImage

LARGEST_MODEL = 16 << 30  # bytes
_FINISHED = "finished.json"  # digests of the files; written last, so its folder is whole


def pull_model_layer(
    registry: Registry, repository: str, image_digest: str, into: Path, *, largest: int = LARGEST_MODEL
) -> dict[str, Path]:
    """Put the model's files into `into/<hexadecimal digest>/` and return them by bare name (`model.onnx`, …).

    A folder that was finished before is used again, without the registry, when its files are still what they were.

    Raises:
        NoSuchImage: no such image, or one of its blobs is gone.
        DigestMismatch: bytes that are not of their digest.
        UnusableImage: the image holds no model, or one that is not of Slipway's form.
        RegistryRefused: `image_digest` is no digest, and a tag may mean something else tomorrow; or the disk is full.
    """
    with writing_below(into):
        return _pulled(registry, repository, image_digest, into, largest)


def _pulled(registry: Registry, repository: str, image_digest: str, into: Path, largest: int) -> dict[str, Path]:
    folder = into / hexadecimal(image_digest)
    into.mkdir(parents=True, exist_ok=True)
    with FileLock(into / ".lock"):
        partial = into / ".partial"
        shutil.rmtree(partial, ignore_errors=True)  # a killed run's: it may hold as much as a model
        if (files := _finished(folder)) is not None:
            return files
        partial.mkdir()
        try:
            source = registry.repository(repository)
            _fetch(source, _model_layer(source, image_digest, largest), partial, largest=largest)
            shutil.rmtree(folder, ignore_errors=True)  # damaged, or `_finished` had returned it
            with external_write("pulled-model"):
                (partial / "files").rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return {path.name: path for path in sorted(folder.iterdir()) if path.name in MODEL_FILES}


def _finished(folder: Path) -> dict[str, Path] | None:
    try:
        names = json.loads((folder / _FINISHED).read_bytes())
        intact = all(_sha256(folder / name) == digest for name, digest in names.items())
    except (OSError, ValueError, AttributeError):
        return None
    return {name: folder / name for name in sorted(names)} if intact else None


class _ModelLayer(NamedTuple):
    blob: Descriptor
    diff_id: str
    is_compressed: bool


def _model_layer(source: Repository, image_digest: str, largest: int) -> _ModelLayer:
    """Find the model's layer, which an index has in each of its images."""
    image = Platforms.read(source, image_digest).images[0]
    labels = (image.config.get("config") or {}).get("Labels") or {}
    layers = dict(zip(image.config["rootfs"]["diff_ids"], image.layers, strict=True))
    diff_id = str(labels.get(MODEL_LAYER))
    if (found := layers.get(diff_id)) is None:
        raise UnusableImage(
            f"the image {source.name} {image_digest} has no model in it: no layer is labelled {MODEL_LAYER}",
            mend="name an image that `slipway build-image` pushed",
        )
    if found.media_type not in (image.family.layer, image.family.compressed_layer) or found.size > largest:
        raise UnusableImage(
            f"the model's layer of {source.name} {image_digest} is {found.media_type} of {found.size} bytes",
            mend=f"name an image whose model is a tar, plain or in gzip, of at most {largest} bytes",
        )
    return _ModelLayer(found, diff_id, is_compressed=found.media_type == image.family.compressed_layer)


def _fetch(source: Repository, layer: _ModelLayer, partial: Path, *, largest: int) -> None:
    """Download, verify, and only then look inside."""
    archive, files = partial / "layer.tar", partial / "files"
    with source.blob(layer.blob.digest) as chunks, archive.open("wb") as file:
        size = layer.blob.size
        sized = _at_most(size, chunks, f"its layer is larger than the {size} bytes that its manifest says")
        file.writelines(_tar(sized, layer, largest, what=f"the unpacked layer {layer.blob.digest} of {source.name}"))
    files.mkdir()
    _unpack(archive, files)
    digests = {path.name: _sha256(path) for path in sorted(files.iterdir())}
    (files / _FINISHED).write_text(json.dumps(digests, indent=1))


def _tar(chunks: Iterator[bytes], layer: _ModelLayer, largest: int, *, what: str) -> Iterator[bytes]:
    if not layer.is_compressed:
        yield from chunks
        return
    try:
        tar = _at_most(largest, decompressed(chunks, most=CHUNK), f"its layer unpacks to more than {largest} bytes")
        yield from verified(tar, layer.diff_id, what=what)
    except ValueError as problem:
        raise _refused(f"its layer cannot be unpacked: {problem}") from problem


def _at_most(most: int, chunks: Iterator[bytes], reason: str) -> Iterator[bytes]:
    passed = 0
    for chunk in chunks:
        passed += len(chunk)
        if passed > most:
            raise _refused(reason)
        yield chunk


def _unpack(archive: Path, files: Path) -> None:
    try:
        with tarfile.open(archive, "r:") as tar:
            for entry in tar:
                _unpack_entry(tar, entry, files)
    except (tarfile.TarError, ValueError, OverflowError) as problem:
        raise _refused(f"its layer is no tar ({problem})") from problem
    if not (files / "model.onnx").is_file():
        raise _refused(f"its layer holds no {MODEL_FOLDER}/model.onnx")


def _unpack_entry(tar: tarfile.TarFile, entry: tarfile.TarInfo, files: Path) -> None:
    if entry.isdir() and entry.name == MODEL_FOLDER:
        return
    folder, _, name = entry.name.partition("/")
    if folder != MODEL_FOLDER or name not in MODEL_FILES or not entry.isreg() or entry.issparse():
        raise _refused(f"its layer holds `{entry.name[:100]}`, which is no file of a model")
    content = tar.extractfile(entry)
    assert content is not None  # it is a regular file
    target = files / name
    if target.exists():
        raise _refused(f"its layer holds {entry.name} twice")
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(reason: str) -> UnusableImage:
    return UnusableImage(
        f"the image was not written by Slipway: {reason}",
        mend="do not use it; name the digest that the release's page `image` holds",
    )
