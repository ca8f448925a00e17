"""Files of a served log or of labels, read piece by piece: Parquet, CSV or JSON lines, as their ending says.

    date=2026-03-01/9f3c.parquet        what our server writes
    date=2026-03-01/export.csv          names in its first line; empty, NA, NaN and null are missing numbers
    date=2026-03-01/export.jsonl        an object a line; a key of a nested object is a column by itself

However large the files are, only a few pieces of them are in memory at once.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from slipway.adapters.log_places import LogPlace
from slipway.errors import BadFile

_ROWS_AT_ONCE = 1 << 16  # of a piece that is handed on: small enough for a processor's cache, and soon counted
_BUFFER = 1 << 20  # bytes a column
_HEAD = 1 << 12  # bytes, mostly enough for a line of names
_NO_NUMBER = pa.array(["", "na", "n/a", "nan", "null", "none"])
OWN = {
    "request_id": pa.string(),
    "row": pa.int64(),
    "time": pa.timestamp("us", tz="UTC"),
    "version": pa.string(),
}  # columns of the log itself


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be read: those of the columns that a file has (None: all), and the rows that `mask` is true of.

    `needed` are columns without which a file is none of this log, `words` are columns of text, which a CSV does not
    tell from others, and `version` is what all wanted rows have in the column of that name.
    """

    mask: Callable[[pa.Table], pa.ChunkedArray] | None = None
    needed: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    words: frozenset[str] = frozenset()
    version: str | None = None

    def read(self, names: Collection[str]) -> list[str]:
        """The columns to read of a file that has these."""
        return list(names) if self.columns is None else [name for name in names if name in self.needed + self.columns]

    def kept(self, table: pa.Table) -> pa.Table:
        """Of what was read, the rows and columns that were asked for."""
        if self.mask is not None and not pc.all(mask := self.mask(table), skip_nulls=False).as_py():
            table = table.filter(mask)
        return (
            table if self.columns is None else table.select([one for one in self.columns if one in table.schema.names])
        )


@dataclass(frozen=True, slots=True)
class LogFiles:
    """A served log, or labels, of one model in one environment, in files a day."""

    place: LogPlace

    @property
    def address(self) -> str:
        return self.place.address

    def newest_days(self) -> Iterator[date]:
        """Days that have a folder, the newest first."""
        return reversed(self.place.days())

    def paths(self, start: date, end: date, *, ending: str | tuple[str, ...]) -> list[str]:
        """Files of the days from `start` to `end`, both inclusive."""
        days = [day for day in self.place.days() if start <= day <= end]
        return self.place.files(days, ending=ending)

    def pieces(self, start: date, end: date, asked: Asked) -> Iterator[pa.Table]:
        return pieces(self.place, self.paths(start, end, ending=ENDINGS), asked)

    def counts(self, start: date, end: date) -> dict[str, bytes]:
        """Files of counts, which servers write that may not log rows, by their path."""
        paths = self.paths(start, end, ending=".sketch.json")
        with self.place.reading():
            return dict(zip(paths, self.place.of_each(self.place.read, paths), strict=True))


def pieces(place: LogPlace, paths: Sequence[str], asked: Asked) -> Iterator[pa.Table]:
    """The rows of files, in pieces with the columns of their file, none empty; no order is kept.

    Raises:
        BadFile: a file that cannot be read, or that lacks a column that is needed.
    """
    return gathered(filter(len, _in_our_words(place, paths, asked)))


def _in_our_words(place: LogPlace, paths: Sequence[str], asked: Asked) -> Iterator[pa.Table]:
    path = place.address
    try:
        with place.reading():
            for path, file in place.opened(paths):
                with file:
                    yield from map(asked.kept, _READERS[PurePosixPath(path).suffix](path, file, asked))
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise BadFile(f"{path}: the log cannot be read: {error}", mend="move the broken file aside") from error


def gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Many small files make one piece, so that what a piece costs is not paid for each file."""
    for _, alike in itertools.groupby(tables, key=lambda table: table.schema):
        waiting: list[pa.Table] = []
        rows = 0
        for table in alike:
            waiting.append(table)
            rows += len(table)
            if rows >= _ROWS_AT_ONCE:
                yield pa.concat_tables(waiting)
                waiting, rows = [], 0
        if waiting:
            yield pa.concat_tables(waiting)


# --- Parquet -------------------------------------------------------------------------------------------------------


def _parquet(path: str, file: pa.NativeFile, asked: Asked) -> Iterator[pa.Table]:
    """Only what is asked for next is read, so that memory does not grow where counting is slower than reading."""
    parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)
    names = parquet.schema_arrow.names
    need(path, names, asked)
    groups = [number for number in range(parquet.num_row_groups) if _may_hold(parquet, number, asked.version)]
    for batch in parquet.iter_batches(_ROWS_AT_ONCE, row_groups=groups, columns=asked.read(names)):
        yield pa.Table.from_batches([batch]).replace_schema_metadata()


def _may_hold(parquet: pq.ParquetFile, group: int, version: str | None) -> bool:
    """Whether rows of a version may be among those of a part of the file."""
    if version is None:
        return True
    columns = map(parquet.metadata.row_group(group).column, range(parquet.metadata.num_columns))
    told = next((one.statistics for one in columns if one.path_in_schema == "version"), None)
    return told is None or not told.has_min_max or bool(told.min <= version <= told.max)


# --- CSV -----------------------------------------------------------------------------------------------------------


def _csv(path: str, file: pa.NativeFile, asked: Asked) -> Iterator[pa.Table]:
    names = _names(file)
    need(path, names, asked)
    options = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=asked.read(names),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    for batch in pacsv.open_csv(file, convert_options=options):
        yield own_types(pa.table({name: typed_text(name, batch[name], asked.words) for name in batch.schema.names}))


def _names(file: pa.NativeFile) -> list[str]:
    """What the first line calls the columns; then the file is as it was."""
    line = b""
    while b"\n" not in line and (more := file.read(_HEAD)):
        line += more
    file.seek(0)
    line = line.partition(b"\n")[0]
    told: list[str] = pacsv.open_csv(pa.BufferReader(line + b"\n" + line)).schema.names  # it wants a row, too
    return told


def typed_text(name: str, text: pa.Array, words: Collection[str]) -> pa.Array:
    """A column of text as what it holds. Each value is read by itself: what stands beside it changes nothing."""
    if name in words or name in OWN:
        return text
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    plain = pc.if_else(pc.is_in(plain, value_set=_NO_NUMBER), None, plain)
    plain = pc.if_else(pc.equal(plain, "true"), "1", pc.if_else(pc.equal(plain, "false"), "0", plain))
    for kind in (pa.int64(), pa.float64()):
        try:
            return plain.cast(kind)
        except pa.ArrowInvalid:
            continue
    return text


# --- JSON lines ----------------------------------------------------------------------------------------------------


def _json_lines(path: str, file: pa.NativeFile, asked: Asked) -> Iterator[pa.Table]:
    lines = enumerate(io.TextIOWrapper(file, encoding="utf-8"), start=1)
    objects = (_object(path, number, line) for number, line in lines if line.strip())
    while some := list(itertools.islice(objects, _ROWS_AT_ONCE)):
        names = dict.fromkeys(name for one in some for name in one)
        need(path, names, asked)
        columns = {name: _values([one.get(name) for one in some]) for name in asked.read(names)}
        yield own_types(pa.table(columns))


def _object(path: str, number: int, line: str) -> dict[str, Any]:
    """An object of a line, its nested objects opened."""
    try:
        told = json.loads(line)
    except ValueError as error:
        raise _no_object(path, number, str(error)) from error
    if not isinstance(told, dict):
        raise _no_object(path, number, "it is no object")
    flat: dict[str, Any] = {}
    for name, value in told.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    return flat


def _no_object(path: str, number: int, problem: str) -> BadFile:
    return BadFile(f"{path}, line {number}: {problem}", mend="write one JSON object a line, or move the file aside")


def _values(values: list[Any]) -> pa.Array:
    """Numbers or lists of them; as soon as there is a word, all is words."""
    try:
        return pa.array([float(value) if isinstance(value, bool) else value for value in values])
    except (pa.ArrowException, OverflowError):
        return pa.array([value if value is None or isinstance(value, str) else json.dumps(value) for value in values])


# --- all of them ---------------------------------------------------------------------------------------------------


def own_types(table: pa.Table) -> pa.Table:
    """The log's own columns in the types that our server writes."""
    for name in OWN.keys() & set(table.column_names):
        table = table.set_column(table.column_names.index(name), name, table[name].cast(OWN[name]))
    return table


def need(path: str, names: Collection[str], asked: Asked) -> None:
    missing = [name for name in asked.needed if name not in names]
    if missing:
        raise BadFile(
            f"{path} has no column `{missing[0]}`", mend=f"write the columns {', '.join(asked.needed)} into each file"
        )


_READERS: Mapping[str, Callable[[str, pa.NativeFile, Asked], Iterator[pa.Table]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _json_lines,
}
ENDINGS = tuple(_READERS)
