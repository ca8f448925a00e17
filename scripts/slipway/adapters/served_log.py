"""What production was asked and what it answered, and the labels that came later.

Both lie under `<place>/<environment>/<model>/date=YYYY-MM-DD/`, as files that `served_files` reads; a label belongs to
a row by `request_id` and `row`. A server that may not log rows writes files of counts there instead, `*.sketch.json`.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from slipway.adapters import served_columns, served_files
from slipway.adapters.log_places import LogPlace
from slipway.adapters.served_files import Asked
from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.errors import BadFile
from slipway.maths.counts import CountedWindow, version_of
from slipway.maths.profile import ColumnProfile
from slipway.maths.windows import ServedBatch

GOLDEN_REQUEST = "slipway-golden"  # asked by verify-rollout: no traffic, so no part of a window
_KEYS = ["request_id", "row"]
_Tables = list[pa.Table]
_ALL_KEYS = (*_KEYS, "time", "version")
_NO_ROWS = pa.table({name: pa.nulls(0, pa.string()) for name in _ALL_KEYS})


@dataclass(frozen=True, slots=True)
class ServedLog:
    """The log and the labels of one model in one environment."""

    rows_place: LogPlace
    labels_place: LogPlace

    @classmethod
    def at(cls, rows_folder: Path, labels_folder: Path) -> Self:
        """Of two folders of this machine."""
        return cls(LogPlace.at(rows_folder), LogPlace.at(labels_folder))

    @property
    def rows_folder(self) -> Path:
        """Where the rows lie, if that is on this machine."""
        return Path(self.rows_place.folder)

    @property
    def labels_folder(self) -> Path:
        return Path(self.labels_place.folder)

    def batches(self, start: date, end: date, *, version: str, features: Sequence[Feature]) -> Iterator[ServedBatch]:
        """The features of what a version served from `start` to `end`, both inclusive, in batches of no order.

        However many rows there are, only a few batches are in memory at once.

        Raises:
            BadFile: a file that cannot be read, or that has no column `version` or `request_id`.
        """
        asked = Asked(
            mask=functools.partial(_traffic, version=version),
            needed=("version", "request_id"),
            columns=("version", *(feature.name for feature in features)),  # the former is in every file
            words=_words_of(features),
            version=version,
        )
        for table in self._pieces(self.rows_place, start, end, asked):
            yield served_columns.to_batch(table, features)

    def rows(self, start: date, end: date, *, version: str | None = None, features: Sequence[Feature] = ()) -> pa.Table:
        """Rows served from `start` to `end`, both inclusive, oldest first; `version` reads `v1.4.0`.

        Columns that no file has are left out, so that a caller can say which; without rows the table is empty.
        `features` tell which columns are text, for a CSV does not.
        """
        mask = functools.partial(_traffic, version=version)
        asked = Asked(mask, _ALL_KEYS, words=_words_of(features), version=version)
        return _oldest_first(self._all(self.rows_place, start, end, asked))

    def labelled(
        self, start: date, end: date, *, version: str | None = None, features: Sequence[Feature] = ()
    ) -> pa.Table:
        """Those of `rows` that have a label by now, in their order, with the column `label`."""
        labels = self._all(self.labels_place, start, end, Asked())
        if len(labels) == 0:
            return _NO_ROWS.append_column("label", pa.nulls(0, pa.bool_()))
        self._need_keys(labels)
        mask = functools.partial(_labelled_traffic, version=version, known=labels["request_id"].unique())
        asked = Asked(mask, _ALL_KEYS, words=_words_of(features), version=version)
        rows = _oldest_first(self._all(self.rows_place, start, end, asked, alike=_words_where_types_differ))
        if len(rows) == 0:
            return rows.append_column("label", pa.nulls(0, pa.bool_()))
        places = rows.select(_KEYS).append_column("place", pa.array(range(len(rows)), pa.int64()))
        joined = places.join(self._once(labels, like=rows), keys=_KEYS, join_type="inner").sort_by("place")
        return rows.take(joined["place"]).append_column("label", joined["label"])

    def counted(
        self, start: date, end: date, *, version: str, profiles: Mapping[str, ColumnProfile], profile: str
    ) -> CountedWindow | None:
        """What a version served from `start` to `end`, both inclusive, where only counts were logged; None without any.

        Args:
            profiles: what its image counts against, the file of which has the digest `profile`.

        Raises:
            BadFile: a file that is none, or that was counted against something else.
        """
        place = self.rows_place
        paths = place.files(_days(place, start, end), ending=".sketch.json")
        with place.reading():
            contents = dict(zip(paths, place.of_each(place.read, paths), strict=True))
        windows = []
        for path, content in contents.items():
            try:
                if version_of(content) == version:
                    windows.append(CountedWindow.from_bytes(content, profiles, profile=profile))
            except (KeyError, TypeError, ValueError) as error:
                raise BadFile(f"{path}: no counts of {version}: {error}", mend="move the file aside") from error
        return functools.reduce(operator.add, windows) if windows else None

    def last_day(self, *, version: str) -> date | None:
        """The newest day on which a version served somebody, as far as rows tell."""
        days = reversed(self.rows_place.days())
        return next((day for day in days if self._served(day, version)), None)

    def _served(self, day: date, version: str) -> bool:
        mask = functools.partial(_traffic, version=version)
        asked = Asked(mask, ("version", "request_id"), ("version",), version=version)
        return any(True for _ in self._pieces(self.rows_place, day, day, asked))

    def _pieces(self, place: LogPlace, start: date, end: date, asked: Asked) -> Iterator[pa.Table]:
        return served_files.pieces(place, place.files(_days(place, start, end), ending=served_files.ENDINGS), asked)

    def _all(
        self, place: LogPlace, start: date, end: date, asked: Asked, *, alike: Callable[[_Tables], _Tables] = list
    ) -> pa.Table:
        """All pieces at once, for few rows, after `alike` brought them into one schema."""
        found = alike(list(self._pieces(place, start, end, asked)))
        try:
            return pa.concat_tables(found, promote_options="permissive") if found else _NO_ROWS
        except pa.ArrowException as error:
            raise BadFile(
                f"{place.address}: the log cannot be read: {error}", mend="write a column in one type"
            ) from error

    def _need_keys(self, labels: pa.Table) -> None:
        missing = [name for name in (*_KEYS, "label") if name not in labels.column_names]
        if missing:
            raise BadFile(
                f"{self.labels_place.address}: the labels have no column `{missing[0]}`",
                mend=f"write the columns {', '.join(_KEYS)} and label",
            )

    def _once(self, labels: pa.Table, *, like: pa.Table) -> pa.Table:
        """A label a row, its keys in the types of the log's."""
        try:
            keys = [labels[key].cast(like.schema.field(key).type) for key in _KEYS]
        except pa.ArrowException as error:
            raise BadFile(
                f"{self.labels_place.address}: request_id or row is no key of the served log: {error}",
                mend="copy both from the served log",
            ) from error
        once = pa.table([*keys, labels["label"]], names=[*_KEYS, "label"]).group_by(_KEYS)
        return once.aggregate([("label", "max")]).rename_columns({"label_max": "label"})


def _days(place: LogPlace, start: date, end: date) -> list[date]:
    return [day for day in place.days() if start <= day <= end]


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
