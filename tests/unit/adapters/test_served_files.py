"""Files of a log in three formats, of which the same rows must say the same."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slipway.adapters.log_places import LogPlace
from slipway.adapters.served_files import Asked, pieces
from slipway.adapters.served_log import ServedLog
from slipway.errors import BadFile
from slipway.measures.drift import measure

from tests.unit.adapters.logged_rows import DAY, FEATURES, PROFILES, WRITERS, counted, in_sqlite, log_of, table

_BILLS = st.one_of(st.none(), st.floats(), st.integers(-2, 45).map(float))
_KITCHENS = st.one_of(st.none(), st.sampled_from(["thai", "pizza", "", "a, b", 'say "x"', "Käse", "1", "NA"]))
_ENDINGS = st.sampled_from(sorted(WRITERS))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_BILLS, _KITCHENS), min_size=1, max_size=12), st.data())
def test_a_window_says_the_same_however_its_rows_were_written(rows: list[tuple[Any, Any]], data: st.DataObject) -> None:
    """Order, files, parts and format are nobody's drift: neither a digit of the page nor its key may depend on them."""
    order = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    parts = [part for part in (order[:cut], order[cut:]) if part]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        whole = counted(log_of(Path(one), (".parquet", table(*map(list, zip(*rows, strict=True))))))
        cut_up = counted(
            log_of(Path(other), *((data.draw(_ENDINGS), table(*map(list, zip(*part, strict=True)))) for part in parts))
        )
        asked = counted(in_sqlite(Path(other), table(*map(list, zip(*order, strict=True)))))

    assert cut_up.to_bytes() == whole.to_bytes() == asked.to_bytes()
    assert measure(PROFILES, cut_up) == measure(PROFILES, whole)


def test_many_rows_are_counted_as_few_are(tmp_path: Path) -> None:
    """Above 65,536 rows a file is read in several pieces, small files before and after it together in one."""
    random = np.random.default_rng(4)
    bills, kitchens = random.gamma(2, 9, 150_000), random.choice(["thai", "pizza", "soup"], 150_000)
    rows = table(bills.tolist(), kitchens.tolist())
    shuffled = rows.take(random.permutation(len(rows)))
    parts = [
        shuffled.slice(0, 70_000),
        shuffled.slice(70_000, 5),
        shuffled.slice(70_005, 9_995),
        shuffled.slice(80_000),
    ]

    whole = counted(log_of(tmp_path / "whole", (".parquet", rows)))
    cut_up = counted(log_of(tmp_path / "parts", *zip((".parquet", ".jsonl", ".csv", ".parquet"), parts, strict=True)))

    assert whole.rows == 150_000
    assert cut_up.to_bytes() == whole.to_bytes()


def breaks(log: ServedLog) -> tuple[str, ...]:
    return measure(PROFILES, counted(log))[1]


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_words_instead_of_numbers_in_one_file_are_a_finding(tmp_path: Path, ending: str) -> None:
    """Whoever writes them broke the schema, also where all other files are as they were."""
    log = log_of(tmp_path, (".parquet", table([1.0] * 50, ["thai"] * 50)), (ending, table(["nine"], ["thai"])))

    assert breaks(log) == ("`bill` cannot be compared: it holds words, and was trained on numbers",)


