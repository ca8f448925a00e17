"""How often would the gate `drift` alarm while nothing is wrong? Told of a release, and no gate by itself.

Its rule looks at the reference as it will look at production, a window a day; there, every alarm is a false one.
Each block is held to limits that its own days had no part in (cross-fitting), or a storm would excuse itself. Alarms
come in runs, so what is counted is not windows but blocks of the calendar, as many days as a window has, with an
alarm on any of them. A share of blocks has an interval that takes them for independent of one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from slipway.domain.calibrated_limits import FeatureLimits, Null
from slipway.domain.calibration import (
    SHIFT_STEP,
    Calibration,
    FalseAlarms,
    FarthestWindow,
    FeatureCalibration,
    Raised,
    RaisedLimit,
    SmallestShift,
)
from slipway.domain.limits import DriftLimit
from slipway.domain.verdict import Estimate
from slipway.maths.absence import Absent
from slipway.maths.calibration import ENOUGH_BLOCKS, Limit
from slipway.maths.intervals import share_interval

_DAYS_A_MONTH = 365.25 / 12
_ALONE = 0.5  # of what a limit lies above the policy's, from which on one window is said to set it alone
_DIGITS = 4


def expected(measured: Calibration, limit: DriftLimit) -> FalseAlarms:
    """Judge each window of the reference as the gate would have on its day."""
    null = Null(measured, limit)
    blocks, limits = _blocks(null), _highest_limits(null)
    return FalseAlarms(
        a_month=_a_month(blocks, measured, limit),
        blocks=len(blocks),
        farthest=_farthest(null, limits),
        shifts=_shifts(measured, limits),
        raised=tuple(one for name in limits for one in _raised(null, name, limits[name])),
        by_season=null.by_season,
    )


# --- alarms --------------------------------------------------------------------------------------------------------


def _blocks(null: Null) -> list[bool]:
    """Whether the rule alarms in each block that has rows enough to tell; what is left over at the start is dropped.

    Excluded days are judged, too: they would come to an alarm if they came again.
    """
    measured, length = null.measured, null.measured.window_days
    starts = range(len(measured.rows) % length, len(measured.rows), length)
    enough = [rows >= null.policy.rows for rows in measured.rows]
    return [_alarms(null, range(start, start + length)) for start in starts if any(enough[start : start + length])]


def _alarms(null: Null, block: range) -> bool:
    """Whether it does on any day of a block, by limits that no day which the block saw had a part in."""
    measured, back = null.measured, null.policy.of_last - 1
    first = max(0, block[0] - back)
    own = null.touching(measured.start(first), measured.end(block[-1]))
    limits = null.limits(day=measured.start(block[0]), without=own)
    exceeded = [_exceeded_on(day, null, limits) for day in range(first, block[-1] + 1)]
    return any(
        _breaks(day, measured) or _is_red(exceeded[max(0, day - first - back) : day - first + 1], null.policy)
        for day in block
    )


def _exceeded_on(day: int, null: Null, limits: Mapping[str, FeatureLimits]) -> frozenset[str]:
    if null.measured.rows[day] < null.policy.rows:
        return frozenset()
    return frozenset(
        name
        for name, one in null.measured.features.items()
        if limits[name].exceeded_by(_distance_on(day, one), null_rate_change=_null_rate_on(day, one))
    )


def _breaks(day: int, measured: Calibration) -> bool:
    """A feature without any value has no distance, and is an alarm at once."""
    return measured.rows[day] > 0 and any(one.distances[day] is None for one in measured.features.values())


def _distance_on(day: int, one: FeatureCalibration) -> float:
    return one.distances[day] or 0.0


def _null_rate_on(day: int, one: FeatureCalibration) -> float:
    return one.null_rates[day] if one.null_rates else 0.0


def _is_red(exceeded: Sequence[frozenset[str]], limit: DriftLimit) -> bool:
    return any(times >= limit.windows for times in limit.times_exceeded(exceeded).values())


def _a_month(blocks: Sequence[bool], measured: Calibration, limit: DriftLimit) -> Estimate | Absent:
    if measured.window_days != limit.window_days:
        return Absent(f"measured for windows of {measured.window_days} days, and the policy's have {limit.window_days}")
    if len(blocks) < ENOUGH_BLOCKS:
        return Absent(f"uncalibrated: {len(blocks)} calendar blocks, at least {ENOUGH_BLOCKS} are needed")
    share = share_interval(sum(blocks), len(blocks))
    blocks_a_month = _DAYS_A_MONTH / measured.window_days
    value, low, high = (round(each * blocks_a_month, _DIGITS) for each in (share.value, share.low, share.high))
    return Estimate(value=value, low=low, high=high)


# --- limits --------------------------------------------------------------------------------------------------------


def _highest_limits(null: Null) -> dict[str, FeatureLimits]:
    """Of each feature, in the season in which it does most by itself; there, most is overlooked."""
    return {
        name: FeatureLimits(
            distance=_limit_on(null, name, Raised.DISTANCE), null_rate=_limit_on(null, name, Raised.NULL_RATE)
        )
        for name in null.measured.features
    }


def _limit_on(null: Null, name: str, of: Raised) -> Limit:
    day = _farthest_day(null, name, of)
    start = null.measured.start(0 if day is None else day)
    return _of(null.limits(day=start)[name], of)


def _of(limits: FeatureLimits, of: Raised) -> Limit:
    return limits.distance if of is Raised.DISTANCE else limits.null_rate


def _on(day: int, one: FeatureCalibration, of: Raised) -> float:
    return _distance_on(day, one) if of is Raised.DISTANCE else _null_rate_on(day, one)


def _farthest_day(null: Null, name: str, of: Raised) -> int | None:
    days = [day for day, told in enumerate(null.usable.tolist()) if told]
    return max(days, key=lambda day: _on(day, null.measured.features[name], of), default=None)


def _raised(null: Null, name: str, limits: FeatureLimits) -> list[RaisedLimit]:
    allowed = {Raised.DISTANCE: null.policy.distance, Raised.NULL_RATE: null.policy.null_rate}
    return [
        _told_of(null, name, of, _of(limits, of).value, policy)
        for of, policy in allowed.items()
        if _of(limits, of).value > policy
    ]


def _told_of(null: Null, name: str, of: Raised, value: float, policy: float) -> RaisedLimit:
    """Name the window without whose days the limit would lie much nearer to the policy's."""
    day = _farthest_day(null, name, of)
    told = RaisedLimit(feature=name, of=of, limit=round(value, _DIGITS))
    if day is None:
        return told
    since, until = null.measured.start(day), null.measured.end(day)
    limits = null.limits(day=since, without=null.touching(since, until))
    rest = _of(limits[name], of)
    if not rest.calibrated or value - rest.value < _ALONE * (value - policy):
        return told
    return told.model_copy(update={"since": since, "until": until, "without_it": round(rest.value, _DIGITS)})


