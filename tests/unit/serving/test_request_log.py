"""The served log, read back as the watch reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pytest

from serving.errors import CannotStart
from serving.inference import Model
from serving.metrics import Metrics
from serving.request_log import LogLimits, RequestLog, Served

FIRST_OF_AUGUST = int(datetime(2013, 8, 1, 23, 59, 59, tzinfo=UTC).timestamp()) * 1_000_000
ONE_SECOND = 1_000_000
NEVER = LogLimits(seconds_a_file=10_000.0)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(model="flight-delay", version="v1.1.0")


def open_log(model: Model, directory: Path, metrics: Metrics, limits: LogLimits = NEVER) -> RequestLog:
    columns = {**model.inputs, **model.outputs}
    return RequestLog(directory, version="v1.1.0", columns=columns, metrics=metrics, limits=limits)


def served(request_id: str, *times: int) -> Served:
    rows = len(times)
    values: dict[str, Any] = {
        "hour": np.arange(rows, dtype=np.float32).reshape(-1, 1),
        "carrier": np.array([["AA"]] * rows, dtype=object),
        "p_late": np.full((rows, 1), 0.5, dtype=np.float32),
        "airline": np.array([["AA"]] * rows, dtype=object),
    }
    return Served(request_id, times, values)


def rows_of(directory: Path) -> Any:
    return pyarrow.dataset.dataset(directory, partitioning="hive").to_table()


def test_rows_lie_under_the_day_of_their_time(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """A request over midnight belongs to two days; windows are cut by folder."""
    log = open_log(late, tmp_path, metrics)
    log.record(served("a", FIRST_OF_AUGUST, FIRST_OF_AUGUST + ONE_SECOND))
    log.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["date=2013-08-01", "date=2013-08-02"]
    table = rows_of(tmp_path).sort_by("time")
    assert table.to_pylist()[1] == {
        "request_id": "a",
        "row": 1,
        "time": datetime(2013, 8, 2, tzinfo=UTC),
        "version": "v1.1.0",
        "hour": 1.0,
        "carrier": "AA",
        "p_late": 0.5,
        "airline": "AA",
        "date": "2013-08-02",
    }


def test_columns_have_the_agreed_types(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """Files of different versions and days are read as one table."""
    log = open_log(late, tmp_path, metrics)
    log.record(served("a", 0))
    log.close()
    schema = rows_of(tmp_path).schema

    assert [schema.field(name).type for name in ("request_id", "row", "time", "version", "hour", "carrier")] == [
        pa.string(),
        pa.int32(),
        pa.timestamp("us", tz="UTC"),
        pa.string(),
        pa.float32(),
        pa.string(),
    ]


def test_a_wide_tensor_is_a_list_a_row_and_one_without_rows_is_null(
    echo: Model, tmp_path: Path, metrics: Metrics
) -> None:
    """An output that has no row for each row asked cannot be joined to anything; the other columns still can."""
    log = RequestLog(tmp_path, version="v1.0.0", columns=echo.inputs, metrics=metrics)
    values: dict[str, Any] = {"INT64": np.array([[1, 2], [3, 4]]), "BOOL": np.array([True]), "FP64": np.float64(1.0)}
    log.record(Served("a", (0, 0), values))
    log.close()
    table = rows_of(tmp_path)

    assert table["INT64"].to_pylist() == [[1, 2], [3, 4]]
    assert table["BOOL"].to_pylist() == table["FP64"].to_pylist() == [None, None]


def test_a_value_of_every_datatype_is_logged(echo: Model, tmp_path: Path, metrics: Metrics) -> None:
    """A column that cannot be written would lose every row of its model, and the watch would see none."""
    values = {
        name: np.full(
            (1, *specification.shape[1:]), "Ü" if name.startswith("BYTES") else 1, dtype=specification.kind.numpy
        )
        for name, specification in {**echo.inputs, **echo.outputs}.items()
    }
    log = open_log(echo, tmp_path, metrics)
    log.record(Served("a", (FIRST_OF_AUGUST,), values))
    log.close()
    (row,) = rows_of(tmp_path).to_pylist()

    assert {name: row[name] for name in echo.inputs} == {
        name: {"BYTES": "Ü", "INT64": [1, 1], "BOOL": True}.get(name, 1) for name in echo.inputs
    }


def test_a_flush_returns_when_the_rows_are_there(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """A watch that runs right after the traffic must see all of it."""
    log = open_log(late, tmp_path, metrics)
    log.record(served("a", 0, 0, 0))
    log.flush()

    assert rows_of(tmp_path).num_rows == 3
    assert b"slipway_log_rows_written_total 3.0" in metrics.text()
    log.close()


@pytest.mark.parametrize("limits", [LogLimits(rows_a_file=2, seconds_a_file=10_000.0), LogLimits(seconds_a_file=0.01)])
def test_a_file_is_written_at_so_many_rows_or_after_so_long(
    late: Model, tmp_path: Path, metrics: Metrics, limits: LogLimits
) -> None:
    """A quiet service must show its rows within seconds, a busy one must not keep them in memory."""
    log = open_log(late, tmp_path, metrics, limits)
    log.record(served("a", 0, 0))
    reached = threading.Event()
    while not list(tmp_path.rglob("*.parquet")):
        reached.wait(0.01)
    log.close()

    assert rows_of(tmp_path).num_rows == 2


def test_rows_beyond_the_queue_are_dropped_and_counted(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """A slow disk may cost lines of the log, never a client's time; and the loss must be visible."""
    log = open_log(late, tmp_path, metrics, LogLimits(waiting_rows=3, seconds_a_file=10_000.0))
    log.record(served("kept", 0, 0))
    log.record(served("lost", 0, 0))
    log.record(served("fits", 0))
    log.flush()
    log.record(served("later", 0, 0, 0))
    log.close()

    assert sorted(set(rows_of(tmp_path)["request_id"].to_pylist())) == ["fits", "kept", "later"]
    assert b"slipway_log_rows_dropped_total 2.0" in metrics.text()


def test_a_failing_disk_loses_rows_not_the_log(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """A full disk is mended by somebody else; the server must log again from then on."""
    blocked = tmp_path / "served"
    blocked.write_text("a file where the folder should be")
    log = open_log(late, blocked, metrics)
    log.record(served("lost", 0))
    log.flush()
    blocked.unlink()
    log.record(served("kept", 0))
    log.close()

    assert rows_of(blocked)["request_id"].to_pylist() == ["kept"]
    assert b"slipway_log_rows_dropped_total 1.0" in metrics.text()


def test_no_half_written_file_is_ever_seen(late: Model, tmp_path: Path, metrics: Metrics) -> None:
    """Readers list the folder at any moment: what carries the ending .parquet is whole."""
    log = open_log(late, tmp_path, metrics, LogLimits(rows_a_file=1))
    for number in range(30):
        log.record(served(str(number), 0))
        for path in tmp_path.rglob("[!.]*.parquet"):
            assert pyarrow.parquet.read_table(path).num_rows == 1
    log.close()

    assert not list(tmp_path.rglob(".*.part"))
    assert rows_of(tmp_path).num_rows == 30


def test_a_tensor_called_like_a_column_of_the_log_stops_the_start(
    write_model: Callable[..., Path], tmp_path: Path, metrics: Metrics
) -> None:
    """One of the two would be lost without a word."""
    model = Model.load(write_model("t (float[N] time) => (float[N] y) { y = Identity (time) }"), name="m", version="v1")

    with pytest.raises(CannotStart, match=r"calls a tensor `time`(.|\n)*mend: rename"):
        open_log(model, tmp_path, metrics)
