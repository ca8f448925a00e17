"""The image that releases are appended to, and the proposal to change it."""

from __future__ import annotations

from typing import ClassVar

from slipway.domain.pages import Body, Frozen


class RuntimeImage(Frozen):
    """`layers` is digest → compressed size in bytes, of all platforms; what the image's labels do not say is empty.

    `packages` is name → version (`pypi/numpy`, `deb/debian/libc6`) of the first platform, None where none are listed.
    """

    reference: str  # HOST/PREFIX/runtime@sha256:…
    layers: dict[str, int]
    revision: str  # the commit that it was built from
    base_name: str
    base_digest: str
    packages: dict[str, str] | None = None

    @property
    def digest(self) -> str:
        return self.reference.partition("@")[2]

    @property
    def size(self) -> int:
        return sum(self.layers.values())


class Change(Frozen):
    """A commit that touched what a runtime image is built from."""

    commit: str
    subject: str


class PackageChange(Frozen):
    """A package of which an image holds another version; None where it holds none."""

    name: str
    before: str | None
    after: str | None


def package_changes(before: RuntimeImage, after: RuntimeImage) -> tuple[PackageChange, ...] | None:
    """What differs between the packages of two images, by name; None where one of them lists none."""
    if before.packages is None or after.packages is None:
        return None
    names = sorted(before.packages.keys() | after.packages.keys())
    both = ((name, before.packages.get(name), after.packages.get(name)) for name in names)
    return tuple(PackageChange(name=name, before=old, after=new) for name, old, new in both if old != new)


class RuntimeProposal(Body):
    """`pull` is None where slipway.yaml names the image already."""

    kind: ClassVar[str] = "runtime-proposal"

    reference: str
    before: str | None
    branch: str
    pull: int | None
    title: str
