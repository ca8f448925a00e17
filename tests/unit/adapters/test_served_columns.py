"""Columns of a log in all the types that files have, as values to be counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from slipway.adapters.served_columns import to_batch
from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.maths.columns import CountedWords

_NAN = float("nan")


def values(column: pa.Array, *, dtype: DataType = DataType.FLOAT32, shape: tuple[int, ...] = (1,)) -> Any:
    feature = Feature(name="x", dtype=dtype, meaning="-", shape=shape)
    return to_batch(pa.table({"x": column}), [feature]).columns["x"]


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array([1, None, 3], pa.int64()), [1.0, _NAN, 3.0]),
        (pa.array([1.5, _NAN, None], pa.float32()), [1.5, _NAN, _NAN]),
        (pa.array([True, None, False]), [1.0, _NAN, 0.0]),
        (pa.array([Decimal("1.25"), None]), [1.25, _NAN]),
        (pa.nulls(2), [_NAN, _NAN]),
    ],
)
def test_whatever_holds_a_number_is_read_as_one(column: pa.Array, numbers: list[float]) -> None:
    """A null must be missing: as a word it would break the schema, as a zero it would be a value."""
    assert np.array_equal(values(column).astype(float), numbers, equal_nan=True)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, "b", "a"], pa.string()),
        pa.array(["a", None, "b", "a"], pa.large_string()),
        pa.array(["a", None, "b", "a"]).dictionary_encode(),
        pa.array([b"a", None, b"b", b"a"], pa.binary()),
    ],
)
def test_words_are_counted_however_they_are_kept(column: pa.Array) -> None:
    """pandas writes categories as a dictionary, and polars long strings."""
    assert values(column, dtype=DataType.STRING) == CountedWords({"a": 2, "b": 1}, null=1)
    assert values(column) == CountedWords({"a": 2, "b": 1}, null=1)  # where numbers were asked for, so that it is told


def test_numbers_and_objects_where_words_were_are_words_that_nobody_knows() -> None:
    """They show as categories which the reference never had."""
    assert values(pa.array([1, 1, 2]), dtype=DataType.STRING) == CountedWords({"1": 2, "2": 1})
    assert values(pa.array([{"a": 1}]), dtype=DataType.STRING).names == {"{'a': 1}": 1}


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 2)])
def test_a_row_without_its_vector_misses_every_value_of_it(kind: pa.DataType) -> None:
    """Half of the embeddings gone is half of the values gone, and no smaller vector."""
    found = values(pa.array([[1.0, 2.0], None, [3.0, _NAN]], kind), shape=(2,))

    assert np.array_equal(np.sort(found), [1.0, 2.0, 3.0, _NAN, _NAN, _NAN], equal_nan=True)


def test_a_column_that_is_not_there_is_absent_and_missing() -> None:
    """Other files may have it; what this one lacks is counted all the same."""
    features = [
        Feature(name="x", dtype=DataType.FLOAT32, meaning="-", shape=(2,)),
        Feature(name="y", dtype=DataType.STRING, meaning="-"),
    ]

    batch = to_batch(pa.table({"version": ["v1.0.0"] * 3}), features)

    assert (batch.rows, batch.absent) == (3, frozenset({"x", "y"}))
    assert np.isnan(batch.columns["x"]).tolist() == [True] * 6  # type: ignore[arg-type]
    assert batch.columns["y"] == CountedWords({}, null=3)
