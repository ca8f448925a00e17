"""Parquet columns as batches: as they are declared, or refused with the name of file and column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from slipway.adapters import tables
from slipway.domain.model import Feature, Model
from slipway.errors import BadFile

from tests import pages

_WHERE = Path("samples.parquet")
_FLIGHTS: dict[str, Any] = {
    **{name: [1.0, None, 3.0] for name in ("hour", "minute", "distance", "dow")},
    **{name: ["AA", None, "HA"] for name in ("carrier", "origin", "dest")},
    "time": [datetime(2026, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC)] * 3,
    "late": [True, False, True],
    "held_out": [True, True, False],
}


def read(values: Any, dtype: str, shape: tuple[int, ...] = (1,)) -> np.ndarray[Any, Any]:
    feature = Feature.model_validate({"name": "x", "dtype": dtype, "meaning": "An x", "shape": shape})
    table = pa.table({"x": values})
    return tables.to_batch(table, [feature], where=_WHERE)["x"]


def refusal(values: Any, dtype: str, shape: tuple[int, ...] = (1,)) -> str:
    with pytest.raises(BadFile) as caught:
        read(values, dtype, shape)
    return caught.value.problem


def samples(folder: Path, **changes: Any) -> Path:
    columns = {name: value for name, value in {**_FLIGHTS, **changes}.items() if value is not None}
    pq.write_table(pa.table(columns), folder / "samples.parquet")
    return folder / "samples.parquet"


def test_samples_are_read_as_the_model_declares_them(tmp_path: Path) -> None:
    """A missing number is NaN and a missing word is empty, as the server hands them to the model."""
    rows = tables.read_samples(samples(tmp_path), pages.model())

    np.testing.assert_array_equal(rows.batch["hour"], np.array([[1], [np.nan], [3]], np.float32))
    assert rows.batch["carrier"].tolist() == [["AA"], [""], ["HA"]]
    assert (rows.labels.tolist(), rows.counts.tolist()) == ([True, False, True], [True, True, False])
    assert rows.days.tolist() == [(date(2026, 1, 1) - date(1970, 1, 1)).days] * 3


def deciding(decision: dict[str, Any], **samples: str) -> Model:
    told = pages.model().model_dump(mode="json")
    shape = [len(decision["classes"])] if "classes" in decision else [1]
    return Model.model_validate(
        {
            **told,
            "outputs": [{"name": "answer", "dtype": "float32", "shape": shape, "meaning": "What it answers"}],
            "decision": {"output": "answer", **decision},
            "samples": {**told["samples"], **samples},
        }
    )


@pytest.mark.parametrize("labels", [["ox", "hen", "ox"], [0, 1, 0], pa.array(["ox", "hen", "ox"]).dictionary_encode()])
def test_labels_of_classes_are_their_names_or_their_places(tmp_path: Path, labels: Any) -> None:
    """Whichever a team has; what is compared are names."""
    rows = tables.read_samples(samples(tmp_path, late=labels), deciding({"classes": ["ox", "hen"]}))

    assert rows.labels.tolist() == ["ox", "hen", "ox"]


def test_labels_of_numbers_are_numbers(tmp_path: Path) -> None:
    """Whole ones as well."""
    rows = tables.read_samples(samples(tmp_path, late=[3, 5, -1]), deciding({"noticeable": 0.5}))

    assert rows.labels.tolist() == [3.0, 5.0, -1.0]
    assert rows.labels.dtype == np.float64


@pytest.mark.parametrize(
    ("decision", "labels", "says"),
    [
        ({"threshold": 0.5}, [1, 0, 7], "column `late` has values other than true and false, first `7` in row 3"),
        ({"classes": ["ox", "hen"]}, ["ox", "hen", "cow"], "column `late`, row 3: `cow` is no label of this model"),
        ({"classes": ["ox", "hen"]}, [0, 2, 1], "column `late`, row 2: `2` is no label of this model"),
        ({"classes": ["ox", "hen"]}, [0.0, 1.0, 1.0], "column `late` is double, and the model decides one of several"),
        ({"noticeable": 1.0}, ["3", "4", "5"], "column `late` is string, and the model decides a number"),
        ({"noticeable": 1.0}, [3.0, float("nan"), 5.0], "column `late`, row 2: `nan` is no label of this model"),
    ],
)
def test_a_label_that_no_decision_can_be_is_named_with_its_row(
    tmp_path: Path, decision: dict[str, Any], labels: list[Any], says: str
) -> None:
    """A label that is silently left out, or taken for a wrong answer, moves every metric."""
    with pytest.raises(BadFile) as caught:
        tables.read_samples(samples(tmp_path, late=labels), deciding(decision), shown_as=_WHERE)

    assert says in caught.value.problem
    assert caught.value.mend


def test_a_column_that_only_a_policy_asks_for_is_read_as_words(tmp_path: Path) -> None:
    """A model need not be told the sex to be held to it; a name that no column has is the policy's mistake."""
    path = samples(tmp_path, sex=["f", None, "m"], age=[30, 40, 50])

    rows = tables.read_samples(path, pages.model(), also=("sex", "age"))

    assert {name: column.tolist() for name, column in rows.columns.items()} == {
        "sex": ["f", "", "m"],
        "age": ["30", "40", "50"],
    }
    with pytest.raises(BadFile, match="no column `gender` of words or numbers, and policies/slices"):
        tables.read_samples(path, pages.model(), also=("gender",))


