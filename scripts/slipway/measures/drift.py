"""How far did the inputs of production move from what the model was trained on?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from slipway.domain.incident import FeatureDrift
from slipway.domain.rows import Batch
from slipway.maths.absence import Absent
from slipway.maths.distances import category_distance, kolmogorov_smirnov, missing_rate, normalised_wasserstein
from slipway.maths.profile import CategoryProfile, ColumnProfile, NumericProfile, sketch

_MOST_UNSEEN = 5  # named in a report


def measure(profile: Mapping[str, ColumnProfile], window: Batch) -> tuple[tuple[FeatureDrift, ...], tuple[str, ...]]:
    """Compare each column of the window with its reference.

    Returns:
        What was measured, a feature in the order of the profile, and the sentences about columns that cannot be
        compared at all: missing, of another type, or empty throughout.
    """
    found: list[FeatureDrift] = []
    breaks: list[str] = []
    for feature, reference in profile.items():
        if feature not in window:
            breaks.append(f"`{feature}` is missing in what production was asked")
            continue
        compared = _compare(feature, reference, window[feature])
        if isinstance(compared, Absent):
            breaks.append(f"`{feature}` cannot be compared: {compared}")
        else:
            found.append(compared)
    return tuple(found), tuple(breaks)


def _compare(feature: str, reference: ColumnProfile, column: npt.NDArray[Any]) -> FeatureDrift | Absent:
    if isinstance(reference, CategoryProfile):
        return _category(feature, reference, column)
    if column.dtype.kind not in "biuf":
        return Absent("it holds words, and was trained on numbers")
    return _numeric(feature, reference, column)


def _numeric(feature: str, reference: NumericProfile, column: npt.NDArray[Any]) -> FeatureDrift | Absent:
    window = sketch(reference, column.ravel())
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
        null_rate_change=0.0 if isinstance(missing, Absent) else round(missing.change, 6),
    )


def _category(feature: str, reference: CategoryProfile, column: npt.NDArray[Any]) -> FeatureDrift | Absent:
    window = sketch(reference, column.ravel())
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
