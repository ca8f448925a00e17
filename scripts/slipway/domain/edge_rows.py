"""Rows that real data seldom holds, and that production sends one day."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.model import Feature, Model
from slipway.domain.rows import Batch, rows_in
from slipway.domain.signature import DataType

_MOST_CATEGORIES = 200  # a feature
_FLOATS = (0.0, -1.0, 1e-30, 1e6, 2.0**24 + 1, np.nan, np.inf, -np.inf)
_INTEGERS = (0, 1, -1)
_STRINGS = ("", "never seen", "ünïcödé ☃", " ")


def edge_rows(model: Model, samples: Batch) -> dict[str, npt.NDArray[Any]]:
    """Vary one feature at a time around the first sample row: shape [number of variations, *feature.shape].

    Numbers take missing, infinite, zero, negative and huge values and the extremes of the samples; strings take
    every category of the samples, the empty, an unseen and a non-ASCII word.
    """
    variations = [(feature, value) for feature in model.inputs for value in _variations(feature, samples)]
    rows = len(variations)
    batch = {feature.name: np.repeat(samples[feature.name][:1], rows, axis=0).copy() for feature in model.inputs}
    for row, (feature, value) in enumerate(variations):
        batch[feature.name][row] = value
    return batch


def _variations(feature: Feature, samples: Batch) -> list[Any]:
    if rows_in(samples) == 0:
        return []
    column = samples[feature.name]
    if feature.dtype is DataType.STRING:
        return [*sorted({str(value) for value in column.ravel()})[:_MOST_CATEGORIES], *_STRINGS]
    if feature.dtype is DataType.BOOL:
        return [False, True]
    floating = feature.dtype in (DataType.FLOAT32, DataType.FLOAT64)
    there = column[np.isfinite(column)] if floating else column  # one missing value would hide both extremes
    extremes = [there.min(), there.max()] if there.size else []
    return [*(_FLOATS if floating else _INTEGERS), *extremes]
