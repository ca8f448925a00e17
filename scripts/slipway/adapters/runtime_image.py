"""The image that a release is appended to.

For the engine `process` it holds the code of the model server alone: the server runs in Slipway's own
environment, so a laptop needs no other image and no engine.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from slipway.adapters.registry.append import Base
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.protocol import Registry

REPOSITORY = "runtime"
_PLATFORM = "linux/amd64"


def runtime_for_process(registry: Registry, root: Path) -> Base:
    """Push the server's code as an image, if it is not there yet; the same code gives the same digest."""
    files = {f"serving/{path.name}": path for path in sorted((root / "serving").glob("*.py"))}
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    tag = f"process-{digest.hexdigest()[:12]}"
    reference = write_base_image(registry, REPOSITORY, tag, files, _PLATFORM)
    return Base(registry=registry, repository=REPOSITORY, reference=reference)
