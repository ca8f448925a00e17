"""What `policies/rollout.yaml` limits: how a merged version becomes the one that answers, and when the next may."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from slipway.domain.declared import Declared
from slipway.domain.freezes import Freeze, WeeklyFreeze
from slipway.domain.limits import Reversion

_HOURS_OF_A_YEAR = 8760


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
        default=0,
        ge=0,
        le=_HOURS_OF_A_YEAR,
        description="it must have run undisturbed in an environment before it is proposed for the next",
    )
    freezes: tuple[Freeze, ...] = Field(default=(), description="times in which nothing is proposed for the next")
    weekly_freezes: tuple[WeeklyFreeze, ...] = Field(default=(), description="the same in each week")

    @property
    def every_freeze(self) -> tuple[Freeze | WeeklyFreeze, ...]:
        return (*self.freezes, *self.weekly_freezes)

    def freezes_of(self, environment: str) -> Sequence[Freeze | WeeklyFreeze]:
        """Those that hold back what would go on to `environment`."""
        return [one for one in self.every_freeze if not one.environments or environment in one.environments]
