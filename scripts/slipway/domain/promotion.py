"""May a version that runs in one environment go on to the next, and if not, until when and why?

Decided from moments with a zone alone; nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor

from slipway.domain.canary import CanaryVerdicts
from slipway.domain.pages import Frozen
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict

_MOST_FREEZES = 100  # one after the other; whoever writes as many lets nothing through, on purpose or not


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A time in which something was wrong with a version where it runs; `until` is None while it still is."""

    why: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Stay:
    """A version in an environment: the moment from which it ran there, and what came between.

    `held` are reasons for which it must not go on at all, such as an entry of the quarantine.
    """

    environment: str
    since: datetime
    disturbances: tuple[Disturbance, ...] = ()
    held: tuple[str, ...] = ()


class Wait(Frozen):
    """Why a version is not proposed further yet; `until` is None where no clock ends it, but a person or the watch."""

    until: datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Onward:
    """A version that was verified in `environment` and is wanted in the one that follows: at once where it need not
    `wait`. A canary goes on to all of the traffic where it is, which is then what follows."""

    tag: ReleaseTag
    environment: str
    following: str
    wait: Wait | None

    @property
    def is_canary(self) -> bool:
        return self.environment == self.following


def wait_of(stay: Stay, *, following: str, limit: RolloutLimit, now: datetime) -> Wait | None:
    """None where it may go on to `following` now; a time is in UTC, and the first at which it may."""
    standing = (*stay.held, *(one.why for one in stay.disturbances if one.until is None))
    if standing:
        return Wait(until=None, reasons=standing)
    soaked = soaked_at(stay.since, hours=limit.soak_hours, disturbances=stay.disturbances)
    moment, reasons = now.astimezone(UTC), list[str]()
    if moment < soaked:
        reasons.append(_soaks(stay, limit, left=soaked - moment))
        moment = soaked
    thawed, frozen = _thawed(moment, following, limit)
    reasons += frozen
    return Wait(until=thawed, reasons=tuple(reasons)) if reasons else None


def freeze_of(environment: str, *, limit: RolloutLimit, now: datetime) -> Wait | None:
    """What holds back all that would go on to `environment` now; None where nothing does."""
    thawed, reasons = _thawed(now.astimezone(UTC), environment, limit)
    return Wait(until=thawed, reasons=tuple(reasons)) if reasons else None


def goes_forward(proposed: ReleaseTag | None, there: ReleaseTag | None) -> bool:
    """Whether a merge would bring something newer. A way back, a withdrawal, and what is there already are none."""
    return proposed is not None and (there is None or proposed.precedence > there.precedence)


def wait_of_canary(stay: Stay, told: CanaryVerdicts | None, *, limit: RolloutLimit, now: datetime) -> Wait | None:
    """None where a canary may have all of the traffic now: judged good, long enough there, and nothing is frozen."""
    if told is None:
        return Wait(until=None, reasons=("what it answers was not judged yet",))
    if told.verdict is Verdict.FAIL:
        problems = "; ".join(one.problem or one.title for one in told.failed)
        return Wait(until=None, reasons=(f"it failed, and is to be withdrawn: {problems}",))
    if told.verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        reasons = tuple(f"{one.measured} of {one.allowed.removeprefix('≥ ')}" for one in told.open_yet)
        return Wait(until=told.earliest if told.earliest > now else None, reasons=(f"it has {' and '.join(reasons)}",))
    return wait_of(stay, following=stay.environment, limit=limit.model_copy(update={"soak_hours": 0}), now=now)


def soaked_at(since: datetime, *, hours: float, disturbances: Iterable[Disturbance]) -> datetime:
    """The moment at which it has run so many hours without a disturbance, all of which are over; in UTC."""
    at, left = since.astimezone(UTC), timedelta(hours=hours)
    for one in sorted(disturbances, key=lambda one: one.since):
        if at + left <= one.since:
            break
        assert one.until is not None
        left -= max(one.since - at, timedelta())
        at = max(at, one.until.astimezone(UTC))
    return at + left


def _soaks(stay: Stay, limit: RolloutLimit, *, left: timedelta) -> str:
    ran = floor(max(0.0, limit.soak_hours - left / timedelta(hours=1)) * 10) / 10  # never all of them before its time
    disturbed = " undisturbed" if stay.disturbances else ""
    return f"it has run in {stay.environment}{disturbed} for {ran:g} of {limit.soak_hours:g} hours (soak_hours)"


def _thawed(moment: datetime, following: str, limit: RolloutLimit) -> tuple[datetime | None, Sequence[str]]:
    """The first moment from that one on in which nothing is frozen, and the freezes before it."""
    reasons: dict[str, None] = {}
    for _ in range(_MOST_FREEZES):
        holding = [(one.reason, end) for one in limit.freezes_of(following) if (end := one.end_of(moment)) is not None]
        if not holding:
            return moment, list(reasons)
        reasons |= dict.fromkeys(f"{following} is frozen: {reason}" for reason, _ in holding)
        moment = max(end for _, end in holding)
    return None, list(reasons)
