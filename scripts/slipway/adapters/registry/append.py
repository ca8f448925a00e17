"""A release's image: its base image and one layer more, put together by digests, without an engine.

The same base, layer and origin give the same bytes, in a folder and in every registry: nothing is read from a
clock, a host or an environment.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.layer import Layer
from slipway.adapters.registry.manifests import Family, Image, encode, tag_taken
from slipway.adapters.registry.protocol import Registry, Repository
from slipway.errors import NoSuchImage, UnusableImage

RELEASE = "io.slipway.release"
MODEL_LAYER = "io.slipway.model-layer"  # the digest of the layer that holds the model


@dataclass(frozen=True, slots=True)
class Base:
    """The image that is appended to: in its own registry, or in the target's."""

    registry: Registry
    repository: str
    reference: str  # a tag or, better, a digest


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a release comes from; all of it ends up in the image's labels."""

    release: str  # flight-delay@v1.4.0
    version: str  # 1.4.0
    source: str  # address of the git repository
    revision: str  # the tagged commit
    created: datetime  # the tagged commit's time, never now
    base_name: str  # what people call the base: it names no folder, or two machines would differ


def append_layer(registry: Registry, repository: str, *, base: Base, layer: Layer, origin: Origin, tag: str) -> str:
    """Push the base plus `layer` as `repository:tag` and return the image's digest.

    What the target holds already is not sent: run again after a kill, it sends the rest.

    Args:
        registry: the home of the release.
        repository: its name under the registry's prefix, the model's name.
        base: the runtime image; one platform, no index.
        layer: what is added.
        origin: what the labels say.
        tag: the image tag, `v1.4.0`.

    Raises:
        TagTaken: the tag is at another digest.
        NoSuchImage: the base is not there.
        UnusableImage: the base is an index or damaged.
        DigestMismatch: bytes of the base or the layer are not what they are called.
    """
    source, target = base.registry.repository(base.repository), registry.repository(repository)
    image = Image.read(source, base.reference)
    config = encode(_config(image, layer, origin))
    manifest = encode(_manifest(image, layer, origin, config))
    digest = digest_of(manifest)
    if _is_pushed(target, tag, digest):
        return digest
    for blob in image.layers:
        _carry(blob.digest, blob.size, source=source, target=target)
    target.put_blob(layer.digest, size=layer.size, chunks=layer.open)
    target.put_blob(digest_of(config), size=len(config), chunks=lambda: iter([config]))
    return target.put_manifest(manifest, media_type=image.family.manifest, reference=tag)


def _is_pushed(target: Repository, tag: str, digest: str) -> bool:
    """Look before anything is sent; a release that cannot get its tag costs no upload."""
    try:
        there = target.manifest(tag).digest
    except NoSuchImage:
        return False
    if there != digest:
        raise tag_taken(target.name, tag, there, digest)
    return True


def _carry(digest: str, size: int, *, source: Repository, target: Repository) -> None:
    if target.has(digest):
        return
    if source.home == target.home and target.mount(digest, from_repository=source.name):
        return

    def chunks() -> Iterator[bytes]:
        with source.blob(digest) as stream:
            yield from stream

    target.put_blob(digest, size=size, chunks=chunks)


def _config(base: Image, layer: Layer, origin: Origin) -> dict[str, Any]:
    """The base's config with one layer, one line of history and the labels more; what else it says is kept."""
    config = copy.deepcopy(base.config)
    try:
        config["rootfs"]["diff_ids"].append(layer.digest)  # uncompressed: the digest is the diff id
        history = {"created": _time(origin.created), "created_by": f"slipway build-image {origin.release}"}
        config["history"] = [*(config.get("history") or []), history]
        config["created"] = _time(origin.created)
        runtime = config["config"] = config.get("config") or {}
        runtime["Labels"] = {**(runtime.get("Labels") or {}), **_labels(base, layer, origin)}
    except (AttributeError, TypeError) as problem:
        raise UnusableImage(
            f"the config of the base image {base.digest} is malformed ({problem})", mend="build the base image again"
        ) from problem
    return config


def _manifest(base: Image, layer: Layer, origin: Origin, config: bytes) -> dict[str, Any]:
    family = base.family
    layers = [blob.model_dump() for blob in base.layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": family.manifest,
        "config": {"mediaType": family.config, "digest": digest_of(config), "size": len(config)},
        "layers": [*layers, _descriptor(family, layer)],
    }
    return {**manifest, "annotations": _labels(base, layer, origin)} if family.annotates else manifest


def _descriptor(family: Family, layer: Layer) -> dict[str, Any]:
    return {"mediaType": family.layer, "digest": layer.digest, "size": layer.size}


def _labels(base: Image, layer: Layer, origin: Origin) -> dict[str, str]:
    """Keys of the OCI image specification 1.1 ("Pre-Defined Annotation Keys") and our own."""
    return {
        "org.opencontainers.image.version": origin.version,
        "org.opencontainers.image.source": origin.source,
        "org.opencontainers.image.revision": origin.revision,
        "org.opencontainers.image.created": _time(origin.created),
        "org.opencontainers.image.base.digest": base.digest,
        "org.opencontainers.image.base.name": origin.base_name,
        RELEASE: origin.release,
        MODEL_LAYER: layer.digest,
    }


def _time(moment: datetime) -> str:
    """RFC 3339 in UTC: a commit's time zone must not change the image."""
    if moment.tzinfo is None:
        raise ValueError("a time without its zone is another moment on another machine")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
