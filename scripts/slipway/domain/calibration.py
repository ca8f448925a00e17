"""What the watch would have seen in the reference itself, and how often it would have cried wolf."""

from __future__ import annotations

from datetime import date

from slipway.domain.pages import Frozen
from slipway.domain.verdict import Estimate
from slipway.maths.absence import Absent

SHIFT_STEP = 0.05  # standard deviations of the reference


class FeatureCalibration(Frozen):
    """`distances` tells, a window, how far it is from the rest of the reference; None where it holds no value.

    `null_rates` is the same for the share of missing values, empty where none is missing anywhere. `shifted` is the
    distance of the whole reference from itself, moved by 1, 2, .. times `SHIFT_STEP`; empty for words and constants.
    """

    distances: tuple[float | None, ...]
    null_rates: tuple[float, ...] = ()
    shifted: tuple[float, ...] = ()


class Calibration(Frozen):
    """One window a day, as the watch looks; the first begins on `since`. `rows` counts those of each window."""

    window_days: int
    since: date
    rows: tuple[int, ...]
    features: dict[str, FeatureCalibration]


class FarthestWindow(Frozen):
    """The window of the reference that is nearest to an alarm, or farthest beyond it; days are inclusive.

    `distance` is 0 where the window holds no value.
    """

    feature: str
    since: date
    until: date
    distance: float
    null_rate: float


class SmallestShift(Frozen):
    """From which shift of its mean on, in standard deviations, a feature is beyond the limit; None: not up to 2."""

    feature: str
    shift: float | None


class FalseAlarms(Frozen):
    """How often the policy would alarm a month while nothing is wrong, from so many `blocks` of calendar days.

    `shifts` holds the feature whose shift is seen first, and the one whose is seen last.
    """

    a_month: Estimate | Absent
    blocks: int
    farthest: FarthestWindow | None
    shifts: tuple[SmallestShift, ...]
