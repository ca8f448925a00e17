"""What `policies/rollout.yaml` limits: how a merged version becomes the one that answers, and when the next may."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from slipway.domain.declared import Declared
from slipway.domain.limits import Reversion


class Freeze(Declared):
    """A time in which no version is proposed for a further environment; ways back are open at any time."""

    reason: str = Field(min_length=5, description="why; who waits is told")
    start: AwareDatetime = Field(description="from when, with its time zone, such as 2026-12-18T16:00+01:00")
    end: AwareDatetime = Field(description="until when")
    environments: tuple[str, ...] = Field(default=(), description="those that it is about; without one, all")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end: must be later than start")
        return self

    def holds(self, environment: str, *, at: datetime) -> bool:
        return self.start <= at < self.end and (not self.environments or environment in self.environments)


class RolloutLimit(Declared):
    ready_seconds: float = Field(default=600, gt=0, description="until a version that was merged must be live")
    settle_seconds: float = Field(
        default=60, ge=0, description="it must then stay up, where what runs it starts a dead server anew"
    )
    revert: Reversion = Field(
        default=Reversion.PULL_REQUEST,
        description="how to go back, else: by a pull request, by a commit that nobody has to merge, or never",
    )
    soak_hours: float = Field(
        default=0, ge=0, description="it must have run in an environment before it is proposed for the next"
    )
    freezes: tuple[Freeze, ...] = Field(default=(), description="times in which nothing is proposed for the next")
