"""What `policies/metrics.yaml` limits: metrics by their names, built-in ones and any other that Slipway knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from slipway.domain.declared import Declared
from slipway.maths.named_metrics import DecisionKind, Metric, known_names, metric_called


class MetricLimit(Declared):
    """`floor` holds at release; in production it is the value at release minus `drop`, or nothing without a drop.

    A metric of which less is better has a `ceiling`, and in production the value at release plus `rise`.
    """

    floor: float | None = Field(default=None, description="least value at release, where more is better")
    drop: float | None = Field(
        default=None,
        ge=0,
        description="how far below its value at release it may fall in production; not asked there without it",
    )
    ceiling: float | None = Field(default=None, description="largest value at release, where less is better")
    rise: float | None = Field(
        default=None,
        ge=0,
        description="how far above its value at release it may rise in production; not asked there without it",
    )

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

    f1: MetricLimit = Field(
        default=MetricLimit(floor=0.75, drop=0.05), description="harmonic mean of precision and recall"
    )
    precision: MetricLimit | None = Field(default=None, description="of the rows decided positive, the share that are")
    recall: MetricLimit | None = Field(default=None, description="of the positive rows, the share that was found")
    positives: int = Field(
        default=100,
        ge=1,
        description="labelled positive rows (else labelled rows), without which no number is believed",
    )
    window_days: int = Field(default=28, ge=1, description="in production: the days that are looked back on")
    windows: int = Field(default=2, ge=1, description="in production: windows in a row that must miss the limit")

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
