"""A watch of a log that lies in a database comes to the same page as one of files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from slipway.domain.identity import Identity

from tests.steps.test_verify_rollout import InThisProcess, merged, verify
from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

_DAYS = days_from(date(2026, 3, 1), 28)


def move_into_tables(team: Team) -> None:
    """What lay in files, as another program would have written it; the files are gone."""
    log = team.workplace.served_log(MODEL, ENVIRONMENT)
    with closing(sqlite3.connect(team.root / "logs.db")) as connection, connection:
        for name, folder in (("served", log.rows_folder), ("labels", log.labels_folder)):
            for path in sorted(folder.glob("*/*.parquet")):
                _insert(connection, f"{name}_{MODEL}", path)
                path.unlink()
    text = (team.root / "slipway.yaml").read_text()
    named = [
        f"{key}: sqlite3://?database=logs.db&table={table}_{{model}}\n"
        for key, table in (("served_log", "served"), ("labels", "labels"))
    ]
    team.write("slipway.yaml", f"{text}{''.join(named)}")


def _insert(connection: sqlite3.Connection, table: str, path: Path) -> None:
    rows = pq.read_table(path, partitioning=None)
    if "time" in rows.column_names:
        rows = rows.set_column(rows.column_names.index("time"), "time", rows["time"].cast(pa.string()))
    names = ["date", "environment", *rows.column_names]
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{table}" ({", ".join(names)})')
    day = path.parent.name.removeprefix("date=")
    told = [(day, ENVIRONMENT, *one.values()) for one in rows.to_pylist()]
    connection.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(names))})', told)


def test_the_page_is_that_of_the_same_rows_in_files(live: Team) -> None:
    """Drift, labels, metrics and the version before are asked of whatever the log is kept in."""
    live.serve("v1.0.0", _DAYS, change={"bill": 1.0})
    of_files, verdicts = live.look_only(_DAYS[-1])
    move_into_tables(live)
    of_tables, again = live.look_only(_DAYS[-1])

    assert (of_tables.body.window.rows, of_tables.body.window.labelled) == (840, 840)
    assert of_tables.body.window.trailing is not None
    assert of_tables.body == of_files.body
    assert of_tables.reads["rows"] == of_files.reads["rows"]
    assert of_tables.reads["labelled"] != of_files.reads["labelled"]  # it was measured again, and not taken as recorded
    assert again.body == verdicts.body


def test_yesterdays_traffic_comes_from_the_table(live: Team) -> None:
    """A pull request shows what a candidate would have answered to it."""
    live.serve("v1.0.0", _DAYS[:9])
    move_into_tables(live)
    live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))

    served = live.record("tip@v1.1.0").page(Identity, written_by="resolve-tag").body.served

    assert served is not None
    assert (served.since, served.until, served.rows) == ("2026-03-03", "2026-03-09", 840)


def test_a_server_logs_nothing_where_the_log_is_a_table(live: Team) -> None:
    """It would write into a folder of that name, and nobody would read it."""
    live.serve("v1.0.0", _DAYS[:1])
    move_into_tables(live)
    engine = InThisProcess()

    verify(merged(live), engine)

    assert [one.served_log for one in engine.started] == [None]