def test_a_column_that_some_files_lack_is_missing_there(tmp_path: Path) -> None:
    """It shows as a rate of what is missing, as in rows that have the column and no value."""
    lacking = table([1.0] * 30, ["thai"] * 30).drop_columns(["bill"])

    log = log_of(tmp_path, (".parquet", table([1.0] * 10, ["thai"] * 10)), (".csv", lacking))

    found = {one.feature: one for one in measure(PROFILES, counted(log))[0]}
    assert found["bill"].null_rate_change == 0.75
    assert breaks(log) == ()


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_a_column_that_all_files_lack_is_a_finding(tmp_path: Path, ending: str) -> None:
    """No distance could tell of it."""
    log = log_of(tmp_path, (ending, table([1.0] * 9, ["thai"] * 9).drop_columns(["bill"])))

    assert breaks(log) == ("`bill` is missing in what production was asked",)


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_a_column_without_any_value_is_a_finding(tmp_path: Path, ending: str) -> None:
    """An empty CSV column, nothing but null in JSON, a Parquet column of nulls: none of them is "no drift"."""
    log = log_of(tmp_path, (ending, table([None] * 9, ["thai"] * 9)))

    assert breaks(log) == ("`bill` cannot be compared: the window holds no finite number",)


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_only_the_version_and_no_golden_request_is_read(tmp_path: Path, ending: str) -> None:
    """In every format, or a window would hold what nobody was served."""
    golden = table([5.0], ["thai"]).set_column(0, "request_id", pa.array(["slipway-golden.3"]))
    rows = pa.concat_tables([table([1.0], ["thai"]), table([2.0], ["thai"], version="v2.0.0"), golden])

    assert counted(log_of(tmp_path, (ending, rows))).rows == 1


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_rows_and_labels_are_joined_in_any_format(tmp_path: Path, ending: str) -> None:
    """A team whose log is CSV has its labels as CSV."""
    log = log_of(tmp_path, (ending, table([1.5, 2.0, 3.0], ["thai", "1", None])))
    labels = tmp_path / "labels" / f"date={DAY}"
    labels.mkdir(parents=True)
    (labels / "a.csv").write_text("request_id,row,label\n1,0,true\n2,0,false\n")

    joined = log.labelled(DAY, DAY, version="v1.0.0", features=FEATURES)

    assert joined.select(["request_id", "bill", "kitchen", "label"]).to_pylist() == [
        {"request_id": "1", "bill": 2.0, "kitchen": "1", "label": 1},
        {"request_id": "2", "bill": 3.0, "kitchen": None, "label": 0},
    ]


def read(folder: Path, name: str, content: str) -> list[pa.Table]:
    (folder / name).write_text(content)
    return list(pieces(LogPlace.at(folder), [str(folder / name)], Asked(needed=("request_id",))))


def test_numbers_of_a_csv_are_read_as_people_write_them(tmp_path: Path) -> None:
    """What stands for nothing is missing, yes and no are numbers, and one word makes words of all."""
    (found,) = read(
        tmp_path,
        "a.csv",
        "request_id,a,b,c,d\n01,1, 2.5,true,x\n02,,NA,FALSE,7\n03,NaN,-inf,n/a,8\n04,3,1e3,True,9\n",
    )

    assert found["request_id"].to_pylist() == ["01", "02", "03", "04"]
    assert found["a"].to_pylist() == [1, None, None, 3]
    assert found["b"].to_pylist() == [2.5, None, -np.inf, 1000.0]
    assert found["c"].to_pylist() == [1, 0, None, 1]
    assert found["d"].to_pylist() == ["x", "7", "8", "9"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", '{"request_id": "1"}\n\n{"request_id": \n', "line 3: "),
        ("a.jsonl", "[1]\n", "line 1: it is no object"),
        ("a.jsonl", '{"id": "1"}\n', "no column `request_id`"),
        ("a.csv", "id,bill\n1,2\n", "no column `request_id`"),
        ("a.csv", "request_id,bill\n1,2,3\n", "the log cannot be read"),
        ("a.csv", "", "the log cannot be read"),
        ("a.parquet", "PAR1", "the log cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, content: str, says: str) -> None:
    """Half a window would look like a quiet one."""
    with pytest.raises(BadFile, match=says):
        read(tmp_path, name, content)


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    """Names of a kitchen in Latin-1 would be names that nobody trained on."""
    (tmp_path / "a.jsonl").write_bytes('{"request_id": "Käse"}\n'.encode("latin-1"))

    with pytest.raises(BadFile, match="the log cannot be read"):
        list(pieces(LogPlace.at(tmp_path), [str(tmp_path / "a.jsonl")], Asked()))
