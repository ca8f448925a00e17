"""Splits of trees, from the float64 that a source compares with to the float32 of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def rounded_down(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest float32 that is not above each threshold, as float64.

    For every float32 `x`, `x <= t` holds exactly when `x <= rounded_down(t)` does. Rounded to the nearest instead, a
    value that lies in the middle between two of the training falls on the other side of the split.
    """
    with np.errstate(over="ignore"):  # beyond float32 lies infinity
        nearest = thresholds.astype(np.float32)
        below: npt.NDArray[Any] = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest.astype(np.float64) > thresholds, below, nearest).astype(np.float64)
