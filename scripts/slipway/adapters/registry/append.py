"""A release's image: its base image and one layer more, put together by digests, without an engine.

The same base, layer and origin give the same bytes, in a folder and in every registry: nothing is read from a
clock, a host or an environment. A base for several platforms gives an image for each, with the same layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.documents import Origin, ReleaseDocuments, documents_of
from slipway.adapters.registry.layer import Layer
from slipway.adapters.registry.manifests import tag_taken
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.registry.protocol import Registry, Repository
from slipway.errors import NoSuchImage, UnusableImage


class Base(NamedTuple):
    """The image that is appended to: in its own registry, or in the target's."""

    registry: Registry
    repository: str
    reference: str  # a tag or, better, a digest


def append_layer(registry: Registry, repository: str, *, base: Base, layer: Layer, origin: Origin, tag: str) -> str:
    """Push the base plus `layer` as `repository:tag` and return the image's digest.

    What the target holds already is not sent: run again after a kill, it sends the rest.

    Args:
        registry: the home of the release.
        repository: its name under the registry's prefix, the model's name.
        base: the runtime image, or an index of it for several platforms.
        layer: what is added.
        origin: what the labels say.
        tag: the image tag, `v1.4.0`.

    Raises:
        TagTaken: the tag is at another digest.
        NoSuchImage: the base is not there.
        UnusableImage: the base is damaged.
        DigestMismatch: bytes of the base or the layer are not what they are called.
    """
    source, target = base.registry.repository(base.repository), registry.repository(repository)
    runtime = Platforms.read(source, base.reference)
    release = documents_of(runtime, layer, origin)
    if (there := _pushed(target, tag, release)) is not None:
        return there
    for blob in {blob.digest: blob for image in runtime.images for blob in image.layers}.values():
        _carry(blob.digest, blob.size, source=source, target=target)
    target.put_blob(layer.digest, size=layer.size, chunks=layer.open)
    _put_documents(release, target)
    return target.put_manifest(release.content, media_type=release.media_type, reference=tag)


def _put_documents(release: ReleaseDocuments, target: Repository) -> None:
    for image in release.images:
        target.put_blob(digest_of(image.config), size=len(image.config), chunks=partial(iter, [image.config]))
        if image.manifest is not release.content:
            target.put_manifest(image.manifest, media_type=image.media_type, reference=digest_of(image.manifest))


def _pushed(target: Repository, tag: str, release: ReleaseDocuments) -> str | None:
    """Look before anything is sent: a release that cannot get its tag costs no upload.

    An image of the same configs is the same image, for they name its content uncompressed; another build of zlib
    may have compressed its layer to other bytes.
    """
    digest = digest_of(release.content)
    try:
        there = target.manifest(tag)
    except NoSuchImage:
        return None
    if there.digest != digest and _configs_at(target, tag) != [digest_of(image.config) for image in release.images]:
        raise tag_taken(target.name, tag, there.digest, digest)
    return there.digest


def _configs_at(target: Repository, tag: str) -> list[str]:
    try:
        return [image.config_descriptor.digest for image in Platforms.read(target, tag).images]
    except UnusableImage:  # somebody pushed something else under the tag
        return []


def _carry(digest: str, size: int, *, source: Repository, target: Repository) -> None:
    if target.has(digest):
        return
    if source.home == target.home and target.mount(digest, from_repository=source.name):
        return

    def chunks() -> Iterator[bytes]:
        with source.blob(digest) as stream:
            yield from stream

    target.put_blob(digest, size=size, chunks=chunks)
