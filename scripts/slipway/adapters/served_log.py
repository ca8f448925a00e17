"""What production was asked and what it answered, and the labels that came later.

Both are Parquet under `<folder>/<environment>/<model>/date=YYYY-MM-DD/`; a label belongs to a row by
`request_id` and `row`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from slipway.errors import BadFile

GOLDEN_REQUEST = "slipway-golden"  # asked by verify-rollout: no traffic, so no part of a window
_KEYS = ["request_id", "row"]


@dataclass(frozen=True, slots=True)
class ServedLog:
    """The log and the labels of one model in one environment."""

    rows_folder: Path
    labels_folder: Path

    def rows(
        self, start: date, end: date, *, version: str | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Rows served from `start` to `end`, both inclusive, oldest first; `version` reads `v1.4.0`.

        Columns that no file has are left out, so that a caller can say which; without files the table is empty.
        """
        table = _between(self.rows_folder, start, end)
        table = table.filter(pc.invert(pc.starts_with(table["request_id"], GOLDEN_REQUEST)))
        if version is not None and "version" in table.column_names:
            table = table.filter(pc.equal(table["version"], version))
        if columns is not None:
            table = table.select([name for name in columns if name in table.column_names])
        return table.sort_by([("time", "ascending"), *((key, "ascending") for key in _KEYS)]) if len(table) else table

    def labelled(self, rows: pa.Table, start: date, end: date) -> pa.Table:
        """The rows that have a label by now, with the column `label`."""
        labels = _between(self.labels_folder, start, end)
        if len(rows) == 0 or len(labels) == 0:
            return rows.slice(0, 0).append_column("label", pa.nulls(0, pa.bool_()))
        once = labels.select([*_KEYS, "label"]).group_by(_KEYS).aggregate([("label", "max")])
        joined = rows.join(once.rename_columns([*_KEYS, "label"]), keys=_KEYS, join_type="inner")
        return joined.combine_chunks().sort_by([("time", "ascending"), *((key, "ascending") for key in _KEYS)])

    def last_day(self, *, version: str) -> date | None:
        """The newest day on which a version served somebody."""
        days = sorted((path.name.removeprefix("date=") for path in self.rows_folder.glob("date=*")), reverse=True)
        for day in map(date.fromisoformat, days):
            if len(self.rows(day, day, version=version)):
                return day
        return None


def _between(folder: Path, start: date, end: date) -> pa.Table:
    paths = [
        str(path)
        for day in sorted(folder.glob("date=*"))
        if start.isoformat() <= day.name.removeprefix("date=") <= end.isoformat()
        for path in sorted(day.glob("*.parquet"))
    ]
    if not paths:
        return pa.table({name: pa.nulls(0, pa.string()) for name in (*_KEYS, "time", "version")})
    try:
        schema = pa.unify_schemas([ds.dataset(path, format="parquet").schema for path in paths])
        return ds.dataset(paths, schema=schema, format="parquet").to_table()
    except (OSError, pa.ArrowException) as error:
        raise BadFile(f"{folder}: the log cannot be read: {error}", mend="move the broken file aside") from error
