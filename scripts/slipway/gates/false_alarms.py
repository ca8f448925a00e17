"""How often would the gate `drift` alarm while nothing is wrong? Told of a release, and no gate by itself.

Its rule looks at the reference as it will look at production, a window a day; there, every alarm is a false one.
Alarms come in runs, so what is counted is not windows but blocks of the calendar, as many days as a window has, with
an alarm on any of them. A share of blocks has an interval that takes them for independent of one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from slipway.domain.calibration import (
    SHIFT_STEP,
    Calibration,
    FalseAlarms,
    FarthestWindow,
    FeatureCalibration,
    SmallestShift,
)
from slipway.domain.limits import DriftLimit
from slipway.domain.verdict import Estimate
from slipway.maths.absence import Absent
from slipway.maths.calibration import ENOUGH_BLOCKS
from slipway.maths.intervals import share_interval

_DAYS_A_MONTH = 365.25 / 12


def expected(measured: Calibration, limit: DriftLimit) -> FalseAlarms:
    """Judge each window of the reference as the gate would have on its day."""
    blocks = _blocks(measured, limit)
    return FalseAlarms(
        a_month=_a_month(blocks, measured, limit),
        blocks=len(blocks),
        farthest=_farthest(measured, limit),
        shifts=_shifts(measured, limit),
    )


def _blocks(measured: Calibration, limit: DriftLimit) -> list[bool]:
    """Whether the rule alarms in each block that has rows enough to tell."""
    enough = [rows >= limit.rows for rows in measured.rows]
    exceeded = [_exceeded_on(day, measured, limit) if told else frozenset() for day, told in enumerate(enough)]
    alarms = [
        _breaks(day, measured) or _is_red(exceeded[max(0, day + 1 - limit.of_last) : day + 1], limit)
        for day in range(len(exceeded))
    ]
    pairs = zip(_any_a_block(alarms, measured.window_days), _any_a_block(enough, measured.window_days), strict=True)
    return [alarm for alarm, told in pairs if told]


def _any_a_block(days: Sequence[bool], length: int) -> list[bool]:
    """Whether it is so on any day of each block; what is left over at the start is dropped."""
    return [any(days[start : start + length]) for start in range(len(days) % length, len(days), length)]


def _exceeded_on(day: int, measured: Calibration, limit: DriftLimit) -> frozenset[str]:
    return frozenset(
        name
        for name, one in measured.features.items()
        if limit.exceeded_by(_distance_on(day, one), null_rate_change=_null_rate_on(day, one))
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
    value, low, high = (round(each * blocks_a_month, 4) for each in (share.value, share.low, share.high))
    return Estimate(value=value, low=low, high=high)


def _farthest(measured: Calibration, limit: DriftLimit) -> FarthestWindow | None:
    days = [day for day, rows in enumerate(measured.rows) if rows >= limit.rows]
    places = [(_excess(day, one, limit), name, day) for name, one in measured.features.items() for day in days]
    if not places:
        return None
    _, name, day = max(places, key=lambda place: place[0])
    since: date = measured.since + timedelta(days=day)
    return FarthestWindow(
        feature=name,
        since=since,
        until=since + timedelta(days=measured.window_days - 1),
        distance=_distance_on(day, measured.features[name]),
        null_rate=_null_rate_on(day, measured.features[name]),
    )


def _excess(day: int, one: FeatureCalibration, limit: DriftLimit) -> float:
    return max(_distance_on(day, one) - limit.distance, _null_rate_on(day, one) - limit.null_rate)


def _shifts(measured: Calibration, limit: DriftLimit) -> tuple[SmallestShift, ...]:
    """Of the feature whose shift is seen first, and of the one whose is seen last."""
    seen = [
        SmallestShift(feature=name, shift=_smallest_shift(one, limit))
        for name, one in sorted(measured.features.items())
        if one.shifted
    ]
    ranked = sorted(seen, key=lambda one: (one.shift is None, one.shift))
    return tuple(dict.fromkeys((*ranked[:1], *ranked[-1:])))


def _smallest_shift(one: FeatureCalibration, limit: DriftLimit) -> float | None:
    """The distance only grows with the shift, so the first step beyond the limit is the smallest."""
    steps = (step for step, distance in enumerate(one.shifted, start=1) if distance > limit.distance)
    first = next(steps, None)
    return None if first is None else round(first * SHIFT_STEP, 2)
