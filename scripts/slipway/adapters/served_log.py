"""What production was asked and what it answered, and the labels that came later.

Both are Parquet under `<place>/<environment>/<model>/date=YYYY-MM-DD/`; a label belongs to a row by
`request_id` and `row`. A server that may not log rows writes files of counts there instead, `*.sketch.json`.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from slipway.adapters.log_places import LogPlace
from slipway.errors import BadFile
from slipway.maths.counts import CountedWindow, version_of
from slipway.maths.profile import ColumnProfile

GOLDEN_REQUEST = "slipway-golden"  # asked by verify-rollout: no traffic, so no part of a window
_KEYS = ["request_id", "row"]
_NO_ROWS = pa.table({name: pa.nulls(0, pa.string()) for name in (*_KEYS, "time", "version")})


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

    def rows(self, start: date, end: date, *, version: str | None = None) -> pa.Table:
        """Rows served from `start` to `end`, both inclusive, oldest first; `version` reads `v1.4.0`.

        Columns that no file has are left out, so that a caller can say which; without rows the table is empty.
        """
        table = _between(self.rows_place, start, end, version=version)
        table = table.filter(pc.invert(pc.starts_with(table["request_id"], GOLDEN_REQUEST)))
        return table.sort_by([("time", "ascending"), *((key, "ascending") for key in _KEYS)]) if len(table) else table

    def labelled(self, rows: pa.Table, start: date, end: date) -> pa.Table:
        """The rows that have a label by now, in their order, with the column `label`."""
        labels = _between(self.labels_place, start, end)
        if len(rows) == 0 or len(labels) == 0:
            return rows.slice(0, 0).append_column("label", pa.nulls(0, pa.bool_()))
        asked = rows.select(_KEYS).append_column("place", pa.array(range(len(rows)), pa.int64()))
        joined = asked.join(self._once(labels, like=rows), keys=_KEYS, join_type="inner").sort_by("place")
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
        return next((day for day in days if len(self.rows(day, day, version=version))), None)

    def _once(self, labels: pa.Table, *, like: pa.Table) -> pa.Table:
        """A label a row, its keys in the types of the log's."""
        missing = [name for name in (*_KEYS, "label") if name not in labels.column_names]
        if missing:
            raise BadFile(
                f"{self.labels_place.address}: the labels have no column `{missing[0]}`",
                mend=f"write the columns {', '.join(_KEYS)} and label",
            )
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


def _between(place: LogPlace, start: date, end: date, *, version: str | None = None) -> pa.Table:
    by_schema: dict[pa.Schema, list[str]] = {}
    paths = place.files(_days(place, start, end), ending=".parquet")
    try:
        with place.reading():
            for path, schema in zip(paths, place.of_each(lambda path: _schema(place, path), paths), strict=True):
                by_schema.setdefault(schema, []).append(path)
            parts = [_part(place, paths, schema, version) for schema, paths in by_schema.items()]
        # A major version may ask for the same name in another type: only the rows that are wanted must agree.
        wanted = [part for part in parts if len(part)] or parts[:1]
        return pa.concat_tables(wanted, promote_options="default") if wanted else _NO_ROWS
    except (OSError, pa.ArrowException) as error:
        raise BadFile(f"{place.address}: the log cannot be read: {error}", mend="move the broken file aside") from error


def _schema(place: LogPlace, path: str) -> pa.Schema:
    return pq.read_schema(place.store.open_input_file(path)).remove_metadata()


def _part(place: LogPlace, paths: Iterable[str], schema: pa.Schema, version: str | None) -> pa.Table:
    served = ds.dataset(list(paths), schema=schema, format="parquet", filesystem=place.store)
    return served.to_table(filter=None if version is None else ds.field("version") == version)
