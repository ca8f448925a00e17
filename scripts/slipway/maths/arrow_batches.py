"""A piece of a served log, a table of Arrow, as arrays that can be counted.

Of Slipway it needs this package alone: on Spark it runs where nothing else of Slipway is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from slipway.maths.columns import CountedWords
from slipway.maths.windows import ServedBatch


@dataclass(frozen=True, slots=True)
class AskedColumn:
    """What a column should hold: so many values a row, words or numbers."""

    name: str
    width: int = 1
    words: bool = False


def to_batch(table: pa.Table | pa.RecordBatch, columns: Sequence[AskedColumn]) -> ServedBatch:
    """Each column's values: text as counts a word, all else as an array; what is missing as null or NaN.

    A wide column has as many values a row as its width, also where a row has none of it.
    """
    rows = table if isinstance(table, pa.Table) else pa.Table.from_batches([table])
    there = [column for column in columns if column.name in rows.column_names]
    absent = [column for column in columns if column.name not in rows.column_names]
    return ServedBatch(
        rows=len(rows),
        columns={column.name: _values(rows[column.name], column) for column in there}
        | {column.name: _nothing(len(rows) * column.width, column) for column in absent},
        absent=frozenset(column.name for column in absent),
    )


def _values(column: pa.ChunkedArray, asked: AskedColumn) -> npt.NDArray[Any] | CountedWords:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        empty = pa.nulls(column.null_count * asked.width, kind.value_type)
        flat = pc.list_flatten(column.drop_null())
        return _values(pa.chunked_array([*flat.chunks, empty], kind.value_type), asked)
    if pa.types.is_nested(kind):
        return CountedWords.of(map(str, column.to_pylist()), [1] * len(column))
    if asked.words or _is_text(kind):
        counted = pc.value_counts(column.combine_chunks())
        return CountedWords.of(counted.field("values").to_pylist(), counted.field("counts").to_pylist())
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    return np.asarray(_plain(column).to_numpy())


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What numpy has a kind of number for."""
    if pa.types.is_boolean(column.type):
        return column.cast(pa.uint8())
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _nothing(values: int, asked: AskedColumn) -> npt.NDArray[Any] | CountedWords:
    return CountedWords({}, null=values) if asked.words else np.full(values, np.nan)


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    return any(is_one(plain) for is_one in text)
