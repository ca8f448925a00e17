"""What is said, and what is counted here, before Spark is asked for anything; with it: tests/spark."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from slipway.adapters import seen_windows
from slipway.adapters.served_log import ServedLog
from slipway.domain.settings import WatchOn
from slipway.errors import BadFile
from slipway.maths.windows import SeenWindow

from tests.unit.adapters.logged_rows import DAY, FEATURES, PROFILES, counted, in_sqlite, log_of, table

_ROWS = table([1.5, None, 3.0], ["thai", "1", None])


def on_spark(log: ServedLog) -> SeenWindow:
    return seen_windows.count(log, DAY, DAY, on=WatchOn.SPARK, version="v1.0.0", features=FEATURES, profiles=PROFILES)


def test_files_that_spark_would_read_otherwise_are_counted_here(tmp_path: Path) -> None:
    """A window must not depend on who counts it: CSV has types by guess, and a decimal is rounded by its reader."""
    decimal = _ROWS.set_column(4, "bill", _ROWS["bill"].cast(pa.decimal128(10, 2)))
    log = log_of(tmp_path, (".csv", _ROWS), (".jsonl", _ROWS), (".parquet", decimal))
    (log.rows_folder / f"date={DAY}" / "2.parquet").rename(log.rows_folder / f"date={DAY}" / "{2}.parquet")

    assert on_spark(log).rows == 9
    assert on_spark(log).to_bytes() == counted(log).to_bytes()


def test_an_empty_log_needs_no_spark(tmp_path: Path) -> None:
    """Before the first request there are no files."""
    log = ServedLog.at(tmp_path / "served", tmp_path / "labels")

    assert on_spark(log).to_bytes() == counted(log).to_bytes()


def test_without_pyspark_it_is_told_how_to_install_it(tmp_path: Path) -> None:
    """Half a gigabyte that most never need is in no environment but one that was made for it."""
    with pytest.raises(BadFile, match=r"(?s)needs PySpark.*mend: install it: .*requirements/spark\.txt"):
        on_spark(log_of(tmp_path, (".parquet", _ROWS)))


def test_a_table_is_not_read_by_spark(tmp_path: Path) -> None:
    """It would go through this process, row by row, and be no faster."""
    with pytest.raises(BadFile, match="counts files, and `served_log` is sqlite3"):
        on_spark(in_sqlite(tmp_path, _ROWS))


@pytest.mark.parametrize(
    ("change", "says"),
    [("version", "no column `version`"), ("request_id", "no column `request_id`")],
)
def test_a_file_that_is_none_of_the_log_is_told(tmp_path: Path, change: str, says: str) -> None:
    """Half a window would look like a quiet one."""
    with pytest.raises(BadFile, match=says):
        on_spark(log_of(tmp_path, (".parquet", _ROWS.drop_columns([change]))))


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    """Spark would name a hundred lines of its own instead."""
    log = log_of(tmp_path, (".parquet", _ROWS))
    (log.rows_folder / f"date={DAY}" / "broken.parquet").write_bytes(b"PAR1")

    with pytest.raises(BadFile, match=r"broken\.parquet: the log cannot be read"):
        on_spark(log)
