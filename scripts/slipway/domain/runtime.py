"""The image that releases are appended to, and the proposal to change it."""

from __future__ import annotations

from typing import ClassVar

from slipway.domain.pages import Body, Frozen


class RuntimeImage(Frozen):
    """`layers` is digest → compressed size in bytes, of all platforms; what the image's labels do not say is empty."""

    reference: str  # HOST/PREFIX/runtime@sha256:…
    layers: dict[str, int]
    revision: str  # the commit that it was built from
    base_name: str
    base_digest: str

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


class RuntimeProposal(Body):
    """`pull` is None where slipway.yaml names the image already."""

    kind: ClassVar[str] = "runtime-proposal"

    reference: str
    before: str | None
    branch: str
    pull: int | None
    title: str
