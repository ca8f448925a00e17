"""A small base image from given files, for places without an engine to build one: a laptop, a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.layer import Layer, tar_layer
from slipway.adapters.registry.manifests import OCI, Family, encode
from slipway.adapters.registry.protocol import Registry

_EPOCH = "1970-01-01T00:00:00Z"


def write_base_image(
    registry: Registry,
    repository: str,
    reference: str,
    files: Mapping[str, Path | bytes],
    platform: str,
    *,
    family: Family = OCI,
) -> str:
    """Push an image of one layer that holds `files` and return its digest; the same files give the same digest.

    Args:
        registry: where to.
        repository: its name under the registry's prefix.
        reference: the tag.
        files: by their path in the image, `server/app.py`.
        platform: `linux/amd64`, with a variant where there is one: `linux/arm64/v8`.
        family: the media types.

    Raises:
        TagTaken: the tag is at another digest.
    """
    target = registry.repository(repository)
    layer = tar_layer(files)
    config = encode(_config(layer, platform))
    manifest = _manifest(layer, config, family)
    target.put_blob(layer.digest, size=layer.size, chunks=layer.open)
    target.put_blob(digest_of(config), size=len(config), chunks=lambda: iter([config]))
    return target.put_manifest(manifest, media_type=family.manifest, reference=reference)


def digest_of_base_image(files: Mapping[str, Path | bytes], platform: str) -> str:
    """What `write_base_image` returns for the same files; nothing is pushed, and no registry is asked."""
    layer = tar_layer(files)
    return digest_of(_manifest(layer, encode(_config(layer, platform)), OCI))


def _manifest(layer: Layer, config: bytes, family: Family) -> bytes:
    return encode(
        {
            "schemaVersion": 2,
            "mediaType": family.manifest,
            "config": {"mediaType": family.config, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": family.layer, "digest": layer.digest, "size": layer.size}],
        }
    )


def _config(layer: Layer, platform: str) -> dict[str, Any]:
    system, architecture, *variant = platform.split("/")
    return {
        "os": system,
        "architecture": architecture,
        **({"variant": variant[0]} if variant else {}),
        "created": _EPOCH,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        "history": [{"created": _EPOCH, "created_by": "slipway base image"}],
    }
