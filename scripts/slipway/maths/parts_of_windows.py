"""A window that several processes count, a part each: what they hand on adds up to what one would have counted.

Of Slipway it needs this package alone; beside it numpy and pyarrow.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from slipway.maths.arrow_batches import AskedColumn, to_batch
from slipway.maths.profile import ColumnProfile
from slipway.maths.windows import SeenWindow, count_window

SCHEMA = pa.schema({"window": pa.binary()})


@dataclass(frozen=True)
class PartOfWindow:
    """Counts the batches of one part, wherever it is carried to."""

    profiles: Mapping[str, ColumnProfile]
    columns: tuple[AskedColumn, ...]
    names: tuple[str, ...]  # of the batches' columns, in their order, whatever a batch calls them

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """One row: the window of this part, as bytes."""
        named = (batch.rename_columns(list(self.names)) for batch in batches if batch.num_rows)
        served = (to_batch(batch, self.columns) for batch in named)
        window = count_window(self.profiles, served)
        yield pa.RecordBatch.from_arrays([pa.array([window.to_bytes()], pa.binary())], schema=SCHEMA)


def whole(parts: Iterable[bytes], profiles: Mapping[str, ColumnProfile]) -> SeenWindow:
    """All parts together, in any order.

    Raises:
        KeyError, TypeError, ValueError: a part was counted against other profiles.
    """
    windows = (SeenWindow.from_bytes(part, profiles) for part in parts)
    return functools.reduce(operator.add, windows, SeenWindow())
