"""Columns of Parquet files as batches, checked against what a model declares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slipway.domain.model import Feature, Model
from slipway.domain.rows import LabelledRows
from slipway.domain.signature import DataType
from slipway.errors import BadFile

_SECONDS_A_DAY = 86_400


def read_samples(path: Path, model: Model) -> LabelledRows:
    """Read labelled rows as `model.samples` names their columns.

    Raises:
        BadFile: the file is no Parquet, lacks a column, or a column has another type than declared.
    """
    table = read_parquet(path)
    declared = model.samples
    _need(table, [declared.time, declared.label, *([declared.held_out] if declared.held_out else [])], where=path)
    labels = bools(table[declared.label], where=path, name=declared.label)
    counts = (
        bools(table[declared.held_out], where=path, name=declared.held_out)
        if declared.held_out
        else np.ones(len(labels), np.bool_)
    )
    return LabelledRows(
        batch=to_batch(table, model.inputs, where=path),
        labels=labels,
        days=days(table[declared.time], where=path, name=declared.time),
        counts=counts,
    )


def read_batch(path: Path, features: Sequence[Feature]) -> dict[str, npt.NDArray[Any]]:
    return to_batch(read_parquet(path), features, where=path)


def read_parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadFile(f"{path} is no Parquet file: {error}", mend=f"write {path} again") from error


def to_batch(table: pa.Table, features: Sequence[Feature], *, where: Path) -> dict[str, npt.NDArray[Any]]:
    """Take the features' columns, each as `[N, *feature.shape]`; a missing number becomes NaN, a missing word ''.

    Raises:
        BadFile: a column is missing, of another type, or an integer column has missing values.
    """
    _need(table, [feature.name for feature in features], where=where)
    return {feature.name: _array(table[feature.name], feature, where=where) for feature in features}


def days(column: pa.ChunkedArray, *, where: Path, name: str) -> npt.NDArray[np.int64]:
    """Days since 1970 of a timestamp or date column, in UTC."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise BadFile(f"{where}: column `{name}` is {column.type}, no time", mend=f"store `{name}` as a timestamp")
    seconds = np.asarray(column.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy(), np.int64)
    return seconds // _SECONDS_A_DAY


def bools(column: pa.ChunkedArray, *, where: Path, name: str) -> npt.NDArray[np.bool_]:
    """A column of bools, or of zeros and ones."""
    if column.null_count:
        raise BadFile(
            f"{where}: column `{name}` has {column.null_count} rows without a value", mend="leave these rows out"
        )
    values = np.asarray(column.to_numpy())
    if not np.isin(values, [0, 1]).all():
        raise BadFile(f"{where}: column `{name}` has values other than true and false", mend="store it as a bool")
    return values.astype(np.bool_)


def _array(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> npt.NDArray[Any]:
    shape = (-1, *feature.shape)
    if feature.dtype is DataType.STRING:
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or _is_words(column.type)):
            raise _wrong_type(column, feature, where=where)
        words = pc.fill_null(column.cast(pa.string()), "")
        return np.asarray(words.to_numpy(zero_copy_only=False), dtype=object).reshape(shape)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)):
        raise _wrong_type(column, feature, where=where)
    if column.null_count and feature.dtype not in (DataType.FLOAT32, DataType.FLOAT64):
        raise BadFile(
            f"{where}: column `{feature.name}` ({feature.dtype}) has {column.null_count} missing values",
            mend=f"declare `{feature.name}` as float32, where NaN stands for missing, or fill the values",
        )
    return np.asarray(column.to_numpy()).astype(feature.dtype.value).reshape(shape)


def _is_words(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _wrong_type(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> BadFile:
    return BadFile(
        f"{where}: column `{feature.name}` is {column.type}; model.yaml declares {feature.dtype}",
        mend="correct one of the two",
    )


def _need(table: pa.Table, names: Sequence[str], *, where: Path) -> None:
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise BadFile(
            f"{where} has no column `{missing[0]}`; it has {', '.join(table.column_names)}",
            mend="add the column, or correct its name in model.yaml",
        )


def write_table(table: pa.Table, path: Path, *, columns: Sequence[str]) -> None:
    """Write those of the columns that are there."""
    pq.write_table(table.select([name for name in columns if name in table.column_names]), path, compression="zstd")
