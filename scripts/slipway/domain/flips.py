"""Where decisions flip: by the values of the columns of words, since a reviewer looks at these first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from slipway.domain.evidence import Slice
from slipway.domain.model import Feature
from slipway.domain.rows import Batch
from slipway.domain.signature import DataType

_MOST_SLICES = 8
_MOST_VALUES = 50  # of a column that is told apart by its values


def flips_by_value(inputs: Iterable[Feature], batch: Batch, flipped: npt.NDArray[np.bool_]) -> tuple[Slice, ...]:
    """The values of words with the most flips; `flipped` has one bool a row, shape [N]."""
    found = [
        Slice(column=feature.name, value=str(value), rows=int(members.sum()), flips=int((members & flipped).sum()))
        for feature in inputs
        if feature.dtype is DataType.STRING and feature.shape == (1,)
        for value in _commonest(batch[feature.name])
        for members in [batch[feature.name].ravel() == value]
    ]
    most = sorted(found, key=lambda one: (-one.flips, one.column, one.value))
    return tuple(one for one in most[:_MOST_SLICES] if one.flips)


def _commonest(column: npt.NDArray[np.object_]) -> list[str]:
    values, counts = np.unique(column.astype(str), return_counts=True)
    return [str(value) for value in values[np.argsort(-counts, kind="stable")][:_MOST_VALUES]]