def test_rows_of_one_group_share_a_number(tmp_path: Path) -> None:
    """Words or numbers: only which rows belong together counts."""
    path = samples(tmp_path, customer=["b", "a", "b"])

    rows = tables.read_samples(path, deciding({"threshold": 0.5}, group="customer"))

    assert rows.drawn.tolist() == [0, 1, 0]
    with pytest.raises(BadFile, match="column `customer` has 1 rows without a value"):
        tables.read_samples(
            samples(tmp_path, customer=["b", None, "b"]), deciding({"threshold": 0.5}, group="customer")
        )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"late": None}, "has no column `late`"),
        ({"hour": None}, "has no column `hour`"),
        ({"held_out": None}, "has no column `held_out`"),
        ({"late": [True, None, False]}, "column `late` has 1 rows without a value"),
        ({"late": [0, 1, 2]}, "column `late` has values other than true and false"),
        ({"late": ["yes", "no", "no"]}, "column `late` has values other than true and false"),
        ({"time": ["a", "b", "c"]}, "column `time` is string, no time"),
        ({"time": [None, *_FLIGHTS["time"][1:]]}, "column `time` has 1 rows without a value"),
        ({"hour": ["nine", "ten", "x"]}, "column `hour` is string; model.yaml declares float32"),
        ({"carrier": [1, 2, 3]}, "column `carrier` is int64; model.yaml declares string"),
    ],
)
def test_samples_that_are_otherwise_are_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """Before anything is converted: the developer mends it in a minute."""
    path = samples(tmp_path, **changes)

    with pytest.raises(BadFile) as caught:
        tables.read_samples(path, pages.model(), shown_as=_WHERE)

    assert caught.value.problem.startswith("samples.parquet")
    assert problem in caught.value.problem


def test_no_rows_and_no_parquet_are_refused(tmp_path: Path) -> None:
    """Nothing can be measured on them."""
    empty = samples(tmp_path)
    pq.write_table(pq.read_table(empty).slice(0, 0), empty)
    with pytest.raises(BadFile, match="has no rows"):
        tables.read_samples(empty, pages.model())
    empty.write_bytes(b"PAR1 and no more")
    with pytest.raises(BadFile, match="is no Parquet file"):
        tables.read_samples(empty, pages.model())


def test_a_folder_above_the_file_is_no_column(tmp_path: Path) -> None:
    """A checkout may lie under `year=2026`; the reader of hives would add a column of it."""
    folder = tmp_path / "late=1"
    folder.mkdir()

    assert tables.read_samples(samples(folder), pages.model()).labels.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "float32", [1.0, 2.0]),
        ([True, False], "float32", [1.0, 0.0]),
        ([1.0, 2.0], "int64", [1, 2]),
        ([1, 2], "int32", [1, 2]),
        ([0, 1], "bool", [False, True]),
    ],
)
def test_numbers_become_the_declared_type_where_no_value_changes(
    values: list[Any], dtype: str, expected: list[Any]
) -> None:
    """Parquet writers choose wider types than models ask for."""
    column = read(values, dtype)

    assert column.dtype == np.dtype(dtype)
    assert column.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("values", "dtype", "problem"),
    [
        ([1.5], "int64", "column `x` is double; model.yaml declares int64"),
        ([2**40], "int32", "column `x` is int64; model.yaml declares int32"),
        ([1, None], "int64", "column `x` (int64) has 1 missing values"),
        ([True, None], "bool", "column `x` (bool) has 1 missing values"),
        ([2], "bool", "column `x` has values other than true and false"),
        ([1], "string", "column `x` is int64; model.yaml declares string"),
        (["1"], "float32", "column `x` is string; model.yaml declares float32"),
    ],
)
def test_a_value_that_would_become_another_is_refused(values: list[Any], dtype: str, problem: str) -> None:
    """numpy would cut 1.5 to 1 and wrap a large number round, in silence."""
    assert problem in refusal(values, dtype)


def test_a_wide_feature_is_a_list_a_row() -> None:
    """As the server logs it; a flat column was once folded into rows of three."""
    assert read([[1.0, 2.0], [3.0, 4.0]], "float32", (2,)).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert read([[1.0, 2.0, 3.0, 4.0]], "float32", (2, 2)).shape == (1, 2, 2)
    assert read([["a", "b"]], "string", (2,)).tolist() == [["a", "b"]]


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1.0, 2.0], [3.0]], [[1.0, 2.0], None]])
def test_rows_of_another_width_are_refused(values: list[Any]) -> None:
    """Two rows of one number are not one row of two."""
    assert "model.yaml declares [2] a row" in refusal(values, "float32", (2,))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (np.datetime64("1970-01-01T00:00:00.000001", "us"), 0),
        (np.datetime64("1969-12-31T23:59:59.500000", "us"), -1),
        (np.datetime64("2026-01-01T23:59:59.999999999", "ns"), 20454),
        (np.datetime64("2026-01-02", "s"), 20455),
    ],
)
def test_a_moment_belongs_to_its_day_in_utc(moment: np.datetime64, day: int) -> None:
    """Real logs have microseconds; a cast to whole seconds refused them all."""
    column = pa.chunked_array([pa.array([moment])])

    assert tables.days(column, where=_WHERE, name="time").tolist() == [day]


def test_a_moment_of_another_zone_is_counted_in_utc() -> None:
    """New York's evening is the next day for everybody who reads the log."""
    evening = pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC)], pa.timestamp("us", tz="America/New_York"))

    assert tables.days(pa.chunked_array([evening]), where=_WHERE, name="time").tolist() == [20455]
