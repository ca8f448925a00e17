"""A small release for the tests of this folder, also in processes that are killed."""

from __future__ import annotations

from datetime import UTC, datetime

from slipway.adapters.registry.append import Base, Origin, append_layer
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.registry.manifests import OCI, Family
from slipway.adapters.registry.patience import Patience
from slipway.adapters.registry.protocol import Registry

HASTY = Patience(attempts=3, first_wait=0.01, longest_wait=0.02, connect=5, silence=30)
LAYER = model_layer({"model.onnx": b"weights" * 400_000, "identity.json": b"{}"})
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


def release(registry: Registry, base: Base, *, origin: Origin = ORIGIN, tag: str = "v1.0.0") -> str:
    """Append the test's layer."""
    return append_layer(registry, "flight-delay", base=base, layer=LAYER, origin=origin, tag=tag)
