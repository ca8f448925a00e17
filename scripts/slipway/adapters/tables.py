"""Columns of Parquet files as batches, checked against what a model declares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slipway.domain.decisions import NO_CLASS, class_names
from slipway.domain.model import Decision, Feature, Model
from slipway.domain.rows import LabelledRows
from slipway.domain.signature import DataType
from slipway.errors import BadFile

_MICROSECONDS_A_DAY = 86_400_000_000
_WHOLE = {DataType.INT32: pa.int32(), DataType.INT64: pa.int64()}


def read_samples(path: Path, model: Model, *, shown_as: Path | None = None, also: Sequence[str] = ()) -> LabelledRows:
    """Read labelled rows as `model.samples` names their columns; errors call the file `shown_as`.

    `also` names columns that policies ask for, and that need not be inputs.

    Raises:
        BadFile: the file is no Parquet, has no rows, lacks a column, or a column has another type than declared.
    """
    where = shown_as or path
    table = read_parquet(path, shown_as=where)
    declared = model.samples
    optional = [name for name in (declared.held_out, declared.group) if name]
    _need(table, [declared.time, declared.label, *optional], where=where)
    if len(table) == 0:
        raise BadFile(f"{where} has no rows", mend="write labelled rows that stand for production")
    answers = labels(table[declared.label], model.decision, where=where, name=declared.label)
    counts = (
        bools(table[declared.held_out], where=where, name=declared.held_out)
        if declared.held_out
        else np.ones(len(answers), np.bool_)
    )
    return LabelledRows(
        batch=to_batch(table, model.inputs, where=where),
        labels=answers,
        days=days(table[declared.time], where=where, name=declared.time),
        counts=counts,
        columns={name: _words(table, name, where=where) for name in also},
        groups=_groups(table[declared.group], where=where, name=declared.group) if declared.group else None,
    )


def read_batch(path: Path, features: Sequence[Feature]) -> dict[str, npt.NDArray[Any]]:
    return to_batch(read_parquet(path), features, where=path)


def read_parquet(path: Path, *, shown_as: Path | None = None) -> pa.Table:
    where = shown_as or path
    try:
        return pq.read_table(path, partitioning=None)  # a folder called `a=b` above it is no column
    except (OSError, pa.ArrowException) as error:
        raise BadFile(f"{where} is no Parquet file: {error}", mend=f"write {where} again") from error


def to_batch(table: pa.Table, features: Sequence[Feature], *, where: Path) -> dict[str, npt.NDArray[Any]]:
    """Take the features' columns, each as `[N, *feature.shape]`; a missing number becomes NaN, a missing word ''.

    Raises:
        BadFile: a column is missing, of another type, or holds values that its type cannot.
    """
    _need(table, [feature.name for feature in features], where=where)
    return {feature.name: _array(table[feature.name], feature, where=where) for feature in features}


def days(column: pa.ChunkedArray, *, where: Path, name: str) -> npt.NDArray[np.int64]:
    """Days since 1970 of a timestamp or date column, in UTC."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise BadFile(f"{where}: column `{name}` is {column.type}, no time", mend=f"store `{name}` as a timestamp")
    _refuse_missing(column, where=where, name=name)
    moments = column.cast(pa.timestamp("us"), safe=False)  # what is finer decides no day
    return np.asarray(moments.cast(pa.int64()).to_numpy(), np.int64) // _MICROSECONDS_A_DAY


def bools(column: pa.ChunkedArray, *, where: Path, name: str) -> npt.NDArray[np.bool_]:
    """A column of bools, or of zeros and ones."""
    _refuse_missing(column, where=where, name=name)
    values = np.asarray(column.to_numpy())
    if len(strange := np.flatnonzero(~np.isin(values, [0, 1]))):
        raise BadFile(
            f"{where}: column `{name}` has values other than true and false, first `{values[strange[0]]}` in row "
            f"{int(strange[0]) + 1:,}",
            mend="store it as a bool",
        )
    return values.astype(np.bool_)


def labels(column: pa.ChunkedArray, decision: Decision, *, where: Path, name: str) -> npt.NDArray[Any]:
    """What should have been decided, in the kind of the decisions: bools, names of classes, or float64.

    Raises:
        BadFile: a row has no label, or one that this kind of decision never gives; the first such row is named.
    """
    _refuse_missing(column, where=where, name=name)
    if decision.threshold is not None:
        return bools(column, where=where, name=name)
    if decision.classes is None:
        return _numbers(column, where=where, name=name)
    return _classes(column, decision.classes, where=where, name=name)


def _numbers(column: pa.ChunkedArray, *, where: Path, name: str) -> npt.NDArray[np.float64]:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        raise BadFile(
            f"{where}: column `{name}` is {column.type}, and the model decides a number",
            mend=f"store `{name}` as a number, or declare another decision in model.yaml",
        )
    values = np.asarray(column.cast(pa.float64()).to_numpy())
    if len(strange := np.flatnonzero(~np.isfinite(values))):
        raise _bad_label(values[strange[0]], row=strange[0], where=where, name=name, mend="leave these rows out")
    return values


