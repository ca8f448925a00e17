"""Images that list their packages in a last layer of their own, as serving/Dockerfile leaves them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping

from slipway.adapters.bill_of_materials import SBOM
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.layer import Layer, tar_layer
from slipway.adapters.registry.manifests import Image, encode
from slipway.adapters.registry.protocol import Repository

PATH = "opt/slipway/sbom.cdx.json"


def bill_of(packages: Mapping[str, str]) -> bytes:
    """`pypi/numpy` → version, as CycloneDX."""
    components = [
        {"type": "library", "name": name.rpartition("/")[2], "version": version, "purl": f"pkg:{name}@{version}"}
        for name, version in packages.items()
    ]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}).encode()


def described(repository: Repository, reference: str, *, bill: bytes, tag: str) -> str:
    """Add `bill` to the image at `reference`, with the label that says where it lies; returns the digest."""
    return with_layer(repository, reference, tar_layer({PATH: bill}), labels={SBOM: f"/{PATH}"}, tag=tag)


def with_layer(repository: Repository, reference: str, layer: Layer, *, labels: Mapping[str, str], tag: str) -> str:
    """Push what the image at `reference` becomes with a layer and labels more."""
    image = Image.read(repository, reference)
    config = copy.deepcopy(image.config)
    config["rootfs"]["diff_ids"].append(layer.diff_id)
    config["config"] = {**(config.get("config") or {}), "Labels": dict(labels)}
    content, family = encode(config), image.family
    kind = family.compressed_layer if layer.is_compressed else family.layer
    added = {"mediaType": kind, "digest": layer.digest, "size": layer.size}
    manifest = {
        "schemaVersion": 2,
        "mediaType": family.manifest,
        "config": {"mediaType": family.config, "digest": digest_of(content), "size": len(content)},
        "layers": [*(blob.entry for blob in image.layers), added],
    }
    repository.put_blob(layer.digest, size=layer.size, chunks=layer.open)
    repository.put_blob(digest_of(content), size=len(content), chunks=lambda: iter([content]))
    return repository.put_manifest(encode(manifest), media_type=family.manifest, reference=tag)
