"""The rows of the served log, read back as the watch reads them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.errors import CannotStart
from serving.inference import Model
from serving.log_rows import Rows
from serving.served import Served
from tests.unit.serving.served_logs import served

FIRST_OF_AUGUST = int(datetime(2013, 8, 1, 23, 59, 59, tzinfo=UTC).timestamp()) * 1_000_000
ONE_SECOND = 1_000_000


def encoded(model: Model, *requests: Served) -> dict[str, Any]:
    """A table a day."""
    files = Rows(version="v1.1.0", columns={**model.inputs, **model.outputs}).encode(requests).files
    return {file.day.isoformat(): pq.read_table(pa.BufferReader(file.content)) for file in files}


def test_rows_lie_under_the_day_of_their_time(late: Model) -> None:
    """A request over midnight belongs to two days; windows are cut by folder."""
    tables = encoded(late, served("a", FIRST_OF_AUGUST, FIRST_OF_AUGUST + ONE_SECOND))

    assert list(tables) == ["2013-08-01", "2013-08-02"]
    assert tables["2013-08-02"].to_pylist() == [
        {
            "request_id": "a",
            "row": 1,
            "time": datetime(2013, 8, 2, tzinfo=UTC),
            "version": "v1.1.0",
            "hour": 1.0,
            "carrier": "AA",
            "p_late": 0.5,
            "airline": "AA",
        }
    ]


def test_columns_have_the_agreed_types(late: Model) -> None:
    """Files of different versions and days are read as one table."""
    schema = encoded(late, served("a", 0))["1970-01-01"].schema

    assert [schema.field(name).type for name in ("request_id", "row", "time", "version", "hour", "carrier")] == [
        pa.string(),
        pa.int32(),
        pa.timestamp("us", tz="UTC"),
        pa.string(),
        pa.float32(),
        pa.string(),
    ]


def test_a_wide_tensor_is_a_list_a_row_and_one_without_rows_is_null(echo: Model) -> None:
    """An output that has no row for each row asked cannot be joined to anything; the other columns still can."""
    values: dict[str, Any] = {"INT64": np.array([[1, 2], [3, 4]]), "BOOL": np.array([True]), "FP64": np.float64(1.0)}
    (table,) = encoded(echo, Served("a", (0, 0), values)).values()

    assert table["INT64"].to_pylist() == [[1, 2], [3, 4]]
    assert table["BOOL"].to_pylist() == table["FP64"].to_pylist() == [None, None]


def test_a_value_of_every_datatype_is_logged(echo: Model) -> None:
    """A column that cannot be written would lose every row of its model, and the watch would see none."""
    values = {
        name: np.full(
            (1, *specification.shape[1:]), "Ü" if name.startswith("BYTES") else 1, dtype=specification.kind.numpy
        )
        for name, specification in {**echo.inputs, **echo.outputs}.items()
    }
    (table,) = encoded(echo, Served("a", (FIRST_OF_AUGUST,), values)).values()
    (row,) = table.to_pylist()

    assert {name: row[name] for name in echo.inputs} == {
        name: {"BYTES": "Ü", "INT64": [1, 1], "BOOL": True}.get(name, 1) for name in echo.inputs
    }


def test_a_tensor_called_like_a_column_of_the_log_stops_the_start(write_model: Callable[..., Path]) -> None:
    """One of the two would be lost without a word."""
    model = Model.load(write_model("t (float[N] time) => (float[N] y) { y = Identity (time) }"), name="m", version="v1")

    with pytest.raises(CannotStart, match=r"calls a tensor `time`(.|\n)*mend: rename"):
        Rows(version="v1", columns={**model.inputs, **model.outputs})
