"""A served log in PostgreSQL: types of its own, rows that stay there until they are asked for, and its own words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters.log_sources import opened
from slipway.adapters.log_tables import LogTable
from slipway.adapters.served_log import ServedLog
from slipway.errors import BadFile, SlipwayError, Unreachable

from tests.databases.postgres import PASSWORD, Postgres, running
from tests.unit.adapters.logged_rows import DAY, FEATURES, counted, log_of, table

pytestmark = pytest.mark.xdist_group("postgres")
_NAN, _INF = float("nan"), float("inf")
_ROWS = table([1.5, None, 3.0, _NAN, _INF, 0.25], ["thai", "1", None, "", "Käse", 'say "x"'])
_COLUMNS = "request_id uuid, row numeric, time timestamptz, version text, bill numeric, kitchen bytea"
_TABLES = (
    f"CREATE TABLE served_tip (environment text, date date, {_COLUMNS})",
    "CREATE TABLE labels (model text, environment text, time timestamp, request_id uuid, row int, label boolean)",
    "CREATE ROLE reader LOGIN PASSWORD 'horse'",
    "GRANT SELECT ON served_tip, labels TO reader",
)


def uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running() as found:
        found.execute(*_TABLES)
        for number, row in enumerate(_ROWS.to_pylist()):
            bill = "NULL" if row["bill"] is None else f"'{row['bill']}'"
            kitchen = "NULL" if row["kitchen"] is None else f"convert_to('{row['kitchen']}', 'UTF8')"
            key = f"'{uuid(number)}', 0, '{row['time'].isoformat()}', 'v1.0.0'"
            found.execute(f"INSERT INTO served_tip VALUES ('live', '{DAY}', {key}, {bill}, {kitchen})")
        found.execute(
            f"INSERT INTO labels VALUES ('tip', 'live', '2026-03-01 23:59:59', '{uuid(0)}', 0, true), "
            f"('tip', 'live', '2026-03-01', '{uuid(5)}', 0, false), "
            f"('tip', 'live', '2026-03-02', '{uuid(2)}', 0, true), "
            f"('late', 'live', '2026-03-01', '{uuid(3)}', 0, true)"
        )
        yield found


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_TEST_SECRET", "horse")


def source(port: int, name: str, *, cursor: str = "&cursor.name=slipway") -> LogTable:
    address = f"psycopg://?host=127.0.0.1&port={port}&user=reader&dbname=postgres&table={name}{cursor}"
    found = opened(address, environment="live", model="tip", variable="SLIPWAY_TEST_SECRET", root=Path("/nowhere"))
    assert isinstance(found, LogTable)
    return found


def log(server: Postgres, *, rows: str = "served_{model}", cursor: str = "&cursor.name=slipway") -> ServedLog:
    return ServedLog(source(server.port, rows, cursor=cursor), source(server.port, "labels", cursor=cursor))


@pytest.mark.parametrize("cursor", ["&cursor.name=slipway", ""])
def test_the_window_is_that_of_files(server: Postgres, tmp_path: Path, cursor: str) -> None:
    """Decimals, days, bytes and times of a database are the numbers and words that the server would have logged."""
    of_table = counted(log(server, cursor=cursor))

    assert of_table.rows == len(_ROWS)
    assert of_table.to_bytes() == counted(log_of(tmp_path, (".parquet", _ROWS))).to_bytes()


def test_labels_of_the_day_and_the_model_are_joined(server: Postgres) -> None:
    """One table holds those of all models, and a time instead of a day."""
    joined = log(server).labelled(DAY, DAY, version="v1.0.0", features=FEATURES)

    assert joined["request_id"].to_pylist() == [uuid(0), uuid(5)]
    assert joined["label"].to_pylist() == [1, 0]
    assert joined["kitchen"].to_pylist() == ["thai", 'say "x"']
    assert log(server).last_day(version="v1.0.0") == DAY
    assert len(log(server).rows(date(2026, 3, 2), date(2026, 3, 3))) == 0


def told(log: ServedLog) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        counted(log)
    return caught.value


def test_a_wrong_password_is_told_without_it(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is the environment, and no page, log or issue."""
    monkeypatch.setenv("SLIPWAY_TEST_SECRET", PASSWORD)

    error = told(log(server))

    assert isinstance(error, BadFile)
    assert "SLIPWAY_TEST_SECRET" in error.mend
    assert PASSWORD not in str(error)


def test_a_table_that_may_not_be_read_is_told(server: Postgres) -> None:
    """A right was forgotten: to run it again would change nothing."""
    server.execute("CREATE TABLE hidden_tip AS SELECT * FROM served_tip")

    for name, says in (("hidden_tip", "permission denied"), ("no_such_tip", "does not exist")):
        error = told(log(server, rows=name))
        assert isinstance(error, BadFile)
        assert says in error.problem


def test_a_server_that_is_gone_is_no_finding(server: Postgres) -> None:
    """The watch is run again, and no model is blamed."""
    gone = source(1, "served_tip")

    assert isinstance(told(ServedLog(gone, gone)), Unreachable)
