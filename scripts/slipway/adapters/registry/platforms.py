"""The images that a reference names: one, or one a platform where it names an index.

What an index lists beside images (the attestations that `docker buildx` adds) is left out: they speak of digests, and
an image that something is appended to has another.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from slipway.adapters.registry.manifests import INDEXES, Descriptor, Image, descriptors, read_json, reason_of
from slipway.adapters.registry.protocol import ManifestBytes, Repository
from slipway.errors import UnusableImage

# How buildkit marks them: https://docs.docker.com/build/metadata/attestations/attestation-storage/
_ATTESTATION = "vnd.docker.reference.type"


class Platforms(NamedTuple):
    """All images of a reference, in the order of its index."""

    digest: str
    index_type: str | None  # the media type of the index; None: the reference names one image
    images: tuple[Image, ...]
    names: tuple[dict[str, Any] | None, ...]  # an image's `platform` as the index writes it

    @classmethod
    def read(cls, repository: Repository, reference: str) -> Self:
        """Fetch and check an image, or every image of an index.

        Raises:
            NoSuchImage: nothing is stored under the reference, or under a digest that the index lists.
            UnusableImage: documents that do not fit each other, an index in an index, or one without an image.
        """
        stored = repository.manifest(reference)
        if stored.media_type not in INDEXES:
            return cls(stored.digest, None, (Image.of(stored, repository, reference),), (None,))
        entries = _images_of(stored, what=f"the index {repository.name} {reference}")
        images = tuple(Image.read(repository, entry.digest) for entry in entries)
        return cls(stored.digest, stored.media_type, images, tuple(entry.entry.get("platform") for entry in entries))


def _images_of(stored: ManifestBytes, *, what: str) -> tuple[Descriptor, ...]:
    try:
        listed = descriptors(read_json(stored.content)["manifests"])
        images = tuple(blob for blob in listed if _ATTESTATION not in (blob.entry.get("annotations") or {}))
    except (ValueError, KeyError, TypeError) as problem:
        raise UnusableImage(f"{what} is damaged: {reason_of(problem)}", mend="build and push it again") from None
    if not images:
        raise UnusableImage(f"{what} lists no image", mend="build and push it again, for a platform at least")
    return images