def _farthest(null: Null, limits: Mapping[str, FeatureLimits]) -> FarthestWindow | None:
    measured = null.measured
    days = [day for day, rows in enumerate(measured.rows) if rows >= null.policy.rows]
    places = [(_excess(day, one, limits[name]), name, day) for name, one in measured.features.items() for day in days]
    if not places:
        return None
    _, name, day = max(places, key=lambda place: place[0])
    since = measured.start(day)
    return FarthestWindow(
        feature=name,
        since=since,
        until=since + timedelta(days=measured.window_days - 1),
        distance=_distance_on(day, measured.features[name]),
        null_rate=_null_rate_on(day, measured.features[name]),
    )


def _excess(day: int, one: FeatureCalibration, limits: FeatureLimits) -> float:
    return max(_distance_on(day, one) - limits.distance.value, _null_rate_on(day, one) - limits.null_rate.value)


# --- what is seen --------------------------------------------------------------------------------------------------


def _shifts(measured: Calibration, limits: Mapping[str, FeatureLimits]) -> tuple[SmallestShift, ...]:
    """Of the feature whose shift is seen first, and of the one whose is seen last."""
    seen = [
        SmallestShift(feature=name, shift=_smallest_shift(one, limits[name].distance.value))
        for name, one in sorted(measured.features.items())
        if one.shifted
    ]
    ranked = sorted(seen, key=lambda one: (one.shift is None, one.shift))
    return tuple(dict.fromkeys((*ranked[:1], *ranked[-1:])))


def _smallest_shift(one: FeatureCalibration, limit: float) -> float | None:
    """The distance only grows with the shift, so the first step beyond the limit is the smallest."""
    steps = (step for step, distance in enumerate(one.shifted, start=1) if distance > limit)
    first = next(steps, None)
    return None if first is None else round(first * SHIFT_STEP, 2)
