"""What must hold for a release and in production: one policy a gate, each in a file of its own.

A file gives the question, why it is asked, the limit and the remedy; `models:` overrides the limit for one
model with a reason, and a waiver lets one version through until a day.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from semver import Version

from slipway.domain.behaviour import BehaviourLimit
from slipway.domain.declared import Declared
from slipway.maths.named_metrics import DecisionKind, Metric, known_names, metric_called

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
    longest_waiver: int = Field(default=180, ge=1, le=3_650)

    def limit_for(self, model: str) -> Limit:
        override = self.models.get(model)
        return self.limit if override is None else override.limit

    def is_in_audit(self, model: str) -> bool:
        override = self.models.get(model)
        enforce = self.enforce if override is None or override.enforce is None else override.enforce
        return enforce is Enforcement.AUDIT

    def waiver_for(self, model: str, version: str, *, today: date) -> Waiver | None:
        """The waiver that holds today; `version` reads `v1.4.0`."""
        named = (waiver for waiver in self.waivers if (waiver.model, waiver.version) == (model, version))
        return next((waiver for waiver in named if self.why_void(waiver, today=today) is None), None)

    def void_waiver_for(self, model: str, version: str, *, today: date) -> Waiver | None:
        """The one with the last day, where there are some and none holds today."""
        named = [waiver for waiver in self.waivers if (waiver.model, waiver.version) == (model, version)]
        holds = self.waiver_for(model, version, today=today) is not None
        return None if holds else max(named, key=lambda waiver: waiver.until, default=None)

    def why_void(self, waiver: Waiver, *, today: date) -> str | None:
        """Why a waiver lets nothing through today; None where it does."""
        if waiver.until < today:
            return f"a waiver of {waiver.by} expired on {waiver.until}"
        if waiver.until > today + timedelta(days=self.longest_waiver):
            return (
                f"a waiver of {waiver.by} until {waiver.until} is not taken: its day must lie within "
                f"{self.longest_waiver} days"
            )
        return None


class RefusedRows(StrEnum):
    """Whether the ONNX file may answer what its source refuses."""

    ALLOW = "allow"
    FAIL = "fail"


class FidelityLimit(Declared):
    """Allowed difference = max(`floor_multiple` x noise floor, `minimum` x max(1, largest output)).

    `probes` is the share of rows at the splits of trees that may differ by more.
    """

    floor_multiple: float = Field(default=10.0, gt=0)
    minimum: float = Field(default=16 * 2.0**-23, gt=0)
    rows: int = Field(default=20_000, ge=1)
    flips: int = Field(default=0, ge=0)
    probes: Share = 0.02
    refused_rows: RefusedRows = RefusedRows.ALLOW


class SignatureLimit(Declared):
    """Nothing to set: the ONNX file asks and answers what model.yaml declares."""


class OutputsLimit(Declared):
    """Share of rows whose outputs may be NaN or infinite."""

    not_finite: Share = 0.0


class MetricLimit(Declared):
    """`floor` holds at release; in production it is the value at release minus `drop`, or nothing without a drop.

    A metric of which less is better has a `ceiling`, and in production the value at release plus `rise`.
    """

    floor: float | None = None
    drop: float | None = Field(default=None, ge=0)
    ceiling: float | None = None
    rise: float | None = Field(default=None, ge=0)

    def misfit(self, metric: Metric) -> tuple[str, str] | None:
        """Which field is no limit of the metric, and why; None where all fit."""
        best, other = (("ceiling", "rise"), ("floor", "drop"))[:: 1 if metric.lower_is_better else -1]
        if wrong := next((field for field in other if getattr(self, field) is not None), None):
            better = "less" if metric.lower_is_better else "more"
            return wrong, f"of {metric.name}, {better} is better: write `{best[0]}`, and `{best[1]}` for the watch"
        if (limit := getattr(self, best[0])) is None:
            return best[0], f"{metric.name} has no `{best[0]}`"
        highest = math.inf if metric.unbounded else 1.0
        lowest = -math.inf if metric.lowest is None else metric.lowest
        return None if lowest <= limit <= highest else (best[0], f"must lie between {lowest:g} and {highest:g}")


def _each_name(limit: type[Declared]) -> dict[str, type[Declared]]:
    return dict.fromkeys(sorted(known_names()), limit)


def _each_metric(schema: dict[str, Any]) -> None:
    """So that an editor completes the names."""
    limit = schema["additionalProperties"]
    others = {name: limit for name in sorted(known_names()) if name not in schema["properties"]}
    schema["properties"] |= others
    schema["additionalProperties"] = False


class MetricsLimit(Declared):
    """Metrics by their names, each with its limit, and what holds for all of them.

    `positives` are labelled positive rows, or labelled rows where the model does not decide yes or no.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra=_each_metric)
    __pydantic_extra__: dict[str, MetricLimit] = Field(init=False)
    more_keys: ClassVar[Mapping[str, type[Declared]]] = _each_name(MetricLimit)

    f1: MetricLimit = MetricLimit(floor=0.75, drop=0.05)
    precision: MetricLimit | None = None
    recall: MetricLimit | None = None
    positives: int = Field(default=100, ge=1)
    window_days: int = Field(default=28, ge=1)
    windows: int = Field(default=2, ge=1)

    @model_validator(mode="wrap")
    @classmethod
    def _known_metrics(cls, told: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raised as pydantic raises, so that a reader is led to the line of the metric."""
        if unknown := [name for name in told if _is_unknown(name)] if isinstance(told, dict) else []:
            raise _at_each({(name,): "extra_forbidden" for name in unknown})
        limit = handler(told)
        given = limit._given()
        names = [metric.name for _, metric, _ in given]
        twice = [name for name, metric, _ in given if names.count(metric.name) > 1]
        wrong: dict[tuple[str, ...], str] = {(name,): "is there by another name, too" for name in twice}
        wrong |= {(name, misfit[0]): misfit[1] for name, metric, one in given if (misfit := one.misfit(metric))}
        if wrong:
            raise _at_each({loc: PydanticCustomError("limit", "{told}", {"told": why}) for loc, why in wrong.items()})
        return limit

    def named(self, kind: DecisionKind = DecisionKind.YES_OR_NO) -> dict[str, MetricLimit]:
        """The limits of a model of this kind, by the names of `named_metrics`.

        f1 is asked of models that decide yes or no, also where nobody wrote it down; of others, what was written.
        """
        asked = kind is DecisionKind.YES_OR_NO or "f1" in self.model_fields_set
        return {metric.name: one for _, metric, one in self._given() if metric.name != "f1" or asked}

    def _given(self) -> list[tuple[str, Metric, MetricLimit]]:
        """Each with the name that was written, the built-in ones first."""
        declared = {"f1": self.f1, "precision": self.precision, "recall": self.recall, **(self.model_extra or {})}
        found = ((name, metric_called(name), one) for name, one in declared.items())
        return [(name, metric, one) for name, metric, one in found if metric is not None and one is not None]


def _is_unknown(name: Any) -> bool:
    return isinstance(name, str) and name not in MetricsLimit.model_fields and metric_called(name) is None


def _at_each(wrong: Mapping[tuple[str, ...], str | PydanticCustomError]) -> ValidationError:
    errors = [InitErrorDetails(type=kind, loc=place, input=place[0]) for place, kind in wrong.items()]
    return ValidationError.from_exception_data("metrics", errors)


class SlicesLimit(Declared):
    """What of each slice and each group is measured, and how much worse, or how far apart, it may be.

    `worse` and `gap` are in the unit of the metric, or a share of it where it has no upper bound, such as MAE.
    """

    columns: tuple[str, ...] | None = None
    values: int = Field(default=50, ge=2)
    metric: str | None = None
    worse: Share = 0.15
    positives: int = Field(default=100, ge=1)
    protected: tuple[str, ...] = ()
    gap: Share | None = None

    @field_validator("metric")
    @classmethod
    def _a_known_metric(cls, name: str | None) -> str | None:
        if name is not None and metric_called(name) is None:
            near = difflib.get_close_matches(name, sorted(known_names()), n=3)
            raise ValueError(f"`{name}` is no metric; nearest are {', '.join(near) or 'none'}")
        return name

    @model_validator(mode="after")
    def _groups_have_a_limit(self) -> Self:
        if (self.gap is None) != (not self.protected):
            raise ValueError("gap: needs `protected` columns, and these need a `gap`; write both or none")
        return self

    @property
    def asked(self) -> str:
        """What decides what is measured, for the key of a page."""
        return self.model_dump_json(include={"columns", "values", "metric", "protected"})


class PromiseLimit(Declared):
    """How much a metric may be worse than that of the version before, in a minor version.

    Of an error without an upper bound, such as MAE, it is a share of that of the version before.
    """

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
    """Going back must win by more than `gain` of F1, beyond noise, in `windows` windows in a row.

    Of a model that decides otherwise than yes or no: of its macro F1, or a share of its mean absolute error.
    """

    gain: Share = 0.02
    windows: int = Field(default=2, ge=1)
    revert: Reversion = Reversion.PULL_REQUEST


class BudgetsLimit(Declared):
    """What a version may cost to run. A ratio is a multiple of the deployed version, measured in turns with it.

    A ratio is exceeded only by what is larger by more than the least that is noticeable. What is null is not asked.
    """

    size_bytes: int | None = Field(default=2_000_000_000, ge=1)
    memory_bytes: int | None = Field(default=None, ge=1)
    load_ms: float | None = Field(default=None, gt=0)
    p50_ms: float | None = Field(default=None, gt=0)
    p99_ms: float | None = Field(default=None, gt=0)
    size_ratio: float | None = Field(default=3.0, gt=0)
    memory_ratio: float | None = Field(default=2.0, gt=0)
    load_ratio: float | None = Field(default=3.0, gt=0)
    p50_ratio: float | None = Field(default=2.0, gt=0)
    p99_ratio: float | None = Field(default=None, gt=0)
    noticeable_bytes: int = Field(default=20_000_000, ge=0)
    noticeable_ms: float = Field(default=1.0, ge=0)
    noticeable_load_ms: float = Field(default=1_000.0, ge=0)


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
    budgets: Policy[BudgetsLimit] = Policy[BudgetsLimit](
        question="Does the version cost no more to run than is allowed?",
        motivation="This repository has no policies/budgets.yaml yet.",
        limit=BudgetsLimit(),
        remedy="Add policies/budgets.yaml, as a new repository has it.",
    )
    behaviour: Policy[BehaviourLimit] = Policy[BehaviourLimit](
        question="Does the model behave as its team expects?",
        motivation="This repository has no policies/behaviour.yaml yet.",
        limit=BehaviourLimit(),
        remedy="Declare in policies/behaviour.yaml what is expected.",
    )
    slices: Policy[SlicesLimit] = Policy[SlicesLimit](
        question="Is the model as good for a part of its users as for all of them?",
        motivation="This repository has no policies/slices.yaml yet.",
        limit=SlicesLimit(),
        remedy="Add policies/slices.yaml, as a new repository has it.",
        enforce=Enforcement.AUDIT,
    )


class QuarantineEntry(Declared):
    """`version` is `v1.4.0`, or `*` for every version of the model; `until` only reminds, it lifts nothing."""

    model: str
    version: Annotated[str, AfterValidator(_a_version_or_all)]
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    until: date | None = None

    def holds(self, model: str, version: str) -> bool:
        return self.model == model and self.version in ("*", version)
