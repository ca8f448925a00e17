"""A window that is larger than a machine: Parquet files of a served log, counted by Spark where they lie.

Every worker counts its part by the code that counts a window here, and the parts add up to the same bytes, in any
order. Files are told apart by their columns, so that none takes the types of another. What Spark would read otherwise
(CSV, JSON lines, odd types and names) is counted here, as ever.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from slipway.adapters import spark_session
from slipway.adapters.log_places import LogPlace
from slipway.adapters.served_columns import columns_of
from slipway.adapters.served_files import ENDINGS, Asked, LogFiles, need, pieces
from slipway.adapters.served_log import GOLDEN_REQUEST, LogSource, asked_batches
from slipway.domain.model import Feature
from slipway.errors import BadFile
from slipway.maths.arrow_batches import to_batch
from slipway.maths.parts_of_windows import SCHEMA, PartOfWindow, whole
from slipway.maths.profile import ColumnProfile
from slipway.maths.windows import SeenWindow, count_window

_TASKS_A_PROCESSOR = 4
_SCHEMES = {"s3": "s3a://", "gs": "gs://"}
_PLAIN = re.compile(r"[\w ./=@+,~-]+", re.ASCII)  # in the name of a file; Spark takes other marks for patterns
_KEYS = ("version", "request_id")
_HANDED_ON = f"{SCHEMA.names[0]} binary"  # the schema of a part, in Spark's words
_Kinds = tuple[tuple[str, pa.DataType], ...]


def count(
    source: LogSource,
    start: date,
    end: date,
    *,
    version: str,
    features: Sequence[Feature],
    profiles: Mapping[str, ColumnProfile],
) -> SeenWindow:
    """What a version served from `start` to `end`, both inclusive, counted against `profiles`.

    Raises:
        BadFile: the log is no folder and no bucket, a file of it cannot be read, or PySpark or Java is missing.
        Unreachable: Spark did not finish.
    """
    if not isinstance(source, LogFiles):
        raise BadFile(
            f"slipway.yaml: `watch_on: spark` counts files, and `served_log` is {source.address}",
            mend="let served_log be a folder or a bucket, or watch_on be this process",
        )
    asked = asked_batches(version, features)
    paths = source.paths(start, end, ending=ENDINGS)
    groups = _for_spark(source.place, paths, asked)
    on_spark = {path for some in groups.values() for path in some}
    here = pieces(source.place, [path for path in paths if path not in on_spark], asked)
    counted_here = count_window(profiles, (to_batch(piece, columns_of(features)) for piece in here))
    parts = {kinds: PartOfWindow(profiles, columns_of(features), _wanted(kinds, asked)) for kinds in groups}
    counted_there = (_counted(source.place, groups[kinds], part, version) for kinds, part in parts.items())
    return sum(counted_there, start=counted_here)


def _for_spark(place: LogPlace, paths: Sequence[str], asked: Asked) -> dict[_Kinds, list[str]]:
    """Files of which Spark reads the same as pyarrow, by their columns."""
    groups = _alike(place, [path for path in paths if path.endswith(".parquet") and _is_plain(path)])
    for kinds, some in groups.items():
        need(some[0], [name for name, _ in kinds], asked)
    return {kinds: some for kinds, some in groups.items() if _reads(kinds, asked)}


def _alike(place: LogPlace, paths: Sequence[str]) -> dict[_Kinds, list[str]]:
    """Files by what their columns are called and hold, of which each tells at its end."""
    groups: dict[_Kinds, list[str]] = defaultdict(list)
    with place.reading():
        for path, kinds in zip(paths, place.of_each(partial(_kinds_of, place), paths), strict=True):
            groups[kinds].append(path)
    return groups


def _kinds_of(place: LogPlace, path: str) -> _Kinds:
    try:
        with place.store.open_input_file(path) as file:
            return tuple((field.name, field.type) for field in pq.read_schema(file))
    except (OSError, pa.ArrowException) as error:
        raise BadFile(f"{path}: the log cannot be read: {error}", mend="move the broken file aside") from error


def _wanted(kinds: _Kinds, asked: Asked) -> tuple[str, ...]:
    return tuple(name for name in asked.columns or () if name in dict(kinds))


def _reads(kinds: _Kinds, asked: Asked) -> bool:
    """Whether Spark reads the same from all columns that are asked for as pyarrow does."""
    read = {*_wanted(kinds, asked), *_KEYS}
    return all(_is_read(kind) for name, kind in kinds if name in read) and all(
        pa.types.is_string(kind) for name, kind in kinds if name in _KEYS
    )


def _is_read(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return bool(pa.types.is_float32(kind.value_type) or pa.types.is_float64(kind.value_type))
    if pa.types.is_dictionary(kind):
        return bool(pa.types.is_string(kind.value_type))
    whole_numbers = pa.types.is_integer(kind) and not pa.types.is_uint64(kind)
    others = (
        pa.types.is_float32,
        pa.types.is_float64,
        pa.types.is_boolean,
        pa.types.is_string,
        pa.types.is_large_string,
    )
    return bool(whole_numbers or any(is_one(kind) for is_one in others))


def _is_plain(path: str) -> bool:
    return _PLAIN.fullmatch(path) is not None and not PurePosixPath(path).name.startswith("_")  # hidden, to Spark


def _counted(place: LogPlace, paths: Sequence[str], part: PartOfWindow, version: str) -> SeenWindow:
    """Files of the same columns. A task hands on one part, however many files it reads."""
    spark = spark_session.session()
    with spark_session.in_our_words():
        rows = spark.read.parquet(*(_address(place, path) for path in paths)).where(_traffic(version))
        # By number, for mapInArrow takes a dot in a name for a field of an object.
        asked = rows.selectExpr(*(f"{_quoted(name)} AS c{number}" for number, name in enumerate(part.names)))
        tasks = spark.sparkContext.defaultParallelism * _TASKS_A_PROCESSOR
        counted = asked.coalesce(tasks).mapInArrow(part, _HANDED_ON).collect()
    return whole((bytes(row[0]) for row in counted), part.profiles)


def _traffic(version: str) -> Any:
    """As `served_log` keeps them: rows of the version which users asked for."""
    from pyspark.sql import functions  # noqa: PLC0415 - as in spark_session

    request = functions.col("request_id")
    return (functions.col("version") == version) & (request.isNull() | ~request.startswith(GOLDEN_REQUEST))


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _address(place: LogPlace, path: str) -> str:
    if isinstance(place.store, fs.LocalFileSystem):
        return f"file://{path}"
    return _SCHEMES[place.address.partition("://")[0]] + path
