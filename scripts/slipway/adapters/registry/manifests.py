"""What a manifest says: its family of media types, its config and its layers, parsed and checked.

An image is of the OCI or of the Docker family; what is appended keeps the family of its base, since a registry
or an engine may read one and not the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway.adapters.registry.digests import check
from slipway.adapters.registry.protocol import ManifestBytes, Repository
from slipway.errors import TagTaken, UnusableImage

LARGEST_DOCUMENT = 4 << 20  # bytes; the limit that the distribution specification sets for manifests


@dataclass(frozen=True, slots=True)
class Family:
    """The media types that belong together."""

    manifest: str
    config: str
    layer: str  # an uncompressed tar
    compressed_layer: str  # the same in gzip
    annotates: bool  # whether its manifests have annotations


OCI = Family(
    manifest="application/vnd.oci.image.manifest.v1+json",
    config="application/vnd.oci.image.config.v1+json",
    layer="application/vnd.oci.image.layer.v1.tar",
    compressed_layer="application/vnd.oci.image.layer.v1.tar+gzip",
    annotates=True,
)
DOCKER = Family(
    manifest="application/vnd.docker.distribution.manifest.v2+json",
    config="application/vnd.docker.container.image.v1+json",
    layer="application/vnd.docker.image.rootfs.diff.tar",
    compressed_layer="application/vnd.docker.image.rootfs.diff.tar.gzip",
    annotates=False,
)
_FAMILIES = {family.manifest: family for family in (OCI, DOCKER)}
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
INDEXES = frozenset({OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"})
READABLE = (*_FAMILIES, *sorted(INDEXES))


class Descriptor(BaseModel):
    """A blob as a manifest names it; fields that are unknown here are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    mediaType: str  # noqa: N815 - the specification's own spelling
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0)


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    config: Descriptor
    layers: tuple[Descriptor, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of one platform: its manifest and its config, both verified."""

    digest: str
    family: Family
    config: dict[str, Any]
    config_descriptor: Descriptor
    layers: tuple[Descriptor, ...]

    @classmethod
    def read(cls, repository: Repository, reference: str) -> Self:
        """Fetch and check an image of one platform.

        Raises:
            NoSuchImage: nothing is stored under the reference.
            UnusableImage: an index, or documents that do not fit each other.
        """
        return cls.of(repository.manifest(reference), repository, reference)

    @classmethod
    def of(cls, stored: ManifestBytes, repository: Repository, reference: str) -> Self:
        """Fetch and check what a manifest that was read names; see `read`."""
        what = f"the image {repository.name} {reference}"
        family = _family(stored, what)
        try:
            manifest = _Manifest.model_validate_json(stored.content)
            config = _config(_document(repository, manifest.config, what), layers=len(manifest.layers))
        except (ValidationError, ValueError, KeyError, TypeError) as problem:
            raise UnusableImage(f"{what} is damaged: {_reason(problem)}", mend="build and push it again") from problem
        return cls(stored.digest, family, config, manifest.config, manifest.layers)


def encode(document: dict[str, Any]) -> bytes:
    """JSON of which there is one form only."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def blobs_of(content: bytes) -> Iterator[str]:
    """The digests that an image manifest, or an index, names.

    Raises:
        UnusableImage: the bytes are neither.
    """
    try:
        named = _named(json.loads(content))
    except (ValidationError, ValueError, KeyError, TypeError) as problem:
        raise UnusableImage(
            f"these bytes are no image manifest: {_reason(problem)}", mend="push an image or an index"
        ) from problem
    yield from dict.fromkeys(blob.digest for blob in named)


def _named(document: dict[str, Any]) -> tuple[Descriptor, ...]:
    if "manifests" in document:
        return tuple(Descriptor.model_validate(entry) for entry in document["manifests"])
    manifest = _Manifest.model_validate(document)
    return (manifest.config, *manifest.layers)


def tag_taken(repository: str, tag: str, there: str, new: str) -> TagTaken:
    """The refusal to move a tag, in the same words for every home."""
    return TagTaken(
        f"the image {repository}:{tag} is {there} already and would become {new}; no tag is ever moved",
        mend="release the next version; to see what differs, run `slipway explain` on both digests",
    )


def _family(stored: ManifestBytes, what: str) -> Family:
    if stored.media_type in INDEXES:
        raise UnusableImage(
            f"{what} is an index of several platforms where one image is needed",
            mend="name one platform's manifest by digest; `docker buildx imagetools inspect` or `skopeo inspect --raw` "
            "lists them",
        )
    try:
        return _FAMILIES[stored.media_type]
    except KeyError:
        raise UnusableImage(
            f"{what} has the media type `{stored.media_type[:100]}`, which is no image",
            mend=f"use an image of the type {OCI.manifest} or {DOCKER.manifest}",
        ) from None


def _config(content: bytes, *, layers: int) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(content)
    if len(config["rootfs"]["diff_ids"]) != layers:
        raise ValueError("its config counts other layers than its manifest")
    return config


def _document(repository: Repository, blob: Descriptor, what: str) -> bytes:
    if blob.size > LARGEST_DOCUMENT:
        raise UnusableImage(f"{what} has a config of {blob.size} bytes", mend="build and push it again")
    content = b""
    with repository.blob(blob.digest) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > blob.size:
                break  # `check` refuses it
    return check(content, blob.digest, what=f"the config of {what}")


def _reason(problem: Exception) -> str:
    """The first thing that is wrong, in one line and without the input."""
    if isinstance(problem, ValidationError):
        first = problem.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(problem).__name__} {problem}"[:200]
