"""What `policies/rollout.yaml` limits: how a merged version becomes the one that answers, and when the next may."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field

from slipway.domain.declared import Declared
from slipway.domain.freezes import Freeze, WeeklyFreeze
from slipway.domain.limits import Reversion
from slipway.domain.settings import LogMode, RolloutEngine
from slipway.errors import BadFile

_HOURS_OF_A_YEAR = 8760
CANARY_MEND = (
    "take `canary` out of policies/rollout.yaml; or set rollout_engine in slipway.yaml to kubernetes, argo-cd or flux"
)


class CanaryLimit(Declared):
    """A version that must show itself on a part of the traffic before it gets all of it.

    It is one pod beside so many of what runs that no more than `share` of the requests come to it.
    """

    share: float = Field(gt=0, le=0.5, description="of the traffic of an environment, that a canary gets at most")
    hours: float = Field(default=24, ge=0, le=_HOURS_OF_A_YEAR, description="that it must have run before it is judged")
    rows: int = Field(default=2000, ge=1, description="that it must have answered before it is judged")
    environments: tuple[str, ...] = Field(default=(), description="where; in each, if none is named")

    @property
    def stable_pods(self) -> int:
        """Fewest pods of what runs beside one canary, of which requests go to each alike."""
        return math.ceil(round((1 - self.share) / self.share, 9))


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
    freezes: tuple[Freeze, ...] = Field(
        default=(),
        description="times in which nothing is proposed for the next, and no version merged but an older one",
    )
    weekly_freezes: tuple[WeeklyFreeze, ...] = Field(default=(), description="the same in each week")

    canary: CanaryLimit | None = Field(
        default=None, description="a new version gets a share of the traffic first, on an engine with a cluster"
    )

    def canary_in(self, environment: str) -> CanaryLimit | None:
        """What a canary is held to in `environment`; None where a version gets all of its traffic at once."""
        asked = self.canary
        return asked if asked is not None and environment in (asked.environments or (environment,)) else None

    @property
    def every_freeze(self) -> tuple[Freeze | WeeklyFreeze, ...]:
        return (*self.freezes, *self.weekly_freezes)

    def freezes_of(self, environment: str) -> Sequence[Freeze | WeeklyFreeze]:
        """Those that hold back what would go on to `environment`."""
        return [one for one in self.every_freeze if not one.environments or environment in one.environments]


def canary_asked(
    limit: RolloutLimit, *, environment: str, engine: RolloutEngine, log_mode: LogMode = LogMode.ROWS
) -> CanaryLimit | None:
    """What a canary is held to in `environment`, None where none is asked for.

    Raises:
        BadFile: one is, and the engine lets no two versions of a model answer, or the log keeps no answer to judge.
    """
    asked = limit.canary_in(environment)
    if asked is not None and not engine.is_cluster:
        raise BadFile(canary_without_cluster(engine), mend=CANARY_MEND)
    if asked is not None and log_mode is LogMode.SKETCH:
        raise BadFile(
            "policies/rollout.yaml: limit: canary: servers log counts alone (log_mode: sketch), and a canary cannot be "
            "judged by what it answered",
            mend="take `canary` out of policies/rollout.yaml, or set log_mode in slipway.yaml to rows",
        )
    return asked


def canary_without_cluster(engine: RolloutEngine) -> str:
    return f"policies/rollout.yaml: limit: canary: the engine {engine} serves one version of a model at a time"
