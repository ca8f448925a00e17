"""Rows of a log, written as a team may keep them: in three formats of files, or in a table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from slipway.adapters.log_sources import opened
from slipway.adapters.log_tables import LogTable
from slipway.adapters.served_log import ServedLog
from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.maths.profile import profile_of_columns
from slipway.maths.windows import SeenWindow, count_window

DAY = date(2026, 3, 1)
FEATURES = (
    Feature(name="bill", dtype=DataType.FLOAT64, meaning="-"),
    Feature(name="kitchen", dtype=DataType.STRING, meaning="-"),
)
_TRAINED = {"bill": np.arange(40.0), "kitchen": np.array(["thai", "pizza"] * 20, dtype=object)}
PROFILES = profile_of_columns(_TRAINED, categories={"kitchen"})


def table(bills: list[Any], kitchens: list[Any], *, version: str = "v1.0.0", first: int = 0) -> pa.Table:
    rows = len(bills)
    return pa.table(
        {
            "request_id": [str(first + row) for row in range(rows)],
            "row": pa.array([0] * rows, pa.int32()),
            "time": pa.array([datetime(2026, 3, 1, 9, tzinfo=UTC)] * rows, pa.timestamp("us", tz="UTC")),
            "version": [version] * rows,
            "bill": pa.array(bills, pa.float64()) if not any(isinstance(one, str) for one in bills) else bills,
            "kitchen": pa.array(kitchens, pa.string()),
        }
    )


def as_csv(rows: pa.Table, path: Path) -> None:
    pacsv.write_csv(rows, path)


def as_json_lines(rows: pa.Table, path: Path) -> None:
    """Features in an object of their own, as many logs have them."""
    own = ("request_id", "row", "version")
    told = [
        {name: one[name] for name in own}
        | {"time": one["time"].isoformat(), "features": {name: one[name] for name in one if name not in (*own, "time")}}
        for one in rows.to_pylist()
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in told))


def as_parquet(rows: pa.Table, path: Path) -> None:
    pq.write_table(rows, path, row_group_size=3 + len(rows) // 2)


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": as_parquet,
    ".csv": as_csv,
    ".jsonl": as_json_lines,
}


def log_of(folder: Path, *files: tuple[str, pa.Table]) -> ServedLog:
    """A log with these files in it, each in the format of its ending."""
    day = folder / "served" / f"date={DAY}"
    day.mkdir(parents=True, exist_ok=True)
    for number, (ending, rows) in enumerate(files):
        WRITERS[ending](rows, day / f"{number}{ending}")
    return ServedLog.at(folder / "served", folder / "labels")


def counted(log: ServedLog) -> SeenWindow:
    return count_window(PROFILES, log.batches(DAY, DAY, version="v1.0.0", features=FEATURES))


def in_sqlite(folder: Path, rows: pa.Table, *, labels: pa.Table | None = None) -> ServedLog:
    """The same rows in a table `served` of a database, and labels in one of theirs."""
    write_tables(folder / "logs.db", served=rows, labels=labels if labels is not None else rows.slice(0, 0))
    return ServedLog(table_of(folder, "served"), table_of(folder, "labels"))


def table_of(folder: Path, table: str, *, driver: str = "sqlite3", arguments: str = "database=logs.db") -> LogTable:
    address = f"{driver}://?{arguments}&table={table}_{{model}}_{{environment}}"
    found = opened(address, environment="live", model="tip", variable="SLIPWAY_TEST_SECRET", root=folder)
    assert isinstance(found, LogTable)
    return found


def write_tables(file: Path, **tables: pa.Table) -> None:
    """Each as `<name>_tip_live`, with a column `date`."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for name, rows in tables.items():
            names = ["date", *rows.column_names]
            quoted = ", ".join(f'"{one}"' for one in names)
            connection.execute(f'CREATE TABLE "{name}_tip_live" ({quoted})')
            told = [[str(DAY), *map(as_sqlite_has_it, one.values())] for one in rows.to_pylist()]
            connection.executemany(f'INSERT INTO "{name}_tip_live" VALUES ({", ".join("?" * len(names))})', told)


def as_sqlite_has_it(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
