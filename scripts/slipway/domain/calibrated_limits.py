"""What each feature is held to: the policy's limit, or what the feature does by itself where that is more.

The null is what windows of the reference did. Of a reference of a year or more it is taken from the windows that begin
within a quarter of a year of the same day of the year, for what is usual in January is no excuse in July; with less
to either side, weeks would be fewer than the blocks that a 99 % quantile needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from slipway.domain.calibration import Calibration, FeatureCalibration, SmallerWindows
from slipway.domain.incident import HeldTo, Window
from slipway.domain.limits import DriftLimit
from slipway.maths.calibration import ENOUGH_BLOCKS, Limit, limits

_YEAR = 365
_SEASON = 91  # days to either side
_Mask = npt.NDArray[np.bool_]
_Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FeatureLimits:
    """What a feature may move by, and what share of rows more or less may be missing."""

    distance: Limit
    null_rate: Limit

    @classmethod
    def of_policy(cls, policy: DriftLimit) -> Self:
        return cls(Limit(policy.distance), Limit(policy.null_rate))

    def exceeded_by(self, distance: float, *, null_rate_change: float) -> bool:
        return distance > self.distance.value or abs(null_rate_change) > self.null_rate.value


@dataclass(frozen=True)
class Null:
    """What a reference did by itself, and which of its windows may tell what is usual."""

    measured: Calibration
    policy: DriftLimit

    @cached_property
    def usable(self) -> _Mask:
        """Windows with rows enough and of the policy's length, without the days that are excluded; shape (windows,)."""
        fits = self.measured.window_days == self.policy.window_days
        told = (np.asarray(self.measured.rows, np.int64) >= self.policy.rows) & fits
        for days in self.policy.excluded:
            told &= ~self.touching(days.since, days.until)
        return told

    @property
    def by_season(self) -> bool:
        return self.measured.days >= _YEAR

    @property
    def blocks(self) -> int:
        return self._blocks(self.usable)

    def touching(self, since: date, until: date) -> _Mask:
        """The windows that hold any of these days, both included."""
        begins = self._days_after(since)
        return (begins <= (until - since).days) & (begins > -self.measured.window_days)

    def limits(self, *, day: date, rows: int | None = None, without: _Mask | None = None) -> dict[str, FeatureLimits]:
        """Of each feature that the reference has.

        Args:
            day: the first of the window that is judged.
            rows: of that window; None for as many as the windows of the reference have.
            without: windows of the reference that may not tell.
        """
        if not self.measured.features:
            return {}
        told, policy = self._telling(day, without), self.policy
        (distances, null_rates), blocks = self._nulls(told, rows), self._blocks(told)
        pairs = zip(
            limits(policy.distance, distances, blocks=blocks),
            limits(policy.null_rate, null_rates, blocks=blocks, most=policy.null_rate_at_most),
            strict=True,
        )
        return {name: FeatureLimits(*pair) for name, pair in zip(self.measured.features, pairs, strict=True)}

    def _telling(self, day: date, without: _Mask | None) -> _Mask:
        """The windows of the season where they are enough, else all."""
        usable = self.usable if without is None else self.usable & ~without
        season = usable & self._season_of(day) if self.by_season else usable
        return season if self._blocks(season) >= ENOUGH_BLOCKS else usable

    def _season_of(self, day: date) -> _Mask:
        apart = self._days_after(day) % _YEAR
        return np.minimum(apart, _YEAR - apart) <= _SEASON

    def _days_after(self, day: date) -> npt.NDArray[np.int64]:
        """How many days after it each window begins."""
        return np.arange(len(self.measured.rows)) + (self.measured.since - day).days

    def _blocks(self, windows: _Mask) -> int:
        """As many blocks of the calendar as these windows, one a day, come to."""
        return int(windows.sum()) // self.policy.window_days

    def _nulls(self, told: _Mask, rows: int | None) -> tuple[list[_Matrix], list[_Matrix]]:
        """Distances and null rates, each of shape (features, windows): as they are, and thinned out."""
        found = [(self._distances[:, told], self._null_rates[:, told])]
        if (thinned := self._thinned(rows)) is not None:
            days = self.measured.window_days  # of the blocks that were thinned out, whatever the policy says by now
            a_block = told[len(told) % days :: days]
            found.append((_distances(thinned)[:, a_block], _null_rates(thinned)[:, a_block]))
        return [one for one, _ in found], [other for _, other in found]

    @cached_property
    def _distances(self) -> _Matrix:
        return _distances(tuple(self.measured.features.values()))

    @cached_property
    def _null_rates(self) -> _Matrix:
        return _null_rates(tuple(self.measured.features.values()))

    def _thinned(self, rows: int | None) -> Sequence[SmallerWindows] | None:
        """Windows of as many rows, else of the next fewer, which lie farther; None where none are needed."""
        if rows is None or rows >= np.median(self.measured.rows):
            return None
        found = [[one for one in feature.smaller if one.rows <= rows] for feature in self.measured.features.values()]
        least = [feature.smaller[:1] for feature in self.measured.features.values()]
        chosen = [(some or few)[-1:] for some, few in zip(found, least, strict=True)]
        return [one for few in chosen for one in few] if all(chosen) else None


def limits_of(measured: Calibration | None, policy: DriftLimit, *, day: date, rows: int) -> dict[str, FeatureLimits]:
    """Of a window of so many rows that begins on that day; nothing where the reference was not looked at."""
    return {} if measured is None else Null(measured, policy).limits(day=day, rows=rows)


def held_to(window: Window, measured: Calibration | None, policy: DriftLimit) -> tuple[HeldTo, ...]:
    """Of each feature of the window: its own limits, or those of the policy where the reference was not looked at."""
    known = limits_of(measured, policy, day=window.start, rows=window.rows)
    plain = FeatureLimits.of_policy(policy)
    return tuple(_told(one.feature, known.get(one.feature, plain)) for one in window.drift)


def _told(feature: str, limits: FeatureLimits) -> HeldTo:
    distance = limits.distance
    return HeldTo(feature=feature, distance=distance.value, null_rate=limits.null_rate.value, usual=distance.usual)


def _distances(told: Sequence[FeatureCalibration | SmallerWindows]) -> _Matrix:
    """A window without any value has no distance, and is an alarm at once."""
    return np.array([[each or 0.0 for each in one.distances] for one in told])


def _null_rates(told: Sequence[FeatureCalibration | SmallerWindows]) -> _Matrix:
    return np.array([one.null_rates or (0.0,) * len(one.distances) for one in told])
