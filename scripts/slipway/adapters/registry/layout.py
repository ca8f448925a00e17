"""Repositories of images in a folder: one OCI image layout (OCI image specification 1.1) a repository.

Every file appears whole, by rename, and stays: what a killed writer leaves behind lies in `.partial/` and is
swept by the next one. Writers of one repository take turns; readers wait for nobody.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from slipway.adapters import atomic
from slipway.adapters.crash_points import external_write
from slipway.adapters.registry.digests import check, digest_of, verified
from slipway.adapters.registry.disk import writing_below
from slipway.adapters.registry.layer import CHUNK
from slipway.adapters.registry.manifests import Descriptor, blobs_of, tag_taken
from slipway.adapters.registry.names import checked_reference, checked_repository, hexadecimal, is_digest
from slipway.adapters.registry.protocol import Chunks, ManifestBytes, Repository
from slipway.errors import NoSuchImage, UnusableImage

_TAG = "org.opencontainers.image.ref.name"
_INDEX = "application/vnd.oci.image.index.v1+json"
_VERSION = b'{"imageLayoutVersion":"1.0.0"}'


class LayoutRegistry:
    """A folder of repositories."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def repository(self, name: str) -> Repository:
        """The repository at `<folder>/<name>/`; its first write makes it."""
        return LayoutRepository(self._folder, checked_repository(name))


class LayoutRepository:
    """One OCI image layout; see `Repository` for what the methods promise. A full disk is `RegistryRefused`."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._folder = root / name
        self.home = f"layout:{root}"
        self.name = name

    def manifest(self, reference: str) -> ManifestBytes:
        """Read a manifest that `index.json` lists."""
        entry = self._find(self._entries(), checked_reference(reference))
        if entry is None:
            raise NoSuchImage(
                f"{self._folder} holds no image `{reference}`", mend="push the image first, or correct the reference"
            )
        path = self._blob_path(entry["digest"])
        content = check(_read(path), entry["digest"], what=str(path))
        return ManifestBytes(content=content, media_type=entry["mediaType"], digest=entry["digest"])

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        """Stream a file of `blobs/sha256/`."""
        path = self._blob_path(digest)
        if not path.is_file():
            raise NoSuchImage(f"{self._folder} holds no blob {digest}", mend="push the image again")
        with path.open("rb") as file:
            yield verified(iter(lambda: file.read(CHUNK), b""), digest, what=str(path))

    def has(self, digest: str) -> bool:
        """Say whether the blob is here; its bytes were verified before it got its name."""
        return self._blob_path(digest).is_file()

    def mount(self, digest: str, *, from_repository: str) -> bool:
        """Link a blob of another repository of this folder, so that a base image is stored once."""
        source = self._root / checked_repository(from_repository) / "blobs" / "sha256" / hexadecimal(digest)
        if not source.is_file():
            return False
        with self._alone(), external_write("registry-mount"):
            try:
                os.link(source, self._blob_path(digest))
            except FileExistsError:
                return True
            except OSError:  # a file system without links: the caller sends the bytes
                return False
            return True

    def put_blob(self, digest: str, *, size: int, chunks: Chunks) -> None:
        """Write a blob beside its place, then rename it there."""
        if self.has(digest):
            return
        with self._alone():
            self._write(
                self._blob_path(digest),
                verified(chunks(), digest, size=size, what=f"a blob for {self._folder}"),
                moment="registry-blob",
            )

    def put_manifest(self, content: bytes, *, media_type: str, reference: str) -> str:
        """Write the manifest as a blob and list it in `index.json`."""
        digest = digest_of(content)
        if is_digest(checked_reference(reference)):
            check(content, reference, what=f"a manifest for {self._folder}")
        self._require_blobs(content)
        self.put_blob(digest, size=len(content), chunks=lambda: iter([content]))
        with self._alone():
            entries = self._entries()
            found = self._find(entries, reference)
            if found is None:
                self._list([*entries, _entry(digest, media_type, len(content), reference)])
            elif found["digest"] != digest:
                raise tag_taken(self.name, reference, found["digest"], digest)
        return digest

    def _require_blobs(self, content: bytes) -> None:
        missing = [digest for digest in blobs_of(content) if not self.has(digest)]
        if missing:
            raise UnusableImage(
                f"{self._folder} lacks {', '.join(missing)}, which the manifest names",
                mend="put every blob of an image before its manifest",
            )

    def _entries(self) -> list[dict[str, Any]]:
        path = self._folder / "index.json"
        if not path.is_file():
            return []
        try:
            return [_checked_entry(entry) for entry in json.loads(path.read_bytes())["manifests"]]
        except (ValueError, KeyError, TypeError) as problem:
            raise UnusableImage(
                f"{path} is no index of an OCI image layout ({type(problem).__name__})",
                mend=f"delete {self._folder} and push its images again",
            ) from problem

    @staticmethod
    def _find(entries: Iterable[dict[str, Any]], reference: str) -> dict[str, Any] | None:
        if is_digest(reference):
            return next((entry for entry in entries if entry["digest"] == reference), None)
        return next((entry for entry in entries if entry.get("annotations", {}).get(_TAG) == reference), None)

    def _list(self, entries: list[dict[str, Any]]) -> None:
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}
        content = json.dumps(index, indent=1, sort_keys=True).encode()
        self._write(self._folder / "index.json", iter([content]), moment="registry-manifest")

    def _blob_path(self, digest: str) -> Path:
        return self._folder / "blobs" / "sha256" / hexadecimal(digest)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the only pen of this repository; the system takes it from a process that dies."""
        with writing_below(self._folder):
            (self._folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / ".lock"):
                shutil.rmtree(self._partial, ignore_errors=True)
                try:
                    self._partial.mkdir()
                    if not (self._folder / "oci-layout").is_file():
                        self._write(self._folder / "oci-layout", iter([_VERSION]), moment="registry-layout")
                    yield
                finally:
                    shutil.rmtree(self._partial, ignore_errors=True)

    @property
    def _partial(self) -> Path:
        return self._folder / ".partial"

    def _write(self, path: Path, chunks: Iterator[bytes], *, moment: str) -> None:
        partial = self._partial / path.name
        with partial.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        with external_write(moment):
            partial.replace(path)
        atomic.keep_name_in(path.parent)


def _entry(digest: str, media_type: str, size: int, reference: str) -> dict[str, Any]:
    entry = {"mediaType": media_type, "digest": digest, "size": size}
    return entry if is_digest(reference) else {**entry, "annotations": {_TAG: reference}}


def _checked_entry(entry: dict[str, Any]) -> dict[str, Any]:
    Descriptor.of(entry)
    return entry


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NoSuchImage(f"{path} is listed but not there", mend="push the image again") from None
