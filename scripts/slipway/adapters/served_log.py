"""What production was asked and what it answered, and the labels that came later.

Both are Parquet under `<folder>/<environment>/<model>/date=YYYY-MM-DD/`; a label belongs to a row by
`request_id` and `row`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from slipway.errors import BadFile

GOLDEN_REQUEST = "slipway-golden"  # asked by verify-rollout: no traffic, so no part of a window
_KEYS = ["request_id", "row"]
_NO_ROWS = pa.table({name: pa.nulls(0, pa.string()) for name in (*_KEYS, "time", "version")})


@dataclass(frozen=True, slots=True)
class ServedLog:
    """The log and the labels of one model in one environment."""

    rows_folder: Path
    labels_folder: Path

    def rows(self, start: date, end: date, *, version: str | None = None) -> pa.Table:
        """Rows served from `start` to `end`, both inclusive, oldest first; `version` reads `v1.4.0`.

        Columns that no file has are left out, so that a caller can say which; without rows the table is empty.
        """
        table = _between(self.rows_folder, start, end, version=version)
        table = table.filter(pc.invert(pc.starts_with(table["request_id"], GOLDEN_REQUEST)))
        return table.sort_by([("time", "ascending"), *((key, "ascending") for key in _KEYS)]) if len(table) else table

    def labelled(self, rows: pa.Table, start: date, end: date) -> pa.Table:
        """The rows that have a label by now, in their order, with the column `label`."""
        labels = _between(self.labels_folder, start, end)
        if len(rows) == 0 or len(labels) == 0:
            return rows.slice(0, 0).append_column("label", pa.nulls(0, pa.bool_()))
        asked = rows.select(_KEYS).append_column("place", pa.array(range(len(rows)), pa.int64()))
        joined = asked.join(self._once(labels, like=rows), keys=_KEYS, join_type="inner").sort_by("place")
        return rows.take(joined["place"]).append_column("label", joined["label"])

    def last_day(self, *, version: str) -> date | None:
        """The newest day on which a version served somebody."""
        days = sorted((day for path in self.rows_folder.glob("date=*") if (day := _day(path))), reverse=True)
        return next((day for day in days if len(self.rows(day, day, version=version))), None)

    def _once(self, labels: pa.Table, *, like: pa.Table) -> pa.Table:
        """A label a row, its keys in the types of the log's."""
        missing = [name for name in (*_KEYS, "label") if name not in labels.column_names]
        if missing:
            raise BadFile(
                f"{self.labels_folder}: the labels have no column `{missing[0]}`",
                mend=f"write the columns {', '.join(_KEYS)} and label",
            )
        try:
            keys = [labels[key].cast(like.schema.field(key).type) for key in _KEYS]
        except pa.ArrowException as error:
            raise BadFile(
                f"{self.labels_folder}: request_id or row is no key of the served log: {error}",
                mend="copy both from the served log",
            ) from error
        once = pa.table([*keys, labels["label"]], names=[*_KEYS, "label"]).group_by(_KEYS)
        return once.aggregate([("label", "max")]).rename_columns({"label_max": "label"})


def _day(folder: Path) -> date | None:
    try:
        return date.fromisoformat(folder.name.removeprefix("date="))
    except ValueError:  # somebody else's folder
        return None


def _between(folder: Path, start: date, end: date, *, version: str | None = None) -> pa.Table:
    by_schema: dict[pa.Schema, list[str]] = {}
    try:
        for path in _files(folder, start, end):
            by_schema.setdefault(pq.read_schema(path).remove_metadata(), []).append(str(path))
        parts = [_part(paths, schema, version) for schema, paths in by_schema.items()]
        # A major version may ask for the same name in another type: only the rows that are wanted must agree.
        wanted = [part for part in parts if len(part)] or parts[:1]
        return pa.concat_tables(wanted, promote_options="default") if wanted else _NO_ROWS
    except (OSError, pa.ArrowException) as error:
        raise BadFile(f"{folder}: the log cannot be read: {error}", mend="move the broken file aside") from error


def _files(folder: Path, start: date, end: date) -> Iterator[Path]:
    for day in sorted(folder.glob("date=*")):
        if (at := _day(day)) is not None and start <= at <= end:
            yield from sorted(day.glob("*.parquet"))


def _part(paths: list[str], schema: pa.Schema, version: str | None) -> pa.Table:
    served = ds.dataset(paths, schema=schema, format="parquet")
    return served.to_table(filter=None if version is None else ds.field("version") == version)
