"""What must hold for a release and in production: one policy a gate, each in a file of its own.

A file gives the question, why it is asked, the limit and the remedy; `models:` overrides the limit for one
model with a reason, and a waiver lets one version through until a day.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    Field,
)

from slipway.domain.behaviour import BehaviourLimit
from slipway.domain.declared import Declared, RevisionName, a_version_or_revision
from slipway.domain.limits import (
    BudgetsLimit,
    DriftLimit,
    FidelityLimit,
    OutputsLimit,
    PreviousVersionLimit,
    PromiseLimit,
    SignatureLimit,
    SlicesLimit,
    SourcesLimit,
    WayBackLimit,
)
from slipway.domain.metric_limits import MetricsLimit
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.tag import covers

Limit = TypeVar("Limit", bound=Declared)


def _a_version_or_all(text: str) -> str:
    try:
        return text if text == "*" else a_version_or_revision(text)
    except ValueError as error:
        raise ValueError(f"{error}, or *") from error


class Waiver(Declared):
    model: str = Field(description="its name")
    version: RevisionName = Field(description="reads like v1.4.0; v1.4.0_r2 is that on another runtime image")
    reason: str = Field(min_length=10, description="why it is let through; the pull request says it")
    by: str = Field(min_length=1, description="who answers for it")
    until: date = Field(description="the last day on which it holds")

    def names(self, model: str, version: str) -> bool:
        """Whether it is about that version, or about the version that `version` is a revision of."""
        return self.model == model and covers(self.version, version)


class Enforcement(StrEnum):
    """Whether a gate refuses, or tells what it would have refused."""

    BLOCK = "block"
    AUDIT = "audit"


class Override(Declared, Generic[Limit]):
    """What holds for one model; without `enforce`, as the policy says."""

    reason: str = Field(min_length=10, description="why this model is held to something else")
    limit: Limit = Field(description="the whole limit of this model: nothing is taken over from the policy's own")
    enforce: Enforcement | None = Field(
        default=None, description="`audit` tells and refuses nothing; else as the policy"
    )


class Policy(Declared, Generic[Limit]):
    question: str = Field(min_length=1, description="what is asked of each release, or of each window")
    motivation: str = Field(min_length=1, description="why that is asked")
    limit: Limit = Field(description="what must hold")
    remedy: str = Field(min_length=1, description="what to do about a model that does not hold it")
    enforce: Enforcement = Field(default=Enforcement.BLOCK, description="`audit` tells and refuses nothing")
    models: dict[str, Override[Limit]] = Field(default_factory=dict, description="what holds for one model instead")
    waivers: tuple[Waiver, ...] = Field(default=(), description="versions that are let through until a day")
    longest_waiver: int = Field(default=180, ge=1, le=3_650, description="days ahead that a waiver may end")

    def limit_for(self, model: str) -> Limit:
        override = self.models.get(model)
        return self.limit if override is None else override.limit

    def is_in_audit(self, model: str) -> bool:
        override = self.models.get(model)
        enforce = self.enforce if override is None or override.enforce is None else override.enforce
        return enforce is Enforcement.AUDIT

    def waiver_for(self, model: str, version: str, *, today: date) -> Waiver | None:
        """The waiver that holds today; `version` reads `v1.4.0`."""
        named = (waiver for waiver in self.waivers if waiver.names(model, version))
        return next((waiver for waiver in named if self.why_void(waiver, today=today) is None), None)

    def void_waiver_for(self, model: str, version: str, *, today: date) -> Waiver | None:
        """The one with the last day, where there are some and none holds today."""
        named = [waiver for waiver in self.waivers if waiver.names(model, version)]
        if not named or self.waiver_for(model, version, today=today) is not None:
            return None
        return max(named, key=lambda waiver: waiver.until)

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
    rollout: Policy[RolloutLimit] = Policy[RolloutLimit](
        question="Does what was merged run, and may it go on to the next environment?",
        motivation="This repository has no policies/rollout.yaml yet.",
        limit=RolloutLimit(),
        remedy="Add policies/rollout.yaml, as a new repository has it.",
    )


class QuarantineEntry(Declared):
    """`version` is `v1.4.0`, whose revisions it holds too, or `v1.4.0_r2` alone, or `*` for every version of the model.

    `until` only reminds, it lifts nothing.
    """

    model: str
    version: Annotated[str, AfterValidator(_a_version_or_all)]
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    until: date | None = None

    def holds(self, model: str, version: str) -> bool:
        return self.model == model and (self.version == "*" or covers(self.version, version))

    def says_of(self, held: str) -> str:
        """Why `held` must wait, in the words that every refusal has."""
        return f"{held} is quarantined by {self.by}: {self.reason}"
