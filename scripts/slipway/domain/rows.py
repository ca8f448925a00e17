"""Rows of a model's inputs and outputs as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

# One array a tensor: numbers in their declared type, strings as Python objects; shape [N, *tensor.shape].
Batch = Mapping[str, npt.NDArray[Any]]
_MOST_DRAWN = 1000  # parts of rows that are drawn: more of them make no interval more exact


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """What a metric is computed from.

    `labels` has what the model should have decided, shape [N], in the kind of its decisions: bools, names of classes
    or float64. `days` is the day of each row as an integer (days since 1970), `counts` tells which rows a metric may
    count, `groups` which rows belong together where that is not the day. `columns` are those of the samples that are
    no input and that a policy asks for, as words.
    """

    batch: Batch
    labels: npt.NDArray[Any]
    days: npt.NDArray[np.int64]
    counts: npt.NDArray[np.bool_]
    groups: npt.NDArray[Any] | None = None
    columns: Batch = field(default_factory=dict)

    @property
    def drawn(self) -> npt.NDArray[Any]:
        """What belongs together, and is drawn as a whole when an interval is estimated; shape [N]."""
        return self.days if self.groups is None else self.groups

    @property
    def one_by_one(self) -> LabelledRows:
        """The same rows, as if those of a day had nothing in common: each is drawn for itself, or with a few others."""
        return replace(self, groups=np.arange(len(self)) % _MOST_DRAWN)

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
