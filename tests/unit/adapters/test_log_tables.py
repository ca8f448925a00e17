"""A log in a table says what the same log says in files, and why, where it cannot."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from slipway.adapters.log_sources import opened
from slipway.adapters.log_tables import column_of
from slipway.adapters.served_log import ServedLog
from slipway.adapters.sql_dialects import STYLES
from slipway.errors import BadFile, SlipwayError, Unreachable
from slipway.measures.drift import measure

from tests.unit.adapters.drivers import PASSWORD, driver
from tests.unit.adapters.logged_rows import (
    DAY,
    FEATURES,
    PROFILES,
    counted,
    in_sqlite,
    log_of,
    table,
    table_of,
    write_tables,
)

_ROWS = table([1.5, None, 3.0], ["thai", "1", None])


def asked(folder: Path, text: str) -> None:
    with closing(sqlite3.connect(folder / "logs.db")) as connection, connection:
        connection.executescript(text)


def test_rows_and_labels_are_joined_as_those_of_files(tmp_path: Path) -> None:
    """The version before is asked these rows: a type of the database must not become one of the model."""
    labels = pa.table({"request_id": ["0", "2"], "row": [0, 0], "label": [True, False]})
    log = in_sqlite(tmp_path, _ROWS, labels=labels)

    joined = log.labelled(DAY, DAY, version="v1.0.0", features=FEATURES)

    assert joined.select(["request_id", "row", "time", "bill", "kitchen", "label"]).to_pylist() == [
        {"request_id": "0", "row": 0, "time": _at(9), "bill": 1.5, "kitchen": "thai", "label": 1},
        {"request_id": "2", "row": 0, "time": _at(9), "bill": 3.0, "kitchen": None, "label": 0},
    ]
    assert log.rows(DAY, DAY, features=FEATURES)["request_id"].to_pylist() == ["0", "1", "2"]
    assert log.counted(DAY, DAY, version="v1.0.0", profiles=PROFILES, profile="-") is None


def _at(hour: int) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC)


def test_only_the_version_the_days_and_no_golden_request_are_read(tmp_path: Path) -> None:
    """A window would hold what nobody was served, or what was served on another day."""
    golden = table([5.0], ["thai"]).set_column(0, "request_id", pa.array(["slipway-golden.3"]))
    log = in_sqlite(tmp_path, pa.concat_tables([_ROWS, table([2.0], ["thai"], version="v2.0.0"), golden]))
    asked(
        tmp_path,
        "INSERT INTO served_tip_live "
        "SELECT '2026-03-02', request_id, row, time, version, 9, kitchen FROM served_tip_live",
    )

    assert counted(log).rows == 3
    assert log.last_day(version="v1.0.0") == date(2026, 3, 2)
    asked(tmp_path, "DELETE FROM served_tip_live WHERE date > '2026-03-01' AND version = 'v1.0.0' AND request_id < 'a'")
    assert log.last_day(version="v1.0.0") == DAY
    assert log.last_day(version="v3.0.0") is None


def test_a_table_without_days_is_cut_by_time(tmp_path: Path) -> None:
    """Whoever logs a time need not log a day beside it."""
    log = in_sqlite(tmp_path, _ROWS)
    asked(
        tmp_path,
        "ALTER TABLE served_tip_live DROP COLUMN date;"
        "UPDATE served_tip_live SET time = '2026-03-01 23:59:59.9' WHERE request_id = '1';"
        "UPDATE served_tip_live SET time = '2026-03-02 00:00:00' WHERE request_id = '2'",
    )

    assert counted(log).rows == 2
    assert log.last_day(version="v1.0.0") == date(2026, 3, 2)
    assert log.rows(DAY, DAY)["time"].to_pylist()[-1] == datetime(2026, 3, 1, 23, 59, 59, 900_000, UTC)


def test_one_table_of_all_models_is_narrowed_to_one(tmp_path: Path) -> None:
    """Two models have the same version numbers: rows of the other would be drift, or hide it."""
    others = pa.concat_tables([_ROWS, table([40.0], ["soup"])])
    whose = {"model": ["tip", "tip", "tip", "late"], "environment": ["live", "live", "test", "live"]}
    write_tables(tmp_path / "logs.db", served=others.append_column("model", [whose["model"]]))
    asked(tmp_path, "ALTER TABLE served_tip_live RENAME TO served")
    address = "sqlite3://?database=logs.db&table=served"
    source = opened(address, environment="live", model="tip", variable="-", root=tmp_path)
    log = ServedLog(source, source)

    with pytest.raises(BadFile, match=r"(?s)no column `environment`.*or name the table by \{environment\}"):
        counted(log)
    asked(tmp_path, "ALTER TABLE served ADD COLUMN environment; UPDATE served SET environment = 'live'")
    assert counted(log).rows == 3


def test_what_a_database_holds_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """Text in a column of numbers comes from an import: it reads as in a CSV, and one word is a broken schema."""
    log = in_sqlite(tmp_path, _ROWS)
    asked(
        tmp_path,
        "UPDATE served_tip_live SET bill = ' 1.50' WHERE request_id = '0';"
        "UPDATE served_tip_live SET bill = 'NA' WHERE request_id = '1'",
    )

    assert counted(log).to_bytes() == counted(log_of(tmp_path, (".parquet", _ROWS))).to_bytes()
    asked(tmp_path, "UPDATE served_tip_live SET bill = 'nine' WHERE request_id = '1'")
    assert measure(PROFILES, counted(log))[1] == (
        "`bill` cannot be compared: it holds words, and was trained on numbers",
    )


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ([Decimal("1.25"), None, 2], [1.25, None, 2.0]),
        ([True, None, False], [1.0, None, 0.0]),
        ([1, None, 2], [1, None, 2]),
        ([2**70, 1.5], [2.0**70, 1.5]),
        ([date(2026, 3, 1), None], [date(2026, 3, 1), None]),
        ([b"thai", memoryview(b"K\xc3\xa4se"), None], ["thai", "Käse", None]),
        ([UUID(int=7)], ["00000000-0000-0000-0000-000000000007"]),
        ([[1.0, 2.0], None], [[1.0, 2.0], None]),
        ([None, None], [None, None]),
        (["NA", "1", "true", 2.5], [None, 1.0, 1.0, 2.5]),
    ],
)
def test_every_type_of_a_driver_is_read(values: list[Any], read: list[Any]) -> None:
    """Drivers have types of their own for decimals, bytes and days."""
    assert column_of("x", values, ()).to_pylist() == read


def test_a_column_of_words_stays_one_of_words() -> None:
    """A code of a kitchen may look like a number, and `NA` is one of Namibia's."""
    assert column_of("x", ["NA", "01", 7, None], ("x",)).to_pylist() == ["NA", "01", "7", None]
    assert column_of("request_id", [7, "a"], ()).to_pylist() == ["7", "a"]


