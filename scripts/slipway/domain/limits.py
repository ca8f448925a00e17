"""What each policy limits: a class a file of `policies/`, with all that may stand under `limit`.

The descriptions are what an editor shows, and what docs/policies.md says.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from slipway.domain.declared import Declared, Share
from slipway.domain.fairness import FairnessLimit
from slipway.domain.model import Feature
from slipway.domain.source_limit import SourceLimit
from slipway.maths.named_metrics import known_names, metric_called


class RefusedRows(StrEnum):
    """Whether the ONNX file may answer what its source refuses."""

    ALLOW = "allow"
    FAIL = "fail"


class FidelityLimit(Declared):
    """Allowed difference = max(`floor_multiple` x noise floor, `minimum` x max(1, largest output)).

    `probes` is the share of rows at the splits of trees that may differ by more.
    """

    floor_multiple: float = Field(
        default=10.0, gt=0, description="allowed difference, as a multiple of the source's difference to itself"
    )
    minimum: float = Field(
        default=16 * 2.0**-23,
        gt=0,
        description="allowed difference at least, times the largest output: what float32 rounds anyway",
    )
    rows: int = Field(
        default=20_000, ge=1, description="sample rows, without which agreement on rare rows is not shown"
    )
    flips: int = Field(
        default=0, ge=0, description="rows that the two may decide otherwise, where the source was surer than its noise"
    )
    probes: Share = Field(default=0.02, description="share of the rows at splits of trees that may differ")
    refused_rows: RefusedRows = Field(
        default=RefusedRows.ALLOW, description="whether the ONNX file may answer rows that its source refuses"
    )


class SignatureLimit(Declared):
    """Nothing to set: the ONNX file asks and answers what model.yaml declares."""


class OutputsLimit(Declared):
    """Share of rows whose outputs may be NaN or infinite."""

    not_finite: Share = Field(default=0.0, description="share of sample rows whose answer may be NaN or infinite")


class SlicesLimit(Declared):
    """What of each slice and each group is measured, and how much worse, or how far apart, it may be.

    `worse` and `gap` are in the unit of the metric, or a share of it where it has no upper bound, such as MAE.
    """

    columns: tuple[str, ...] | None = Field(
        default=None, description="columns whose values are slices; all inputs of words where it is left out"
    )
    values: int = Field(default=50, ge=2, description="commonest values of a column that are looked at")
    metric: str | None = Field(
        default=None, description="the metric of slices and groups; that of the model's kind where it is left out"
    )
    worse: Share = Field(default=0.15, description="how much worse than on all rows it may be on the worst slice")
    positives: int = Field(
        default=100,
        ge=1,
        description="labelled positive rows of a slice or group (else its rows), without which it is not judged",
    )
    protected: tuple[str, ...] = Field(
        default=(), description="columns whose groups are held against each other; they need not be inputs"
    )
    gap: Share | None = Field(default=None, description="how far the metric of two groups may lie apart")
    fairness: FairnessLimit | None = Field(
        default=None, description="how far groups may lie apart in what they are decided to be"
    )

    @field_validator("metric")
    @classmethod
    def _a_known_metric(cls, name: str | None) -> str | None:
        if name is not None and metric_called(name) is None:
            near = difflib.get_close_matches(name, sorted(known_names()), n=3)
            raise ValueError(f"`{name}` is no metric; nearest are {', '.join(near) or 'none'}")
        return name

    @model_validator(mode="after")
    def _groups_have_a_limit(self) -> Self:
        if (self.gap is None and not self.criteria) != (not self.protected):
            raise ValueError(
                "gap: it and `fairness` need `protected` columns, and these need one of them; write both or none"
            )
        return self

    @property
    def criteria(self) -> dict[str, float]:
        """How far groups may lie apart, by the name of the criterion."""
        return {} if self.fairness is None else self.fairness.allowed

    def columns_beside(self, inputs: Iterable[Feature]) -> list[str]:
        """Those that it asks for and that are no input."""
        known = {feature.name for feature in inputs}
        return [name for name in dict.fromkeys((*(self.columns or ()), *self.protected)) if name not in known]

    @property
    def asked(self) -> str:
        """What decides what is measured, for the key of a page."""
        told = self.model_dump_json(include={"columns", "values", "metric", "protected"})
        return " ".join((told, *self.criteria))  # pages from before there were criteria hold on


class PromiseLimit(Declared):
    """How much a metric may be worse than that of the version before, in a minor version.

    Of an error without an upper bound, such as MAE, it is a share of that of the version before.
    """

    worse: Share = Field(
        default=0.01, description="how much worse a metric of a minor version may be, on the same rows"
    )


class WayBackLimit(Declared):
    """How surely the version before must be shown to work."""

    golden_rows: int = Field(
        default=50, ge=1, description="answers, stored at the release of the version before, that it must give again"
    )


class ExcludedDays(Declared):
    """Days of the reference that are told apart: a storm, an outage, a strike. Both days are included."""

    since: date = Field(description="the first day")
    until: date = Field(description="the last day")
    reason: str = Field(min_length=10, description="why these days do not tell what is usual")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.since:
            raise ValueError("until: cannot be before since")
        return self


class DriftLimit(Declared):
    """`distance` is on the scale of Kolmogorov-Smirnov and total variation, never a p-value.

    A feature that moves by more while nothing is wrong is held to what it does, if the reference shows it.
    """

    distance: Share = Field(
        default=0.15, description="Kolmogorov-Smirnov for numbers, total variation for words; both run from 0 to 1"
    )
    null_rate: Share = Field(default=0.03, description="change of the share of rows where an input is missing")
    null_rate_at_most: Share = Field(
        default=0.1, description="what calibration may raise `null_rate` to, however much the reference does"
    )
    excluded: tuple[ExcludedDays, ...] = Field(
        default=(), description="days of the reference that may raise no limit, such as those of a storm"
    )
    rows: int = Field(default=500, ge=1, description="served rows, without which a window says nothing")
    window_days: int = Field(default=7, ge=1, description="days of a window")
    windows: int = Field(default=2, ge=1, description="windows in which the same input must exceed")
    of_last: int = Field(default=3, ge=1, description="of so many windows")

    @model_validator(mode="after")
    def _k_of_n(self) -> Self:
        if self.windows > self.of_last:
            raise ValueError("windows: cannot be more than of_last")
        return self

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

    gain: Share = Field(default=0.02, description="what going back must win at least")
    windows: int = Field(default=2, ge=1, description="windows in a row in which it must win")
    revert: Reversion = Field(
        default=Reversion.PULL_REQUEST,
        description="how to go back: by a pull request, by a commit that nobody has to merge, or never",
    )


class BudgetsLimit(Declared):
    """What a version may cost to run. A ratio is a multiple of the deployed version, measured in turns with it.

    A ratio is exceeded only by what is larger by more than the least that is noticeable. What is null is not asked.
    """

    size_bytes: int | None = Field(default=2_000_000_000, ge=1, description="of the ONNX file")
    memory_bytes: int | None = Field(default=None, ge=1, description="of a process that loads it, at its peak")
    load_ms: float | None = Field(default=None, gt=0, description="until it can answer")
    p50_ms: float | None = Field(default=None, gt=0, description="median of requests of one row")
    p99_ms: float | None = Field(default=None, gt=0, description="slowest of a hundred such requests")
    size_ratio: float | None = Field(default=3.0, gt=0, description="file size, times the deployed version's")
    memory_ratio: float | None = Field(default=2.0, gt=0, description="memory, times the deployed version's")
    load_ratio: float | None = Field(default=3.0, gt=0, description="load time, times the deployed version's")
    p50_ratio: float | None = Field(default=2.0, gt=0, description="median latency, times the deployed version's")
    p99_ratio: float | None = Field(
        default=None, gt=0, description="latency of the slowest of a hundred requests, times the deployed version's"
    )
    noticeable_bytes: int = Field(
        default=20_000_000, ge=0, description="a file or process that is larger by less is not held to its ratio"
    )
    noticeable_ms: float = Field(default=1.0, ge=0, description="nor an answer that takes less than this longer")
    noticeable_load_ms: float = Field(default=1_000.0, ge=0, description="nor a load that takes less than this longer")


class SourcesLimit(Declared):
    """What a source may hold besides numbers: pickled objects, types that skops does not trust by itself, and code."""

    pickle: bool = Field(
        default=False, description="whether .pkl, .pickle and .joblib may be loaded: they run any code"
    )
    trusted_types: tuple[str, ...] = Field(
        default=(), description="types in skops files that may be made, beyond those that skops trusts by itself"
    )
    python: bool = Field(
        default=False, description="whether the module.py of a PyTorch module may be run: it can do anything"
    )

    fetched: SourceLimit = Field(
        default=SourceLimit(), description="how much of a source that lies elsewhere is fetched at most"
    )

    @model_serializer(mode="wrap")
    def _without_python_where_there_is_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Pages are keyed by this, and those that were written before there was such code hold on.

        How much may be fetched changes no conversion either.
        """
        told: dict[str, Any] = handler(self)
        left_out = {"fetched"} if self.python else {"fetched", "python"}
        return {name: value for name, value in told.items() if name not in left_out}
