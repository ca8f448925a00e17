"""What is released: the page of the tag, the commit, and the versions that it is compared with."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import SerializerFunctionWrapHandler, model_serializer

from slipway.domain.behaviour import GoldenRequest
from slipway.domain.model import Model
from slipway.domain.origin import Origin
from slipway.domain.pages import Body, File, Frozen
from slipway.domain.tag import Bump, ReleaseTag, release_named


class Released(Frozen):
    """A version that passed: its image, and what was fetched of it.

    `onnx`, `golden` and `declaration` are None where they could not be had; `problem` then says why.
    `golden_requests` are those that it was held to, None where its page does not tell. One that was `adopted` ran
    before anybody could judge it.
    """

    version: str
    digest: str
    declaration: Model | None = None
    onnx: File | None = None
    golden: File | None = None
    problem: str = ""
    golden_requests: tuple[GoldenRequest, ...] | None = None
    adopted: bool = False

    @model_serializer(mode="wrap")
    def _told_where_adopted(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Pages of what follows a release look as before anything could be adopted."""
        told: dict[str, Any] = handler(self)
        return told if self.adopted else {name: value for name, value in told.items() if name != "adopted"}


class ServedWindow(Frozen):
    """Rows that an environment served last, `rows` of as many as `of`; `since` and `until` are days, inclusive.

    `of` is None on pages from before it was told: they hold the newest rows, and later ones rows of all of these days.
    """

    file: File
    since: str
    until: str
    rows: int
    environment: str = ""
    of: int | None = None


class Rebase(Frozen):
    """A version that ran, put on another runtime image: `of` is the version or revision that was taken.

    `before` and `runtime` are digests of runtime images; `onnxruntime` is the one that `of` was measured with,
    `metrics` what it scored then, and `profile` that of its inputs, which the image of the revision holds as well.
    `fidelity` is the evidence of that name, for a machine that has not what the source answered then.
    """

    of: str
    before: str
    runtime: str
    onnxruntime: str
    metrics: dict[str, float]
    profile: File
    fidelity: File | None = None


class Identity(Body):
    """What is released, from which commit, and what it is compared with.

    `compared` is the highest lower version that passed; `deployed` tells what each environment runs now.
    `model_folder` is where the record holds the tagged `models/<name>/`. `tag` is the one in git, also of a revision,
    of which `version` reads `v1.4.0_r2`; `rebase` is None where a tag was released. `origin` tells where the
    source was fetched from, None where it lies in the commit; `source_digest` is that of its files then.
    """

    kind: ClassVar[str] = "identity"

    tag: str
    model: str
    version: str
    bump: Bump
    tag_object: str
    tagger: str
    message: str
    commit: str
    committed_at: str
    model_folder: str
    source_digest: str
    samples: File
    card: File
    declaration: Model
    compared: Released | None
    deployed: dict[str, Released | None]
    served: ServedWindow | None
    rebase: Rebase | None = None
    origin: Origin | None = None

    @model_serializer(mode="wrap")
    def _without_an_absent_origin(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Pages are keyed by this, and a source in its commit looks as before there were others."""
        told: dict[str, Any] = handler(self)
        return told if self.origin is not None else {name: value for name, value in told.items() if name != "origin"}

    @property
    def release(self) -> ReleaseTag:
        """What was judged, by its full name."""
        named = release_named(self.model, self.version)
        assert named is not None  # the step that wrote the page parsed it
        return named
