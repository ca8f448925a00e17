"""What a release's image says: manifest and config of each platform, and the index where there are several.

Everything here is computed from the runtime's documents, the layer and the origin; nothing is sent or asked.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.layer import Layer
from slipway.adapters.registry.manifests import OCI_INDEX, Image, encode
from slipway.adapters.registry.platforms import Platforms
from slipway.errors import UnusableImage

RELEASE = "io.slipway.release"
MODEL_LAYER = "io.slipway.model-layer"  # the diff id of the layer that holds the model


class Origin(NamedTuple):
    """Where a release comes from; all of it ends up in the image's labels."""

    release: str  # flight-delay@v1.4.0
    version: str  # 1.4.0
    source: str  # address of the git repository
    revision: str  # the tagged commit
    created: datetime  # the tagged commit's time, never now
    base_name: str  # what people call the base: it names no folder, or two machines would differ


class ImageDocuments(NamedTuple):
    """The documents of one platform's image, not yet sent."""

    media_type: str
    config: bytes
    manifest: bytes


class ReleaseDocuments(NamedTuple):
    """What the tag is put on: the manifest of the only image, or the index of all."""

    media_type: str
    content: bytes
    images: tuple[ImageDocuments, ...]


def documents_of(runtime: Platforms, layer: Layer, origin: Origin) -> ReleaseDocuments:
    """Write all documents of a release, in the family of media types of its runtime.

    Raises:
        UnusableImage: the config of the runtime is malformed.
    """
    images = tuple(_appended(image, layer, origin) for image in runtime.images)
    if runtime.index_type is None:
        return ReleaseDocuments(images[0].media_type, images[0].manifest, images)
    labels = _labels(runtime.digest, layer, origin)
    return ReleaseDocuments(runtime.index_type, encode(_index(runtime, images, labels)), images)


def _appended(base: Image, layer: Layer, origin: Origin) -> ImageDocuments:
    config = encode(_config(base, layer, origin))
    return ImageDocuments(base.family.manifest, config, encode(_manifest(base, layer, origin, config)))


def _config(base: Image, layer: Layer, origin: Origin) -> dict[str, Any]:
    """The base's config with one layer, one line of history and the labels more; what else it says is kept."""
    config = copy.deepcopy(base.config)
    try:
        config["rootfs"]["diff_ids"].append(layer.diff_id)
        history = {"created": _time(origin.created), "created_by": f"slipway build-image {origin.release}"}
        config["history"] = [*(config.get("history") or []), history]
        config["created"] = _time(origin.created)
        runtime = config["config"] = config.get("config") or {}
        runtime["Labels"] = {**(runtime.get("Labels") or {}), **_labels(base.digest, layer, origin)}
    except (AttributeError, TypeError) as problem:
        raise UnusableImage(
            f"the config of the base image {base.digest} is malformed ({problem})", mend="build the base image again"
        ) from problem
    return config


def _manifest(base: Image, layer: Layer, origin: Origin, config: bytes) -> dict[str, Any]:
    family = base.family
    media_type = family.compressed_layer if layer.is_compressed else family.layer
    manifest = {
        "schemaVersion": 2,
        "mediaType": family.manifest,
        "config": _descriptor(family.config, config),
        "layers": [
            *(blob.entry for blob in base.layers),
            {"mediaType": media_type, "digest": layer.digest, "size": layer.size},
        ],
    }
    return {**manifest, "annotations": _labels(base.digest, layer, origin)} if family.annotates else manifest


def _index(runtime: Platforms, images: Sequence[ImageDocuments], labels: dict[str, str]) -> dict[str, Any]:
    """Keys of the OCI image specification 1.1 ("Image Index"); docker's manifest list has the same but annotations."""
    entries = [
        {**_descriptor(image.media_type, image.manifest), **({"platform": name} if name else {})}
        for image, name in zip(images, runtime.names, strict=True)
    ]
    index = {"schemaVersion": 2, "mediaType": runtime.index_type, "manifests": entries}
    return {**index, "annotations": labels} if runtime.index_type == OCI_INDEX else index


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _labels(base_digest: str, layer: Layer, origin: Origin) -> dict[str, str]:
    """Keys of the OCI image specification 1.1 ("Pre-Defined Annotation Keys") and our own."""
    return {
        "org.opencontainers.image.version": origin.version,
        "org.opencontainers.image.source": origin.source,
        "org.opencontainers.image.revision": origin.revision,
        "org.opencontainers.image.created": _time(origin.created),
        "org.opencontainers.image.base.digest": base_digest,
        "org.opencontainers.image.base.name": origin.base_name,
        RELEASE: origin.release,
        MODEL_LAYER: layer.diff_id,
    }


def _time(moment: datetime) -> str:
    """RFC 3339 in UTC: a commit's time zone must not change the image."""
    if moment.tzinfo is None:
        raise ValueError("a time without its zone is another moment on another machine")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
