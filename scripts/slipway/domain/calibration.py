"""What the watch would have seen in the reference itself, and how often it would have cried wolf."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from slipway.domain.pages import Frozen
from slipway.domain.verdict import Estimate
from slipway.maths.absence import Absent

SHIFT_STEP = 0.05  # standard deviations of the reference


class SmallerWindows(Frozen):
    """The same of windows that were thinned out to so many rows: one a block of the calendar, the newest block last.

    Days without a row are none of a block; blocks lie side by side and end with the newest window.
    """

    rows: int
    distances: tuple[float | None, ...]
    null_rates: tuple[float, ...] = ()


class FeatureCalibration(Frozen):
    """`distances` tells, a window, how far it is from the rest of the reference; None where it holds no value.

    `null_rates` is the same for the share of missing values, empty where none is missing anywhere. `shifted` is the
    distance of the whole reference from itself, moved by 1, 2, .. times `SHIFT_STEP`; empty for words and constants.
    `smaller` holds what chance adds where less is served, fewest rows first; empty on pages from before it was asked.
    """

    distances: tuple[float | None, ...]
    null_rates: tuple[float, ...] = ()
    shifted: tuple[float, ...] = ()
    smaller: tuple[SmallerWindows, ...] = ()


class Calibration(Frozen):
    """One window a day, as the watch looks; the first begins on `since`. `rows` counts those of each window."""

    window_days: int
    since: date
    rows: tuple[int, ...]
    features: dict[str, FeatureCalibration]

    @property
    def days(self) -> int:
        """From the first day of the first window to the last of the last."""
        return len(self.rows) + self.window_days - 1 if self.rows else 0

    def start(self, window: int) -> date:
        return self.since + timedelta(days=window)

    def end(self, window: int) -> date:
        return self.start(window) + timedelta(days=self.window_days - 1)


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


class Raised(StrEnum):
    """What of a feature has a limit of its own."""

    DISTANCE = "distance"
    NULL_RATE = "null rate"


class RaisedLimit(Frozen):
    """A limit above the policy's, for the feature does as much by itself; of the season in which it is highest.

    `since` and `until` name the window that sets it alone, None where many do; `without_it` is the limit if the days
    of that window were excluded.
    """

    feature: str
    of: Raised
    limit: float
    since: date | None = None
    until: date | None = None
    without_it: float | None = None


class FalseAlarms(Frozen):
    """How often the policy would alarm a month while nothing is wrong, from so many `blocks` of calendar days.

    `shifts` holds the feature whose shift is seen first, and the one whose is seen last. `raised` and `by_season` are
    of pages since limits are calibrated; on older ones, all limits are the policy's.
    """

    a_month: Estimate | Absent
    blocks: int
    farthest: FarthestWindow | None
    shifts: tuple[SmallestShift, ...]
    raised: tuple[RaisedLimit, ...] = ()
    by_season: bool = False
