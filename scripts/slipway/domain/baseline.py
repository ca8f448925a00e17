"""What ran before Slipway came: recorded by a person in place of a release, and compared with by the next one."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from slipway.domain.calibration import Calibration
from slipway.domain.evidence import Golden, MetricsEvidence
from slipway.domain.model import Model
from slipway.domain.pages import Body, Frozen
from slipway.domain.tag import ReleaseTag, release_named
from slipway.domain.unlabelled import UnlabelledCheck


class Measured(Frozen):
    """What a baseline answered to the model's samples: what later questions are held against, and judged by nobody.

    Named as in the page `evidence` of a release; `output_profile` is by output.
    """

    golden: Golden
    metrics: MetricsEvidence
    calibration: Calibration
    unlabelled: UnlabelledCheck | None
    output_profile: dict[str, dict[str, Any]]


class Baseline(Body):
    """A version that a person says runs in `environment`; it stands in the place of verdicts, and is none.

    `image` is its digest, `sha256:…`, and `onnx` the SHA-256 of its model in canonical form; None where the image is
    opaque, and nothing of it can be asked: `note` then says why. `declaration` is what models/<name>/model.yaml said at
    `commit`, of an opaque image None; `measured` is None, too, where there were no samples. `when` is a moment in UTC,
    ISO 8601. `tags_above` are the model's tags of higher versions that were there by then: with all lower ones they are
    older than the adoption, and are never released.
    """

    kind: ClassVar[str] = "baseline"

    model: str
    version: str
    environment: str
    image: str | None = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    onnx: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    by: str
    when: str
    note: str = ""
    commit: str
    declaration: Model | None = None
    measured: Measured | None = None
    tags_above: tuple[str, ...] = ()

    @property
    def release(self) -> ReleaseTag:
        named = release_named(self.model, self.version)
        assert named is not None  # the step that wrote the page parsed it
        return named

    @property
    def is_opaque(self) -> bool:
        """Whether it is known by its digest alone."""
        return self.onnx is None

    def is_of_before(self, tag: ReleaseTag) -> bool:
        """Whether a tag of this model is older than the adoption: what it names was released by other means."""
        return tag.version <= self.release.version or str(tag) in self.tags_above
