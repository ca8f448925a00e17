"""Rows of a model's inputs and outputs as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# One array a tensor: numbers in their declared type, strings as Python objects; shape [N, *tensor.shape].
Batch = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """What a metric is computed from.

    `labels` has a bool a row, `days` the day of each row as an integer (days since 1970), `counts` tells which
    rows a metric may count.
    """

    batch: Batch
    labels: npt.NDArray[np.bool_]
    days: npt.NDArray[np.int64]
    counts: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)


def take(batch: Batch, rows: npt.NDArray[Any] | slice) -> dict[str, npt.NDArray[Any]]:
    """The same columns, these rows only."""
    return {name: column[rows] for name, column in batch.items()}


def rows_in(batch: Batch) -> int:
    return len(next(iter(batch.values()))) if batch else 0


def is_number(column: npt.NDArray[Any]) -> bool:
    """Whether a column can be more or less; words can only be equal or not."""
    return column.dtype.kind in "biuf"


def scores(outputs: Batch, output: str) -> npt.NDArray[Any]:
    """One number a row, shape [N]: the output, its first value where it has several."""
    column = outputs[output]
    first: npt.NDArray[Any] = column.reshape(len(column), -1)[:, 0]
    return first
