"""How far did the inputs of production move from what the model was trained on?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.calibration import SHIFT_STEP, Calibration, FeatureCalibration, SmallerWindows
from slipway.domain.incident import FeatureDrift, SelfTest
from slipway.domain.rows import Batch
from slipway.maths.absence import Absent
from slipway.maths.calibration import (
    WindowDistance,
    rolling_windows,
    sampled_window_distances,
    shifted_distances,
    window_distances,
)
from slipway.maths.copies import copied, has_values
from slipway.maths.counts import ColumnSketch, added
from slipway.maths.distances import category_distance, kolmogorov_smirnov, missing_rate, normalised_wasserstein
from slipway.maths.profile import CategoryProfile, CategorySketch, ColumnProfile, NumericProfile, NumericSketch
from slipway.maths.windows import SeenWindow, ServedBatch, count_window

_MOST_UNSEEN = 5  # named in a report
_MOST_WINDOWS = 400  # of the reference: a year and a month
_SMALLER = (100, 200, 500, 1_000, 2_000)  # rows: with more, chance adds little to what days do
_SHIFTS = 40  # up to two standard deviations
_COPIED, _MOVED = 10_000, 0.5  # rows of a copy, and the share of them that lies elsewhere in the drifted one
_DIGITS = 4  # of a distance: enough for any limit that a person writes, and a page stays small
_FIRST_DAY = date(1970, 1, 1)


def measure(
    profile: Mapping[str, ColumnProfile], window: SeenWindow, counted: Mapping[str, ColumnSketch] | None = None
) -> tuple[tuple[FeatureDrift, ...], tuple[str, ...]]:
    """Compare each column of the window with its reference.

    Args:
        profile: the reference, a feature.
        window: the rows that were logged, as `count_window` counted them against this profile.
        counted: what else was served, where servers log counts and no rows.

    Returns:
        What was measured, a feature in the order of the profile, and the sentences about columns that cannot be
        compared at all: missing, of another type, or empty throughout.
    """
    found: list[FeatureDrift] = []
    breaks: list[str] = []
    for feature, reference in profile.items():
        seen = _seen(window, feature, (counted or {}).get(feature))
        if seen is None:
            breaks.append(f"`{feature}` is missing in what production was asked")
            continue
        compared = seen if isinstance(seen, Absent) else _compare(feature, reference, seen)
        if isinstance(compared, Absent):
            breaks.append(f"`{feature}` cannot be compared: {compared}")
        else:
            found.append(compared)
    return tuple(found), tuple(breaks)


def self_test(profile: Mapping[str, ColumnProfile]) -> SelfTest:
    """Count and compare two copies, made up from the profile alone, of which it is known how far they lie."""
    tried = {name: reference for name, reference in profile.items() if has_values(reference)}
    clean, odd = _measured_copy(tried, moved=0.0)
    drifted, more = _measured_copy(tried, moved=_MOVED)
    return SelfTest(rows=_COPIED, moved=_MOVED, clean=clean, drifted=drifted, schema_breaks=(*odd, *more))


def calibrate(
    profile: Mapping[str, ColumnProfile], reference: Batch, days: npt.NDArray[np.int64], *, window_days: int
) -> Calibration:
    """Look at the reference itself as the watch looks at production: a window a day, each against the rest.

    Windows of fewer rows are looked at, too, for a limit of weeks with 20,000 rows is none of days with 200.

    Args:
        profile: of the reference.
        days: of its rows, as days since 1970.
    """
    starts, rows = rolling_windows(days, length=window_days, most=_MOST_WINDOWS)
    smaller = [size for size in _SMALLER if size < np.median(rows)] if rows else []
    return Calibration(
        window_days=window_days,
        since=_FIRST_DAY + timedelta(days=starts[0] if starts else 0),
        rows=rows,
        features={
            name: _calibrate(column, reference[name], days, starts=starts, length=window_days, smaller=smaller)
            for name, column in profile.items()
        },
    )


def _measured_copy(
    profile: Mapping[str, ColumnProfile], *, moved: float
) -> tuple[tuple[FeatureDrift, ...], tuple[str, ...]]:
    columns = {name: copied(reference, rows=_COPIED, moved=moved) for name, reference in profile.items()}
    return measure(profile, count_window(profile, [ServedBatch(_COPIED, columns)]))


def _calibrate(
    profile: ColumnProfile,
    column: npt.NDArray[Any],
    days: npt.NDArray[np.int64],
    *,
    starts: Sequence[int],
    length: int,
    smaller: Sequence[int],
) -> FeatureCalibration:
    width = column.size // max(1, len(column))
    values, of_value = column.ravel(), np.repeat(days, width)
    sizes = {rows: rows * width for rows in smaller}
    found = window_distances(profile, values, of_value, starts=starts, length=length)
    shifted = (
        shifted_distances(profile, values, step=SHIFT_STEP, steps=_SHIFTS)
        if isinstance(profile, NumericProfile)
        else ()
    )
    return FeatureCalibration(
        distances=_distances(found),
        null_rates=_null_rates(found),
        shifted=tuple(round(one, _DIGITS) for one in shifted),
        smaller=_smaller(profile, values, of_value, starts=starts, length=length, sizes=sizes),
    )


def _smaller(
    profile: ColumnProfile,
    values: npt.NDArray[Any],
    days: npt.NDArray[np.int64],
    *,
    starts: Sequence[int],
    length: int,
    sizes: Mapping[int, int],
) -> tuple[SmallerWindows, ...]:
    blocks = starts[len(starts) % length :: length]
    sampled = sampled_window_distances(profile, values, days, starts=blocks, length=length, sizes=tuple(sizes.values()))
    return tuple(
        SmallerWindows(rows=rows, distances=_distances(found), null_rates=_null_rates(found))
        for rows, found in zip(sizes, sampled, strict=True)
    )


def _distances(found: Sequence[WindowDistance]) -> tuple[float | None, ...]:
    return tuple(None if one.distance is None else round(one.distance, _DIGITS) for one in found)


def _null_rates(found: Sequence[WindowDistance]) -> tuple[float, ...]:
    """Nothing where no value is missing, so that a page stays small."""
    rates = tuple(round(one.missing_rate, _DIGITS) for one in found)
    return rates if any(rates) else ()


def _seen(window: SeenWindow, feature: str, counted: ColumnSketch | None) -> ColumnSketch | Absent | None:
    """Rows and counts of one column together; None where there are neither."""
    column = window.columns.get(feature)
    if column is None or column.absent == window.rows:
        return counted
    if column.other_kinds:
        return Absent(f"it holds {' and '.join(sorted(column.other_kinds))}, and was trained on numbers")
    return column.sketch if counted is None else added(column.sketch, counted)


def _compare(feature: str, reference: ColumnProfile, window: ColumnSketch) -> FeatureDrift | Absent:
    if isinstance(reference, CategoryProfile) and isinstance(window, CategorySketch):
        return _category(feature, reference, window)
    if isinstance(reference, NumericProfile) and isinstance(window, NumericSketch):
        return _numeric(feature, reference, window)
    return Absent("it was counted as another kind than it was trained on")


def _numeric(feature: str, reference: NumericProfile, window: NumericSketch) -> FeatureDrift | Absent:
    distance = kolmogorov_smirnov(reference, window)
    missing = missing_rate(reference, window)
    if isinstance(distance, Absent):
        return distance
    moved = normalised_wasserstein(reference, window)
    return FeatureDrift(
        feature=feature,
        measure="KS",
        low=round(distance.low, 6),
        high=round(distance.high, 6),
        wasserstein=None if isinstance(moved, Absent) else round(moved.low, 6),
        wasserstein_high=None if isinstance(moved, Absent) else round(moved.high, 6),
        null_rate_change=0.0 if isinstance(missing, Absent) else round(missing.change, 6),
    )


def _category(feature: str, reference: CategoryProfile, window: CategorySketch) -> FeatureDrift | Absent:
    distance = category_distance(reference, window)
    missing = missing_rate(reference, window)
    if isinstance(distance, Absent):
        return distance
    return FeatureDrift(
        feature=feature,
        measure="TV",
        low=round(distance.total_variation.low, 6),
        high=round(distance.total_variation.high, 6),
        wasserstein=None,
        null_rate_change=0.0 if isinstance(missing, Absent) else round(missing.change, 6),
        unseen=tuple(name for name, _ in distance.unseen[:_MOST_UNSEEN]),
    )
