"""A small release for the tests of this folder, also in processes that are killed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import Layer, model_layer
from slipway.adapters.registry.manifests import OCI, OCI_INDEX, Family, encode
from slipway.adapters.registry.patience import Patience
from slipway.adapters.registry.protocol import Registry

HASTY = Patience(attempts=3, first_wait=0.01, longest_wait=0.02, connect=5, silence=30)
# Numbers like those of weights, which no compressor makes smaller, and the tables of a tree, which every one does.
WEIGHTS = random.Random(7).randbytes(1 << 21)
LAYER = model_layer({"model.onnx": WEIGHTS, "identity.json": b"{}"})
TREES = b"weights" * 400_000
COMPRESSED = model_layer({"model.onnx": TREES, "identity.json": b"{}"})
ORIGIN = Origin(
    release="flight-delay@v1.0.0",
    version="1.0.0",
    source="https://github.com/acme/models",
    revision="c0ffee" * 6,
    created=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    base_name="registry.example.com/acme/runtime:2026.3",
)


def with_base(registry: Registry, *, family: Family = OCI) -> Base:
    """Push a runtime and say where it is."""
    digest = write_base_image(registry, "runtime", "v1", {"server/app.py": b"print(1)\n"}, "linux/amd64", family=family)
    return Base(registry, "runtime", digest)


def with_index(
    registry: Registry, *, platforms: Iterable[str] = ("linux/amd64", "linux/arm64/v8"), media_type: str = OCI_INDEX
) -> Base:
    """Push a runtime for several platforms as `docker buildx` does: each has an attestation beside it."""
    entries = []
    for platform in platforms:
        name = platform.replace("/", "-")
        files = {"server/app.py": b"print(1)\n", "bin/python": platform.encode()}
        write_base_image(registry, "runtime", name, files, platform)
        write_base_image(registry, "runtime", f"attestation-{name}", {"sbom.json": platform.encode()}, platform)
        image, attestation = (_entry(registry, tag) for tag in (name, f"attestation-{name}"))
        system, architecture, *variant = platform.split("/")
        told = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        of_image = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
        unknown = {"os": "unknown", "architecture": "unknown"}
        entries += [{**image, "platform": told}, {**attestation, "platform": unknown, "annotations": of_image}]
    index = encode({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})
    digest = registry.repository("runtime").put_manifest(index, media_type=media_type, reference="many")
    return Base(registry, "runtime", digest)


def _entry(registry: Registry, tag: str) -> dict[str, Any]:
    stored = registry.repository("runtime").manifest(tag)
    return {"mediaType": stored.media_type, "digest": stored.digest, "size": len(stored.content)}


def release(
    registry: Registry, base: Base, *, layer: Layer = LAYER, origin: Origin = ORIGIN, tag: str = "v1.0.0"
) -> str:
    """Append a model's layer."""
    return append_layer(registry, "flight-delay", base=base, layer=layer, origin=origin, tag=tag)