def test_rows_come_some_at_a_time(tmp_path: Path) -> None:
    """A window of ten million rows must not lie in memory as Python's objects."""
    many = table([float(row % 40) for row in range(75_000)], ["thai"] * 75_000)
    log = in_sqlite(tmp_path, many)

    sizes = [batch.rows for batch in log.batches(DAY, DAY, version="v1.0.0", features=FEATURES)]

    assert sum(sizes) == 75_000
    assert max(sizes) < 70_000
    assert counted(log).to_bytes() == counted(log_of(tmp_path, (".parquet", many))).to_bytes()


@pytest.fixture(params=sorted(STYLES))
def strict(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a driver that asks for a password, and takes parameters in one style alone."""
    module = driver(request.param)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("SLIPWAY_TEST_SECRET", PASSWORD)
    return module.__name__


def strict_log(folder: Path, name: str, *, host: str = "db", table: str = "served") -> ServedLog:
    arguments = f"host={host}&database={folder}/logs.db&cursor.name=slipway"
    source = table_of(folder, table, driver=name, arguments=arguments)
    return ServedLog(source, source)


def test_parameters_go_to_each_driver_as_it_wants_them(tmp_path: Path, strict: str) -> None:
    """PEP 249 has five ways, and a driver knows one."""
    whole = counted(in_sqlite(tmp_path, _ROWS))

    assert counted(strict_log(tmp_path, strict)).to_bytes() == whole.to_bytes()


def told(log: ServedLog) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        counted(log)
    assert PASSWORD not in str(caught.value)
    assert not isinstance(caught.value.__cause__, sqlite3.Error)  # it would be printed with a traceback
    return caught.value


@pytest.mark.parametrize("strict", ["pyformat"], indirect=True)
def test_who_is_not_let_in_is_told_where_the_secret_comes_from(
    tmp_path: Path, strict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a driver says may hold the password: neither a log nor an issue may."""
    in_sqlite(tmp_path, _ROWS)
    monkeypatch.setenv("SLIPWAY_TEST_SECRET", "wrong-horse")

    error = told(strict_log(tmp_path, strict))

    assert isinstance(error, BadFile)
    assert f"{strict}(host=db, database={tmp_path}/logs.db), table served_tip_live" in error.problem
    assert "SLIPWAY_TEST_SECRET" in error.mend
    assert "wrong-horse" not in str(error)


@pytest.mark.parametrize("strict", ["format"], indirect=True)
def test_a_database_that_does_not_answer_is_no_finding(tmp_path: Path, strict: str) -> None:
    """Whoever could not look says nothing about the model."""
    error = told(strict_log(tmp_path, strict, host="down"))

    assert isinstance(error, Unreachable)
    assert "connection refused" in error.problem


@pytest.mark.parametrize("strict", ["named"], indirect=True)
def test_a_table_that_is_not_there_is_told(tmp_path: Path, strict: str) -> None:
    """Its name may be misspelt, or its rights forgotten."""
    in_sqlite(tmp_path, _ROWS)

    error = told(strict_log(tmp_path, strict, table="sevred"))

    assert isinstance(error, BadFile)
    assert "sevred_tip_live" in error.problem
    assert "name a table or view" in error.mend


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("ALTER TABLE served_tip_live DROP COLUMN version", "no column `version`"),
        ("ALTER TABLE served_tip_live DROP COLUMN request_id", "no column `request_id`"),
        (
            "ALTER TABLE served_tip_live DROP COLUMN date; ALTER TABLE served_tip_live DROP COLUMN time",
            "no column `date` or `time`",
        ),
        ("UPDATE served_tip_live SET date = 1772355600", "`date` holds 1772355600, which is no day"),
        ("UPDATE served_tip_live SET date = 'tomorrow'", "`date` holds 'tomorrow', which is no day"),
    ],
)
def test_a_table_that_is_no_log_is_told(tmp_path: Path, change: str, says: str) -> None:
    """An empty window would look like a quiet one."""
    log = in_sqlite(tmp_path, _ROWS)
    asked(tmp_path, change)

    assert says in told(log).problem


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sqlite3://?database=none.db&table={model}.{environment}", "there is no file"),
        ("sqlite3://?database=logs.db&tiemout=3&table={model}.{environment}", "tiemout"),
        ("no_such_driver://?table={model}.{environment}", "no_such_driver is not installed"),
        ("json://?table={model}.{environment}", "json is no driver of databases"),
        ("slipway://?table={model}.{environment}", "slipway is no driver of databases"),
    ],
)
def test_what_cannot_be_opened_is_told(tmp_path: Path, address: str, says: str) -> None:
    """SQLite itself would make the file that is missing, and say that it has no table."""
    in_sqlite(tmp_path, _ROWS)
    source = opened(address, environment="live", model="tip", variable="-", root=tmp_path)

    assert says in told(ServedLog(source, source)).problem
    assert not (tmp_path / "none.db").exists()


