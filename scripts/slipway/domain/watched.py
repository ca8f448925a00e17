"""What the watch said last of all that is deployed, for programs that look more often than people do."""

from __future__ import annotations

from datetime import date, datetime

from slipway.domain.canary import CanaryVerdicts
from slipway.domain.incident import HeldTo, Outcome, Window
from slipway.domain.pages import Frozen
from slipway.domain.verdict import Finding


class Watched(Frozen):
    """One deployed model.

    `window` is the newest of the version that is deployed; with it, `outcome` is None where that was not watched yet.
    An open incident of a version before is told all the same. `findings` are those of the open incident, and `limits`
    what the features of that window are held to today. `canary` is the version that has a share of the traffic, None
    where none has, and `canary_told` what was judged of it last beside this version.
    """

    model: str
    environment: str
    version: str
    window: Window | None = None
    outcome: Outcome | None = None
    findings: tuple[Finding, ...] = ()
    limits: tuple[HeldTo, ...] = ()
    canary: str | None = None
    canary_told: CanaryVerdicts | None = None


class WatchExport(Frozen):
    """`made_at` has a time zone; `heartbeats` tells by workflow the day on which it ran last."""

    made_at: datetime
    watched: tuple[Watched, ...]
    heartbeats: dict[str, date]
