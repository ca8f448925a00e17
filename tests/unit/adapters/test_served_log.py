"""What production was asked and answered, and the labels that came later."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from slipway.adapters.served_log import GOLDEN_REQUEST, ServedLog
from slipway.errors import BadFile
from slipway.maths.counts import CountedWindow, count
from slipway.maths.profile import ColumnProfile, profile_of_numeric

_DAY = date(2026, 3, 1)


@pytest.fixture
def log(tmp_path: Path) -> ServedLog:
    return ServedLog.at(tmp_path / "served", tmp_path / "labels")


def write(folder: Path, day: date, table: pa.Table, name: str = "part") -> None:
    path = folder / f"date={day}" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def served(log: ServedLog, requests: list[str], *, day: date = _DAY, version: str = "v1.0.0", **columns: Any) -> None:
    rows = len(requests)
    own = {
        "request_id": requests,
        "row": pa.array([0] * rows, pa.int32()),
        "time": pa.array(
            [datetime(day.year, day.month, day.day, 9, 0, 59 - second, 7, tzinfo=UTC) for second in range(rows)],
            pa.timestamp("us", tz="UTC"),
        ),
        "version": [version] * rows,
    }
    write(log.rows_folder, day, pa.table({**own, **columns}), name=f"{version}-{requests[0]}")


def labels(log: ServedLog, requests: list[str], values: list[Any], *, row_type: Any = None, name: str = "a") -> None:
    table = {"request_id": requests, "row": pa.array([0] * len(requests), row_type or pa.int32()), "label": values}
    write(log.labels_folder, _DAY, pa.table(table), name=name)


def names(table: pa.Table) -> list[str]:
    found: list[str] = table["request_id"].to_pylist()
    return found


def test_rows_of_the_days_come_oldest_first(log: ServedLog) -> None:
    """Both ends are part of it; other days are not."""
    for number in range(1, 5):
        served(log, [f"{number}b", f"{number}a"], day=date(2026, 3, number))

    assert names(log.rows(date(2026, 3, 2), date(2026, 3, 3))) == ["2a", "2b", "3a", "3b"]


def test_rows_of_one_version_only(log: ServedLog) -> None:
    """On the day of a rollout two versions answered."""
    served(log, ["a"], version="v1.0.0")
    served(log, ["b"], version="v1.1.0")

    assert names(log.rows(_DAY, _DAY, version="v1.1.0")) == ["b"]
    assert len(log.rows(_DAY, _DAY)) == 2


def test_golden_rows_are_no_traffic(log: ServedLog) -> None:
    """verify-rollout asks them; they would make every window look like the samples."""
    served(log, ["a", GOLDEN_REQUEST, f"{GOLDEN_REQUEST}.1"])

    assert names(log.rows(_DAY, _DAY)) == ["a"]


def test_a_log_that_does_not_exist_is_empty(log: ServedLog) -> None:
    """Before the first request there is no folder."""
    assert len(log.rows(_DAY, _DAY, version="v1.0.0")) == 0
    assert log.last_day(version="v1.0.0") is None
    assert len(log.labelled(_DAY, _DAY)) == 0


def test_a_column_that_came_later_is_missing_where_it_was_not(log: ServedLog) -> None:
    """A new version logs more; the old rows stay readable."""
    served(log, ["a"], hour=[9.0])
    served(log, ["b"], day=date(2026, 3, 2), hour=[10.0], minute=[5.0])

    table = log.rows(_DAY, date(2026, 3, 2))

    assert table["minute"].to_pylist() == [None, 5.0]


def test_another_version_may_have_another_type(log: ServedLog) -> None:
    """A major version turned a number into a word: the days of both lie side by side in the log."""
    served(log, ["a"], version="v1.0.0", hour=pa.array([9.0], pa.float32()))
    served(log, ["b"], version="v2.0.0", hour=["nine"])

    assert log.rows(_DAY, _DAY, version="v1.0.0")["hour"].to_pylist() == [9.0]
    assert log.rows(_DAY, _DAY, version="v2.0.0")["hour"].to_pylist() == ["nine"]


def test_one_version_with_two_types_is_refused(log: ServedLog) -> None:
    """Somebody else wrote into the log."""
    served(log, ["a"], hour=pa.array([9.0], pa.float32()))
    served(log, ["b"], hour=["nine"])

    with pytest.raises(BadFile, match="the log cannot be read"):
        log.rows(_DAY, _DAY, version="v1.0.0")


def test_a_broken_file_is_told_and_not_left_out(log: ServedLog) -> None:
    """Half a window would look like a quiet one."""
    served(log, ["a"])
    (log.rows_folder / f"date={_DAY}" / "broken.parquet").write_bytes(b"PAR1")

    with pytest.raises(BadFile) as caught:
        log.rows(_DAY, _DAY)

    assert caught.value.mend == "move the broken file aside"


def test_what_the_server_is_still_writing_is_not_read(log: ServedLog) -> None:
    """It has another name until it is whole."""
    served(log, ["a"])
    (log.rows_folder / f"date={_DAY}" / ".b.parquet.part").write_bytes(b"PAR1")

    assert names(log.rows(_DAY, _DAY)) == ["a"]


def test_the_last_day_is_one_on_which_the_version_served(log: ServedLog) -> None:
    """Not one of another version, of golden rows alone, or of somebody else's folder."""
    served(log, ["a"], day=date(2026, 3, 1))
    served(log, [GOLDEN_REQUEST], day=date(2026, 3, 2))
    served(log, ["b"], day=date(2026, 3, 3), version="v1.1.0")
    (log.rows_folder / "date=2026-03-04").mkdir()
    (log.rows_folder / "date=tomorrow").mkdir()

    assert log.last_day(version="v1.0.0") == date(2026, 3, 1)
    assert names(log.rows(date(2026, 3, 1), date(2026, 12, 31))) == ["a", "b"]


