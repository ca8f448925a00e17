"""What must hold for a release and in production: one policy a gate, each in a file of its own.

A file gives the question, why it is asked, the limit and the remedy; `models:` overrides the limit for one
model with a reason, and a waiver lets one version through until a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Generic, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator
from semver import Version

from slipway.domain.declared import Declared

Limit = TypeVar("Limit", bound=Declared)
Share = Annotated[float, Field(ge=0.0, le=1.0)]


def _a_version(text: str) -> str:
    """An entry whose version is misspelt would hold nothing, and nobody would be told."""
    if text[:1] != "v" or not Version.is_valid(text[1:]):
        raise ValueError("must read like v1.4.0")
    return text


def _a_version_or_all(text: str) -> str:
    try:
        return text if text == "*" else _a_version(text)
    except ValueError as error:
        raise ValueError(f"{error}, or *") from error


class Waiver(Declared):
    model: str
    version: Annotated[str, AfterValidator(_a_version)]
    reason: str = Field(min_length=10)
    by: str = Field(min_length=1)
    until: date


class Enforcement(StrEnum):
    """Whether a gate refuses, or tells what it would have refused."""

    BLOCK = "block"
    AUDIT = "audit"


class Override(Declared, Generic[Limit]):
    """What holds for one model; without `enforce`, as the policy says."""

    reason: str = Field(min_length=10)
    limit: Limit
    enforce: Enforcement | None = None


class Policy(Declared, Generic[Limit]):
    question: str = Field(min_length=1)
    motivation: str = Field(min_length=1)
    limit: Limit
    remedy: str = Field(min_length=1)
    enforce: Enforcement = Enforcement.BLOCK
    models: dict[str, Override[Limit]] = Field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    def limit_for(self, model: str) -> Limit:
        override = self.models.get(model)
        return self.limit if override is None else override.limit

    def is_in_audit(self, model: str) -> bool:
        override = self.models.get(model)
        enforce = self.enforce if override is None or override.enforce is None else override.enforce
        return enforce is Enforcement.AUDIT

    def waiver_for(self, model: str, version: str, *, today: date) -> Waiver | None:
        """The waiver that still holds today; `version` reads `v1.4.0`."""
        for waiver in self.waivers:
            if (waiver.model, waiver.version) == (model, version) and today <= waiver.until:
                return waiver
        return None


class FidelityLimit(Declared):
    """Allowed difference = max(`floor_multiple` x noise floor, `minimum` x max(1, largest output))."""

    floor_multiple: float = Field(default=10.0, gt=0)
    minimum: float = Field(default=16 * 2.0**-23, gt=0)
    rows: int = Field(default=20_000, ge=1)
    flips: int = Field(default=0, ge=0)


class SignatureLimit(Declared):
    """Nothing to set: the ONNX file asks and answers what model.yaml declares."""


class OutputsLimit(Declared):
    """Share of rows whose outputs may be NaN or infinite."""

    not_finite: Share = 0.0


class MetricLimit(Declared):
    """`floor` holds at release; in production it is the value at release minus `drop`, or nothing without a drop."""

    floor: Share
    drop: Share | None = None


class MetricsLimit(Declared):
    f1: MetricLimit = MetricLimit(floor=0.75, drop=0.05)
    precision: MetricLimit | None = None
    recall: MetricLimit | None = None
    positives: int = Field(default=100, ge=1)
    window_days: int = Field(default=28, ge=1)
    windows: int = Field(default=2, ge=1)

    def named(self) -> dict[str, MetricLimit]:
        pairs = {"f1": self.f1, "precision": self.precision, "recall": self.recall}
        return {name: limit for name, limit in pairs.items() if limit is not None}


class PromiseLimit(Declared):
    """How much a metric may be worse than that of the version before, in a minor version."""

    worse: Share = 0.01


class WayBackLimit(Declared):
    golden_rows: int = Field(default=50, ge=1)


class DriftLimit(Declared):
    """`distance` is on the scale of Kolmogorov-Smirnov and total variation, never a p-value."""

    distance: Share = 0.15
    null_rate: Share = 0.03
    rows: int = Field(default=500, ge=1)
    window_days: int = Field(default=7, ge=1)
    windows: int = Field(default=2, ge=1)
    of_last: int = Field(default=3, ge=1)

    @model_validator(mode="after")
    def _k_of_n(self) -> Self:
        if self.windows > self.of_last:
            raise ValueError("windows: cannot be more than of_last")
        return self

    def exceeded_by(self, distance: float, *, null_rate_change: float) -> bool:
        return distance > self.distance or abs(null_rate_change) > self.null_rate

    def times_exceeded(self, exceeded: Sequence[frozenset[str]]) -> dict[str, int]:
        """Of the features that exceed in the newest window: in how many of the last `of_last`, oldest window first."""
        recent = exceeded[-self.of_last :]
        return {feature: sum(feature in one for one in recent) for feature in recent[-1]}


class Reversion(StrEnum):
    PULL_REQUEST = "pull-request"
    COMMIT = "commit"
    NEVER = "never"


class PreviousVersionLimit(Declared):
    """Going back must win by more than `gain` of F1, beyond noise, in `windows` windows in a row."""

    gain: Share = 0.02
    windows: int = Field(default=2, ge=1)
    revert: Reversion = Reversion.PULL_REQUEST


class SourcesLimit(Declared):
    """What a source may hold besides numbers: pickled objects, and types that skops does not trust by itself."""

    pickle: bool = False
    trusted_types: tuple[str, ...] = ()


class Policies(Declared):
    """All policies of a repository; a field is a file, `policies/<field with dashes>.yaml`."""

    fidelity: Policy[FidelityLimit]
    signature: Policy[SignatureLimit]
    outputs: Policy[OutputsLimit]
    metrics: Policy[MetricsLimit]
    promise: Policy[PromiseLimit]
    way_back: Policy[WayBackLimit]
    drift: Policy[DriftLimit]
    previous_version: Policy[PreviousVersionLimit]
    sources: Policy[SourcesLimit]


class QuarantineEntry(Declared):
    """`version` is `v1.4.0`, or `*` for every version of the model; `until` only reminds, it lifts nothing."""

    model: str
    version: Annotated[str, AfterValidator(_a_version_or_all)]
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    until: date | None = None

    def holds(self, model: str, version: str) -> bool:
        return self.model == model and self.version in ("*", version)
