"""Differences that are numbers, and those that are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slipway.maths.columns import FloatArray


def largest_finite(columns: Sequence[FloatArray]) -> float:
    """The largest finite number in arrays of any shape; 0 where there is none."""
    return max((float(column[np.isfinite(column)].max(initial=0.0)) for column in columns), default=0.0)


def rows_with_infinity(columns: Sequence[FloatArray]) -> int:
    """Rows in which some column, shape (N, ..), is infinite."""
    if not columns:
        return 0
    infinite = [np.isinf(column).reshape(len(column), -1).any(axis=1) for column in columns]
    return int(np.any(infinite, axis=0).sum())
