"""What a manifest says: its family of media types, its config and its layers, parsed and checked.

An image is of the OCI or of the Docker family; what is appended keeps the family of its base, since a registry
or an engine may read one and not the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

from slipway.adapters.registry.digests import check
from slipway.adapters.registry.names import is_digest
from slipway.adapters.registry.protocol import ManifestBytes, Repository
from slipway.errors import TagTaken, UnusableImage

LARGEST_DOCUMENT = 4 << 20  # bytes; the limit that the distribution specification sets for manifests


class Family(NamedTuple):
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


class Descriptor(NamedTuple):
    """A blob as a manifest names it."""

    media_type: str
    digest: str
    size: int
    entry: Mapping[str, Any]  # all that the manifest says of it, fields that are unknown here as well

    @classmethod
    def of(cls, entry: Any) -> Self:
        """Check an entry of a manifest.

        Raises:
            ValueError, TypeError: it describes no blob.
        """
        if not isinstance(entry, dict):
            raise TypeError(f"a descriptor is {type(entry).__name__}, not an object")
        media_type, digest, size = (entry.get(name) for name in ("mediaType", "digest", "size"))
        if not isinstance(media_type, str):
            raise TypeError("a descriptor has no mediaType")
        if not isinstance(digest, str) or not is_digest(digest):
            raise ValueError("the digest of a descriptor is not sha256: and 64 hexadecimal digits")
        if type(size) is not int or size < 0:  # True is an int to `isinstance`
            raise ValueError(f"the size of {digest} is no number of bytes")
        return cls(media_type, digest, size, entry)


class Image(NamedTuple):
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
            config_descriptor, *layers = _blobs(read_json(stored.content))
            config = _config(_document(repository, config_descriptor, what), layers=len(layers))
        except (ValueError, KeyError, TypeError) as problem:
            raise UnusableImage(f"{what} is damaged: {reason_of(problem)}", mend="build and push it again") from problem
        return cls(stored.digest, family, config, config_descriptor, tuple(layers))


def encode(document: dict[str, Any]) -> bytes:
    """JSON of which there is one form only."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def blobs_of(content: bytes) -> Iterator[str]:
    """The digests that an image manifest, or an index, names.

    Raises:
        UnusableImage: the bytes are neither.
    """
    try:
        document = read_json(content)
        named = descriptors(document["manifests"]) if "manifests" in document else _blobs(document)
    except (ValueError, KeyError, TypeError) as problem:
        raise UnusableImage(
            f"these bytes are no image manifest: {reason_of(problem)}", mend="push an image or an index"
        ) from problem
    yield from dict.fromkeys(blob.digest for blob in named)


def read_json(content: bytes) -> dict[str, Any]:
    """Parse a document that somebody else wrote.

    Raises:
        ValueError, TypeError: it is no JSON object.
    """
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(document, dict):
        raise TypeError(f"it is {type(document).__name__}, not an object")
    return document


def descriptors(entries: Any) -> tuple[Descriptor, ...]:
    """Check a list of entries.

    Raises:
        ValueError, TypeError: it is no list, or one of them describes no blob.
    """
    if not isinstance(entries, list):
        raise TypeError(f"its list of blobs is {type(entries).__name__}")
    return tuple(map(Descriptor.of, entries))


def _blobs(manifest: dict[str, Any]) -> tuple[Descriptor, ...]:
    """The config first, then the layers: one at least."""
    layers = descriptors(manifest["layers"])
    if not layers:
        raise ValueError("it has no layer")
    return (Descriptor.of(manifest["config"]), *layers)


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
    config = read_json(content)
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


def reason_of(problem: Exception) -> str:
    """What is wrong with a document, in one line."""
    return f"it lacks {problem}" if isinstance(problem, KeyError) else str(problem)[:200]