def labelled(log: ServedLog) -> dict[str, Any]:
    table = log.labelled(_DAY, _DAY)
    return dict(zip(table["request_id"].to_pylist(), table["label"].to_pylist(), strict=True))


@pytest.mark.parametrize("row_type", [pa.int32(), pa.int64(), pa.uint8()])
def test_a_label_belongs_to_its_row(log: ServedLog, row_type: Any) -> None:
    """Rows without one are left out; the team writes integers of any width."""
    served(log, ["a", "b", "c"], features=[[1.0, 2.0]] * 3)
    labels(log, ["c", "a", "x"], [True, False, True], row_type=row_type)

    assert labelled(log) == {"c": True, "a": False}


def test_a_label_that_is_written_twice_counts_once(log: ServedLog) -> None:
    """A row that counted twice would weigh twice."""
    served(log, ["a", "b"])
    labels(log, ["a", "b"], [True, False])
    labels(log, ["a"], [True], name="again")

    assert labelled(log) == {"a": True, "b": False}


def test_labels_without_a_key_are_refused(log: ServedLog) -> None:
    """They could belong to any row."""
    served(log, ["a"])
    write(log.labels_folder, _DAY, pa.table({"request_id": ["a"], "label": [True]}))

    with pytest.raises(BadFile) as caught:
        labelled(log)

    assert caught.value.problem.endswith("the labels have no column `row`")
    assert caught.value.mend == "write the columns request_id, row and label"


def test_labels_whose_key_is_no_number_are_refused(log: ServedLog) -> None:
    """A cast that fails is the team's file, no defect of ours."""
    served(log, ["a"])
    write(log.labels_folder, _DAY, pa.table({"request_id": ["a"], "row": ["first"], "label": [True]}))

    with pytest.raises(BadFile, match="is no key of the served log"):
        labelled(log)


PROFILES: dict[str, ColumnProfile] = {"hour": profile_of_numeric(np.arange(24.0))}


def counts_of(*hours: float, version: str = "v1.0.0", profile: str = "sha256:0") -> CountedWindow:
    return CountedWindow(version, profile, len(hours), {"hour": count(PROFILES["hour"], np.array(hours))})


def write_counts(log: ServedLog, window: CountedWindow, *, day: date = _DAY, name: str = "a") -> None:
    path = log.rows_folder / f"date={day}" / f"{name}.sketch.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(window.to_bytes())


def counted(log: ServedLog, version: str = "v1.0.0") -> CountedWindow | None:
    return log.counted(_DAY, date(2026, 3, 2), version=version, profiles=PROFILES, profile="sha256:0")


def test_counts_of_the_days_and_the_version_add_up(log: ServedLog) -> None:
    """Each server writes its own files, one after the other, and two versions do on the day of a rollout."""
    write_counts(log, counts_of(1.0, 2.0))
    write_counts(log, counts_of(3.0), day=date(2026, 3, 2))
    write_counts(log, counts_of(4.0), day=date(2026, 3, 3))
    write_counts(log, counts_of(5.0, version="v1.1.0", profile="sha256:1"), name="b")

    assert counted(log) == counts_of(1.0, 2.0, 3.0)
    assert counted(log, "v0.9.0") is None


def test_counts_are_no_rows_and_rows_no_counts(log: ServedLog) -> None:
    """Both may lie in one folder."""
    served(log, ["a"])
    write_counts(log, counts_of(1.0))

    assert names(log.rows(_DAY, _DAY)) == ["a"]
    window = counted(log)
    assert window is not None
    assert window.rows == 1


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": "v1.0.0", "format": 1, "profile": "sha256:1"}'])
def test_counts_that_cannot_be_read_are_told(log: ServedLog, content: bytes) -> None:
    """Half a window would look like a quiet one."""
    write_counts(log, counts_of(1.0))
    (log.rows_folder / f"date={_DAY}" / "odd.sketch.json").write_bytes(content)

    with pytest.raises(BadFile, match=r"odd\.sketch\.json: no counts of v1\.0\.0"):
        counted(log)
