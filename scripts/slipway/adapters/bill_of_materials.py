"""What an image says that it holds: the CycloneDX document that serving/Dockerfile puts into its last layer.

It lies in the image, and not beside it, so that whoever has the image has it: it is under the same digest, goes through
every mirror, and asks no registry for more than layers. Only small layers are looked into, the last one first.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError

from slipway.adapters.registry.compression import decompressed
from slipway.adapters.registry.manifests import LARGEST_DOCUMENT, Descriptor, Image
from slipway.adapters.registry.protocol import Repository
from slipway.errors import UnusableImage

SBOM = "io.slipway.sbom"  # the label that says where in the image it lies


class _Component(BaseModel):
    type: str
    name: str
    version: str = ""
    purl: str = ""

    @property
    def key(self) -> str:
        """`pypi/numpy`, `deb/debian/libc6`: a package URL without scheme, version and qualifiers."""
        address = self.purl.removeprefix("pkg:").partition("?")[0]
        return unquote(address.partition("@")[0]) if address else f"{self.type}/{self.name}"


class _Bill(BaseModel):
    bomFormat: Literal["CycloneDX"]  # noqa: N815  # as the standard writes it
    components: list[_Component]


def packages_of(image: Image, source: Repository) -> dict[str, str] | None:
    """Read name → version of all that an image holds; None where it does not say so, as an older one.

    Two versions of one package stand beside each other, separated by a comma.

    Raises:
        UnusableImage: what stands there is no bill of materials.
        NoSuchImage, DigestMismatch: of the layer.
    """
    path = _labels(image).get(SBOM)
    content = _find(path.lstrip("/"), image, source) if path else None
    if content is None:
        return None
    try:
        bill = _Bill.model_validate_json(content)
    except ValidationError as problem:
        reason = f"{path} is no CycloneDX in JSON ({problem.error_count()} faults)"
        raise _damaged(image, reason) from problem
    versions: dict[str, set[str]] = {}
    for component in bill.components:
        versions.setdefault(component.key, set()).add(component.version)
    return {key: ", ".join(sorted(found)) for key, found in sorted(versions.items())}


def _labels(image: Image) -> dict[str, Any]:
    return (image.config.get("config") or {}).get("Labels") or {}


def _find(path: str, image: Image, source: Repository) -> bytes | None:
    for layer in reversed(image.layers):
        if layer.size <= LARGEST_DOCUMENT and (found := _file_in(layer, path, image, source)) is not None:
            return found
    return None


def _file_in(layer: Descriptor, path: str, image: Image, source: Repository) -> bytes | None:
    try:
        with source.blob(layer.digest) as chunks:
            tar = decompressed(chunks, most=1 << 16) if layer.media_type.endswith("gzip") else chunks
            content = b"".join(_limited(tar))
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            found = next((one for one in archive if one.name.lstrip("./") == path and one.isreg()), None)
            file = archive.extractfile(found) if found is not None else None
            return file.read() if file is not None else None
    except (tarfile.TarError, ValueError, OverflowError) as problem:
        raise _damaged(image, f"its layer {layer.digest} cannot be read: {problem}") from problem


def _limited(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """No more than any document of an image: it is held in memory, and gzip packs a thousand times as much."""
    passed = 0
    for chunk in chunks:
        passed += len(chunk)
        if passed > LARGEST_DOCUMENT:
            raise ValueError(f"it unpacks to more than {LARGEST_DOCUMENT} bytes")
        yield chunk


def _damaged(image: Image, reason: str) -> UnusableImage:
    return UnusableImage(f"the image {image.digest} is damaged: {reason}", mend="build and push it again")
