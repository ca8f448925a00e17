"""The image that a release is appended to: what slipway.yaml names, or else the code of the model server alone.

The latter is enough for the engine `process`: the server runs in Slipway's own environment, so a laptop needs no
other image and no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.adapters import git
from slipway.adapters.bill_of_materials import packages_of
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.append import Base
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.repository import SETTINGS
from slipway.adapters.workplace import Workplace
from slipway.domain.runtime import Change, RuntimeImage
from slipway.errors import GitRefused, NoRuntimeImage, NoSuchImage

REPOSITORY = "runtime"
SOURCES = (  # all of here that it is built from
    "serving",
    *(f"requirements/{name}.txt" for name in ("serving", "serving-s3", "serving-gs", "sbom")),
    "scripts/slipway/__init__.py",
    "scripts/slipway/maths",
)
_PLATFORM = "linux/amd64"
_MEND = (
    "merge the newest pull request of runtime-image.yml, or start that workflow; `slipway doctor` says what it needs"
)


def runtime_of(workplace: Workplace) -> Base:
    """What the next release is appended to.

    Raises:
        NoRuntimeImage: slipway.yaml names one that its registry does not hold.
    """
    stated = workplace.settings.runtime_image
    if stated is None:
        return runtime_for_process(workplace.registry, workplace.repository.root)
    base = _base(stated, workplace)
    try:
        base.registry.repository(base.repository).manifest(base.reference)
    except NoSuchImage as absent:
        raise NoRuntimeImage(f"{SETTINGS}: runtime_image: its registry does not hold {stated}", mend=_MEND) from absent
    return base


def runtime_for_process(registry: Registry, root: Path) -> Base:
    """Push the server's code as an image, if it is not there yet; the same code gives the same digest."""
    files = {f"serving/{path.name}": path for path in sorted((root / "serving").glob("*.py"))}
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    tag = f"process-{digest.hexdigest()[:12]}"
    reference = write_base_image(registry, REPOSITORY, tag, files, _PLATFORM)
    return Base(registry=registry, repository=REPOSITORY, reference=reference)


def address_of(tag: str, workplace: Workplace) -> str:
    """Where an engine pushes a runtime image, `HOST/PREFIX/runtime:TAG`.

    Raises:
        NoRuntimeImage: images of this repository go into a folder.
    """
    home = workplace.settings.image_registry
    if home.startswith("layout:"):
        raise NoRuntimeImage(
            f"{SETTINGS}: image_registry: `{home}` is a folder, and no engine pushes an image into one",
            mend="name a registry, HOST/PREFIX; with a folder and the engine `process` there is nothing to build",
        )
    return f"{home}/{REPOSITORY}:{tag}"


def is_there(tag: str, workplace: Workplace) -> bool:
    try:
        workplace.registry.repository(REPOSITORY).manifest(tag)
    except NoSuchImage:
        return False
    return True


def built(tag: str, workplace: Workplace) -> RuntimeImage:
    """The runtime image that was pushed under a tag.

    Raises:
        NoSuchImage: none was.
        UnusableImage: its documents do not fit each other.
    """
    home = Base(workplace.registry, REPOSITORY, tag)
    return _about(home, f"{workplace.settings.image_registry}/{REPOSITORY}")


def named(reference: str, workplace: Workplace) -> RuntimeImage | None:
    """What `runtime_image` names, None where its registry does not hold it any more."""
    try:
        return _about(_base(reference, workplace), reference.partition("@")[0])
    except NoSuchImage:
        return None


def changes(root: Path, before: str, after: str) -> tuple[Change, ...] | None:
    """The commits that led from one image to the other, newest first; None where the checkout lacks one of the two."""
    try:
        between = f"{git.commit_of(root, before)}..{git.commit_of(root, after)}"
    except GitRefused:
        return None
    lines = git.run("log", "--format=%H %s", between, "--", *SOURCES, cwd=root).decode(errors="replace").splitlines()
    return tuple(Change(commit=line[:40], subject=line[41:]) for line in lines)


def _base(reference: str, workplace: Workplace) -> Base:
    address, _, digest = reference.partition("@")
    home, _, name = address.rpartition("/")
    registry = workplace.registry if home == workplace.settings.image_registry else open_registry(home)
    return Base(registry=registry, repository=name, reference=digest)


def _about(base: Base, address: str) -> RuntimeImage:
    source = base.registry.repository(base.repository)
    platforms = Platforms.read(source, base.reference)
    labels = _labels(platforms.images[0].config)
    return RuntimeImage(
        reference=f"{address}@{platforms.digest}",
        layers={layer.digest: layer.size for image in platforms.images for layer in image.layers},
        revision=labels.get("org.opencontainers.image.revision", ""),
        base_name=labels.get("org.opencontainers.image.base.name", ""),
        base_digest=labels.get("org.opencontainers.image.base.digest", ""),
        packages=packages_of(platforms.images[0], source),
    )


def _labels(config: Mapping[str, Any]) -> dict[str, str]:
    return (config.get("config") or {}).get("Labels") or {}
