"""The images that a reference names: one, or one a platform where it names an index.

What an index lists beside images (the attestations that `docker buildx` adds) is left out: they speak of digests, and
an image that something is appended to has another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway.adapters.registry.manifests import INDEXES, Descriptor, Image
from slipway.adapters.registry.protocol import ManifestBytes, Repository
from slipway.errors import UnusableImage

# How buildkit marks them: https://docs.docker.com/build/metadata/attestations/attestation-storage/
_ATTESTATION = "vnd.docker.reference.type"


class _Entry(Descriptor):
    platform: dict[str, Any] | None = None
    annotations: dict[str, str] = Field(default_factory=dict)


class _Index(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    manifests: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class Platforms:
    """All images of a reference, in the order of its index."""

    digest: str
    index: str | None  # the media type of the index; None: the reference names one image
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
        return cls(stored.digest, stored.media_type, images, tuple(entry.platform for entry in entries))


def _images_of(stored: ManifestBytes, *, what: str) -> tuple[_Entry, ...]:
    try:
        listed = _Index.model_validate_json(stored.content).manifests
    except ValidationError as problem:
        first = problem.errors()[0]
        raise UnusableImage(
            f"{what} is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}", mend="build and push it again"
        ) from None
    images = tuple(entry for entry in listed if _ATTESTATION not in entry.annotations)
    if not images:
        raise UnusableImage(f"{what} lists no image", mend="build and push it again, for a platform at least")
    return images
