"""What production was asked and what it answered, and the labels that came later.

Both lie under `<place>/<environment>/<model>/date=YYYY-MM-DD/`, as files that `served_files` reads, or in a table that
`log_tables` asks; a label belongs to a row by `request_id` and `row`. A server that may not log rows writes files of
counts instead, `*.sketch.json`.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc

from slipway.adapters import served_columns
from slipway.adapters.log_places import LogPlace
from slipway.adapters.served_files import Asked, LogFiles
from slipway.adapters.served_sample import Sample, sample
from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.errors import BadFile
from slipway.maths.counts import CountedWindow, version_of
from slipway.maths.profile import ColumnProfile
from slipway.maths.windows import ServedBatch

GOLDEN_REQUEST = "slipway-golden"  # asked by verify-rollout: no traffic, so no part of a window
_KEYS = ["request_id", "row"]
_Tables = list[pa.Table]
_CAME = "labelled_at"  # of a label that tells when it came
_ALL_KEYS = (*_KEYS, "time", "version")
_NO_ROWS = pa.table({name: pa.nulls(0, pa.string()) for name in _ALL_KEYS})


class LogSource(Protocol):
    """Where rows or labels of one model in one environment come from: files a day, or a table."""

    @property
    def address(self) -> str:
        """What a person calls it, without any secret."""

    def newest_days(self) -> Iterator[date]:
        """Days that may have rows, the newest first, read as far as they are asked for."""

    def pieces(self, start: date, end: date, asked: Asked) -> Iterator[pa.Table]:
        """Rows from `start` to `end`, both inclusive, in pieces of no order, none empty, few at a time in memory."""

    def counts(self, start: date, end: date) -> Mapping[str, bytes]:
        """What servers wrote that may not log rows, by its name."""


@dataclass(frozen=True, slots=True)
class ServedLog:
    """The log and the labels of one model in one environment."""

    rows_source: LogSource
    labels_source: LogSource

    @classmethod
    def at(cls, rows_folder: Path, labels_folder: Path) -> Self:
        """Of two folders of this machine."""
        return cls(LogFiles(LogPlace.at(rows_folder)), LogFiles(LogPlace.at(labels_folder)))

    @property
    def rows_folder(self) -> Path:
        """Where the rows lie, if that is a folder of this machine."""
        return Path(self.rows_source.address)

    @property
    def labels_folder(self) -> Path:
        return Path(self.labels_source.address)

    def batches(self, start: date, end: date, *, version: str, features: Sequence[Feature]) -> Iterator[ServedBatch]:
        """The features of what a version served from `start` to `end`, both inclusive, in batches of no order.

        However many rows there are, only a few batches are in memory at once.

        Raises:
            BadFile: a file that cannot be read, or that has no column `version` or `request_id`.
        """
        asked = asked_batches(version, features)
        for table in self.rows_source.pieces(start, end, asked):
            yield served_columns.to_batch(table, features)

    def rows(self, start: date, end: date, *, version: str | None = None, features: Sequence[Feature] = ()) -> pa.Table:
        """Rows served from `start` to `end`, both inclusive, oldest first; `version` reads `v1.4.0`.

        Columns that no file has are left out, so that a caller can say which; without rows the table is empty.
        `features` tell which columns are text, for a CSV does not.
        """
        mask = functools.partial(_traffic, version=version)
        asked = Asked(mask, _ALL_KEYS, words=_words_of(features), version=version)
        return _oldest_first(self._all(self.rows_source, start, end, asked))

    def sample(self, start: date, end: date, *, version: str, features: Sequence[Feature], most: int) -> Sample:
        """At most so many of the rows that a version served, oldest first, however many there are; see `Sample`.

        The same rows for the same log, in whatever files it lies. With the keys and `features` alone, as in `rows`.
        """
        columns = (*_ALL_KEYS, *(feature.name for feature in features))
        mask = functools.partial(_traffic, version=version)
        asked = Asked(mask, _ALL_KEYS, columns, words=_words_of(features), version=version)
        with _in_one_type(self.rows_source):
            chosen = sample(self.rows_source.pieces(start, end, asked), most=most)
        return Sample(_oldest_first(chosen.rows), chosen.of)

    def labelled(
        self, start: date, end: date, *, version: str | None = None, features: Sequence[Feature] = ()
    ) -> pa.Table:
        """Those of `rows` that have a label by now, in their order, with the column `label`.

        Where the labels tell when they came, with `labelled_at`, too.
        """
        labels = self._all(self.labels_source, start, end, Asked())
        if len(labels) == 0:
            return _NO_ROWS.append_column("label", pa.nulls(0, pa.bool_()))
        self._need_keys(labels)
        mask = functools.partial(_labelled_traffic, version=version, known=labels["request_id"].unique())
        asked = Asked(mask, _ALL_KEYS, words=_words_of(features), version=version)
        rows = _oldest_first(self._all(self.rows_source, start, end, asked, alike=_words_where_types_differ))
        if len(rows) == 0:
            return rows.append_column("label", pa.nulls(0, pa.bool_()))
        places = rows.select(_KEYS).append_column("place", pa.array(range(len(rows)), pa.int64()))
        joined = places.join(self._once(labels, like=rows), keys=_KEYS, join_type="inner").sort_by("place")
        chosen = rows.take(joined["place"]).append_column("label", joined["label"])
        return chosen.append_column(_CAME, joined[_CAME]) if _CAME in joined.column_names else chosen

    def answers(self, start: date, end: date, *, version: str, output: Feature | None) -> Iterator[pa.Table]:
        """When a version was asked, and what it answered as `output` where one is named; pieces of no order.

        However many rows there are, only a few pieces are in memory at once. A column that a file lacks is left out.
        """
        return self.answers_of(start, end, version=version, outputs=() if output is None else (output,))

    def answers_of(self, start: date, end: date, *, version: str, outputs: Sequence[Feature]) -> Iterator[pa.Table]:
        """As `answers`, of several outputs at once."""
        asked = Asked(
            mask=functools.partial(_traffic, version=version),
            needed=("version", "request_id"),
            columns=("version", "time", *(feature.name for feature in outputs)),
            words=_words_of(outputs),
            version=version,
        )
        return self.rows_source.pieces(start, end, asked)

    def counted(
        self, start: date, end: date, *, version: str, profiles: Mapping[str, ColumnProfile], profile: str
    ) -> CountedWindow | None:
        """What a version served from `start` to `end`, both inclusive, where only counts were logged; None without any.

        Args:
            profiles: what its image counts against, the file of which has the digest `profile`.

        Raises:
            BadFile: a file that is none, or that was counted against something else.
        """
        windows = []
        for path, content in self.rows_source.counts(start, end).items():
            try:
                if version_of(content) == version:
                    windows.append(CountedWindow.from_bytes(content, profiles, profile=profile))
            except (KeyError, TypeError, ValueError) as error:
                raise BadFile(f"{path}: no counts of {version}: {error}", mend="move the file aside") from error
        return functools.reduce(operator.add, windows) if windows else None

    def last_day(self, *, version: str) -> date | None:
        """The newest day on which a version served somebody, as far as rows tell."""
        return next((day for day in self.rows_source.newest_days() if self._served(day, version)), None)

    def _served(self, day: date, version: str) -> bool:
        mask = functools.partial(_traffic, version=version)
        asked = Asked(mask, ("version", "request_id"), ("version",), version=version)
        return any(True for _ in self.rows_source.pieces(day, day, asked))

    def _all(
        self, source: LogSource, start: date, end: date, asked: Asked, *, alike: Callable[[_Tables], _Tables] = list
    ) -> pa.Table:
        """All pieces at once, for few rows, after `alike` brought them into one schema."""
        found = alike(list(source.pieces(start, end, asked)))
        with _in_one_type(source):
            return pa.concat_tables(found, promote_options="permissive") if found else _NO_ROWS

    def _need_keys(self, labels: pa.Table) -> None:
        missing = [name for name in (*_KEYS, "label") if name not in labels.column_names]
        if missing:
            raise BadFile(
                f"{self.labels_source.address}: the labels have no column `{missing[0]}`",
                mend=f"write the columns {', '.join(_KEYS)} and label",
            )

    def _once(self, labels: pa.Table, *, like: pa.Table) -> pa.Table:
        """A label a row, its keys in the types of the log's."""
        try:
            keys = [labels[key].cast(like.schema.field(key).type) for key in _KEYS]
        except pa.ArrowException as error:
            raise BadFile(
                f"{self.labels_source.address}: request_id or row is no key of the served log: {error}",
                mend="copy both from the served log",
            ) from error
        once = pa.table([*keys, labels["label"]], names=[*_KEYS, "label"])
        if _CAME not in labels.column_names:
            return once.group_by(_KEYS).aggregate([("label", "max")]).rename_columns({"label_max": "label"})
        found = once.append_column(_CAME, self._moments(labels[_CAME])).group_by(_KEYS)
        names = {"label_max": "label", f"{_CAME}_min": _CAME}
        return found.aggregate([("label", "max"), (_CAME, "min")]).rename_columns(names)

    def _moments(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """In UTC, as a time without a zone is meant."""
        try:
            return column.cast(pa.timestamp("us", tz="UTC"), safe=False)
        except pa.ArrowException as error:
            raise BadFile(
                f"{self.labels_source.address}: column `{_CAME}` is {column.type}, no time",
                mend=f"store in `{_CAME}` when the label was known, as a timestamp, or leave the column out",
            ) from error


@contextmanager
def _in_one_type(source: LogSource) -> Iterator[None]:
    """While pieces of a log are put together."""
    try:
        yield
    except pa.ArrowException as error:
        raise BadFile(
            f"{source.address}: the log cannot be read: {error}", mend="write a column in one type"
        ) from error


def asked_batches(version: str, features: Sequence[Feature]) -> Asked:
    """The features of what users asked of one version."""
    return Asked(
        mask=functools.partial(_traffic, version=version),
        needed=("version", "request_id"),
        columns=("version", *(feature.name for feature in features)),  # the former is in every file
        words=_words_of(features),
        version=version,
    )


def _words_of(features: Sequence[Feature]) -> frozenset[str]:
    """Those that hold text."""
    return frozenset(feature.name for feature in features if feature.dtype is DataType.STRING)


def _traffic(rows: pa.Table, *, version: str | None) -> pa.ChunkedArray:
    """Which rows users asked for, of one version or of all."""
    users = pc.fill_null(pc.invert(pc.starts_with(rows["request_id"], GOLDEN_REQUEST)), True)
    return users if version is None else pc.and_(users, pc.fill_null(pc.equal(rows["version"], version), False))


def _labelled_traffic(rows: pa.Table, *, version: str | None, known: pa.Array) -> pa.ChunkedArray:
    """Which of them have a label, or at least another row of their request has one."""
    labelled = pc.is_in(rows["request_id"], value_set=known.cast(rows.schema.field("request_id").type))
    return pc.and_(labelled, _traffic(rows, version=version))


def _oldest_first(rows: pa.Table) -> pa.Table:
    return rows.sort_by([("time", "ascending"), *((key, "ascending") for key in _KEYS)]) if len(rows) else rows


def _words_where_types_differ(tables: _Tables) -> _Tables:
    """A column that holds words in one file is one of words in all: no model can be asked it, and the watch says so."""
    fields = [field for table in tables for field in table.schema]
    worded = {field.name for field in fields if pa.types.is_string(field.type)}
    mixed = {field.name for field in fields if field.name in worded and not pa.types.is_string(field.type)}
    return [functools.reduce(_as_words, sorted(mixed & set(table.column_names)), table) for table in tables]


def _as_words(table: pa.Table, name: str) -> pa.Table:
    words = [None if value is None else str(value) for value in table[name].to_pylist()]
    return table.set_column(table.column_names.index(name), name, pa.array(words, pa.string()))