def test_a_file_of_a_repository_is_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull request brings slipway.yaml and such a file, and the job that reads the former holds a token."""
    (tmp_path / "proposed").mkdir()
    (tmp_path / "proposed" / "driver.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (tmp_path / "proposed" / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    address = "proposed.driver://?table={model}.{environment}"
    source = opened(address, environment="live", model="tip", variable="-", root=tmp_path)

    assert "proposed.driver is not installed here" in told(ServedLog(source, source)).problem
    assert not (tmp_path / "ran").exists()


def test_where_databases_are_not_asked_a_table_has_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of a pull request goes on without yesterday's traffic, whatever database its author names."""
    monkeypatch.setenv("SLIPWAY_DATABASES", "no")
    address = "no_such_driver://?table={model}.{environment}"
    source = opened(address, environment="live", model="tip", variable="-", root=tmp_path)
    log = ServedLog(source, source)

    assert (counted(log).rows, log.last_day(version="v1.0.0"), len(log.rows(DAY, DAY))) == (0, None, 0)
    assert log.counted(DAY, DAY, version="v1.0.0", profiles=PROFILES, profile="-") is None


def test_a_log_that_is_empty_has_no_days_and_no_rows(tmp_path: Path) -> None:
    """Before the first request there is nothing, and nothing is wrong."""
    log = in_sqlite(tmp_path, _ROWS.slice(0, 0))

    assert (counted(log).rows, log.last_day(version="v1.0.0"), len(log.rows(DAY, DAY))) == (0, None, 0)


def test_a_database_that_is_written_to_is_only_read(tmp_path: Path) -> None:
    """A watch that locked a table would be production's trouble; one that could write, its own."""
    log = in_sqlite(tmp_path, _ROWS)
    with closing(sqlite3.connect(tmp_path / "logs.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM served_tip_live")

        assert counted(log).rows == 3
