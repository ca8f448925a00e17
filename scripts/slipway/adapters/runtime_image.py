"""The image that a release is appended to: what slipway.yaml names, or else the code of the model server alone.

The latter is enough for the engine `process` alone: the server runs in Slipway's own environment, so a laptop needs no
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
from slipway.adapters.registry.base_image import digest_of_base_image, write_base_image
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
_MEND_DIGEST = (
    "give `slipway rebase` by --onto the digest of a runtime image that was pushed there (the pull requests of "
    "runtime-image.yml tell them), or leave the option out for the one that slipway.yaml names"
)


def runtime_of(workplace: Workplace) -> Base:
    """What the next release is appended to.

    Raises:
        NoRuntimeImage: slipway.yaml names one that its registry does not hold, or none for an engine that needs one.
    """
    stated = workplace.settings.runtime_image
    if stated is None:
        _refuse_other_engines(workplace)
        return runtime_for_process(workplace.registry, workplace.repository.root)
    return _held(stated, workplace, told=f"{SETTINGS}: runtime_image", mend=_MEND)


def digest_of_runtime(workplace: Workplace) -> str:
    """Of what the next release is appended to, for who only reads: no image of the server's code is pushed.

    Raises:
        NoRuntimeImage: as `runtime_of`.
    """
    if workplace.settings.runtime_image is None:
        _refuse_other_engines(workplace)
        return digest_of_base_image(_server_code(workplace.repository.root), _PLATFORM)
    return runtime_of(workplace).reference


def runtime_at(digest: str, workplace: Workplace, *, named_by: str) -> Base:
    """What a revision is appended to, whichever slipway.yaml names; `named_by` says who names it.

    Raises:
        NoRuntimeImage: as `held`.
    """
    settings = workplace.settings
    is_code_alone = settings.runtime_image is None and not settings.rollout_engine.pulls_images
    if is_code_alone and digest == digest_of_runtime(workplace):
        return runtime_of(workplace)
    return held(digest, workplace, named_by=named_by)


def held(digest: str, workplace: Workplace, *, named_by: str) -> Base:
    """The image of that digest, where runtime images lie.

    Raises:
        NoRuntimeImage: there is none.
    """
    return _held(reference_to(digest, workplace), workplace, told=named_by, mend=_MEND_DIGEST)


def reference_to(digest: str, workplace: Workplace) -> str:
    """The full name of a runtime image: in the repository that slipway.yaml names one of, or else beside the models."""
    stated = workplace.settings.runtime_image
    address = stated.partition("@")[0] if stated else f"{workplace.settings.image_registry}/{REPOSITORY}"
    return f"{address}@{digest}"


def runtime_for_process(registry: Registry, root: Path) -> Base:
    """Push the server's code as an image, if it is not there yet; the same code gives the same digest."""
    files = _server_code(root)
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


def _refuse_other_engines(workplace: Workplace) -> None:
    engine = workplace.settings.rollout_engine
    if engine.pulls_images:
        raise NoRuntimeImage(
            f"{SETTINGS}: there is no runtime_image, and the engine `{engine}` has nothing to run a model in",
            mend=_MEND,
        )


def _server_code(root: Path) -> dict[str, Path]:
    return {f"serving/{path.name}": path for path in sorted((root / "serving").glob("*.py"))}


def _held(reference: str, workplace: Workplace, *, told: str, mend: str) -> Base:
    """An image of a registry, looked for before anything is built on it; `told` says who named it."""
    base = _base(reference, workplace)
    try:
        base.registry.repository(base.repository).manifest(base.reference)
    except NoSuchImage as absent:
        raise NoRuntimeImage(f"{told}: its registry does not hold {reference}", mend=mend) from absent
    return base


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
