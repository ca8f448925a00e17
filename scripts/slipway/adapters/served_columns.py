"""A piece of the served log as arrays that can be counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.maths.columns import CountedWords
from slipway.maths.windows import ServedBatch


def to_batch(table: pa.Table, features: Sequence[Feature]) -> ServedBatch:
    """Each feature's values: text as counts a word, all else as an array; what is missing as null or NaN.

    A wide feature has as many values a row as its shape, also where a row has none of it.
    """
    there = [feature for feature in features if feature.name in table.column_names]
    absent = [feature for feature in features if feature.name not in table.column_names]
    return ServedBatch(
        rows=len(table),
        columns={feature.name: _values(table[feature.name], feature) for feature in there}
        | {feature.name: _nothing(len(table) * math.prod(feature.shape), feature) for feature in absent},
        absent=frozenset(feature.name for feature in absent),
    )


def _values(column: pa.ChunkedArray, feature: Feature) -> npt.NDArray[Any] | CountedWords:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        empty = pa.nulls(column.null_count * math.prod(feature.shape), kind.value_type)
        flat = pc.list_flatten(column.drop_null())
        return _values(pa.chunked_array([*flat.chunks, empty], kind.value_type), feature)
    if pa.types.is_nested(kind):
        return CountedWords.of(map(str, column.to_pylist()), [1] * len(column))
    if feature.dtype is DataType.STRING or _is_text(kind):
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


def _nothing(values: int, feature: Feature) -> npt.NDArray[Any] | CountedWords:
    return CountedWords({}, null=values) if feature.dtype is DataType.STRING else np.full(values, np.nan)


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    return any(is_one(plain) for is_one in text)