def _classes(column: pa.ChunkedArray, classes: tuple[str, ...], *, where: Path, name: str) -> npt.NDArray[np.str_]:
    words = pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or _is_words(column.type)
    if not (words or pa.types.is_integer(column.type)):
        raise BadFile(
            f"{where}: column `{name}` is {column.type}, and the model decides one of several classes",
            mend=f"store in `{name}` the names of the classes, or their index from 0",
        )
    values = np.asarray((column.cast(pa.string()) if words else column).to_numpy(zero_copy_only=False))
    named = class_names(values, classes)
    if len(strange := np.flatnonzero(named == NO_CLASS)):
        some = ", ".join(classes[:5]) + (", …" if len(classes) > 5 else "")
        mend = f"write one of the {len(classes)} classes of model.yaml ({some}), or add the class there"
        raise _bad_label(values[strange[0]], row=strange[0], where=where, name=name, mend=mend)
    return named


def _bad_label(value: Any, *, row: Any, where: Path, name: str, mend: str) -> BadFile:
    return BadFile(f"{where}: column `{name}`, row {int(row) + 1:,}: `{value}` is no label of this model", mend=mend)


def _words(table: pa.Table, name: str, *, where: Path) -> npt.NDArray[np.str_]:
    """Any column as words, '' where there is no value."""
    if name not in table.column_names or pa.types.is_nested(table.schema.field(name).type):
        raise BadFile(
            f"{where} has no column `{name}` of words or numbers, and policies/slices.yaml asks for it",
            mend="add the column to the samples, or correct its name in policies/slices.yaml",
        )
    column = table[name]
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    return np.asarray(pc.fill_null(plain.cast(pa.string()), "").to_numpy(zero_copy_only=False)).astype(str)


def _groups(column: pa.ChunkedArray, *, where: Path, name: str) -> npt.NDArray[np.int64]:
    """A number a group; only which rows share one counts."""
    _refuse_missing(column, where=where, name=name)
    if pa.types.is_nested(column.type):
        raise BadFile(f"{where}: column `{name}` is {column.type}", mend=f"store in `{name}` one word or number a row")
    encoded = column.combine_chunks()
    encoded = encoded if pa.types.is_dictionary(encoded.type) else pc.dictionary_encode(encoded)
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def _array(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> npt.NDArray[Any]:
    values = column if math.prod(feature.shape) == 1 else _flat(column, feature, where=where)
    return _values(values, feature, where=where).reshape(len(column), *feature.shape)


def _flat(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> pa.ChunkedArray:
    """The values of a column of lists, which each have one value for each place of the feature's shape."""
    width = math.prod(feature.shape)
    lists = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
    lengths = pc.list_value_length(column) if lists else None
    if lengths is None or lengths.null_count or not pc.all(pc.equal(lengths, width)).as_py():
        raise BadFile(
            f"{where}: column `{feature.name}` is {column.type}; model.yaml declares {list(feature.shape)} a row",
            mend=f"store a list of {width} values a row",
        )
    return pc.list_flatten(column)


def _values(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> npt.NDArray[Any]:
    if feature.dtype is DataType.STRING:
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or _is_words(column.type)):
            raise _wrong_type(column, feature, where=where)
        words = pc.fill_null(column.cast(pa.string()), "")
        return np.asarray(words.to_numpy(zero_copy_only=False), dtype=object)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)):
        raise _wrong_type(column, feature, where=where)
    if feature.dtype in (DataType.FLOAT32, DataType.FLOAT64):
        return np.asarray(column.to_numpy()).astype(feature.dtype.value)
    return _whole(column, feature, where=where)


def _whole(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> npt.NDArray[Any]:
    """Integers and bools; a value that would become another one is refused."""
    if column.null_count:
        raise BadFile(
            f"{where}: column `{feature.name}` ({feature.dtype}) has {column.null_count} missing values",
            mend=f"declare `{feature.name}` as float32, where NaN stands for missing, or fill the values",
        )
    if feature.dtype is DataType.BOOL:
        return bools(column, where=where, name=feature.name)
    try:
        return np.asarray(column.cast(_WHOLE[feature.dtype]).to_numpy())
    except pa.ArrowInvalid as error:
        raise _wrong_type(column, feature, where=where) from error


def _is_words(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _wrong_type(column: pa.ChunkedArray, feature: Feature, *, where: Path) -> BadFile:
    return BadFile(
        f"{where}: column `{feature.name}` is {column.type}; model.yaml declares {feature.dtype}",
        mend="correct one of the two",
    )


def _refuse_missing(column: pa.ChunkedArray, *, where: Path, name: str) -> None:
    if column.null_count:
        raise BadFile(
            f"{where}: column `{name}` has {column.null_count} rows without a value", mend="leave these rows out"
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
