"""Reading the year of flights, from a small file of the same form and from the real one."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

HEADER = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_delay,carrier,origin,dest,distance,hour,minute"
LATE = "2013,6,30,559,545,14,16,UA,EWR,IAH,1400,5,45"
JUST_PUNCTUAL = "2013,7,5,2358,2359,-1,15,B6,JFK,BQN,1576,23,59"
CANCELLED = "2013,7,6,,700,,,AA,LGA,MIA,1096,7,0"
ROWS_OF_2013 = 327_346


@pytest.fixture
def read(flights: ModuleType, tmp_path: Path) -> dict[str, Any]:
    """Return three flights, one of them cancelled, as they are read."""
    path = tmp_path / "flights.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("flights.csv", "\n".join([HEADER, LATE, JUST_PUNCTUAL, CANCELLED]))
    return dict(flights.read_flights(path))


def test_a_flight_that_never_arrived_is_left_out(read: dict[str, Any]) -> None:
    """Nobody can say whether it was late; a label made up for it would be learned and judged."""
    assert {len(column) for column in read.values()} == {2}


def test_a_quarter_of_an_hour_is_not_yet_late(read: dict[str, Any]) -> None:
    """The card promises *more than* 15 minutes."""
    assert read["late"].tolist() == [True, False]


def test_time_and_weekday_are_those_of_the_timetable(read: dict[str, Any]) -> None:
    """A flight that leaves after midnight belongs to the day in the plan: windows are cut by it."""
    assert read["time"].tolist() == np.array(["2013-06-30T05:45", "2013-07-05T23:59"], "datetime64[s]").tolist()
    assert read["dow"].tolist() == [6.0, 4.0]  # a Sunday and a Friday


def test_numbers_are_float32_and_codes_are_text(flights: ModuleType, read: dict[str, Any]) -> None:
    """These are the types of the model's inputs; what is served needs no further cast."""
    for name in flights.DEPARTURE:
        assert read[name].dtype.kind == "U" if name in flights.STRINGS else read[name].dtype == np.float32


def test_months_are_cut_with_both_ends(flights: ModuleType, read: dict[str, Any]) -> None:
    """`--through 2013-06` has to contain 30 June and nothing of July."""
    assert flights.between(read, "2013-01", "2013-06")["carrier"].tolist() == ["UA"]
    assert flights.between(read, "2013-07", "2013-07")["carrier"].tolist() == ["B6"]


def test_validation_days_are_those_that_five_divides(flights: ModuleType, read: dict[str, Any]) -> None:
    """Training and samples both ask here; two rules would let training rows into the judged ones."""
    assert flights.on_validation_day(read).tolist() == [True, True]
    moved = {**read, "time": read["time"] + np.timedelta64(1, "D")}
    assert flights.on_validation_day(moved).tolist() == [False, False]


def test_equal_rows_give_equal_bytes_in_whatever_order_they_come(
    flights: ModuleType, write_samples: ModuleType, read: dict[str, Any], tmp_path: Path
) -> None:
    """A release is keyed by the bytes of its samples; writing them again must not look like a change."""
    backwards = {name: column[::-1] for name, column in read.items()}
    write_samples.write(read, inputs=flights.SCHEDULE, path=tmp_path / "once.parquet")
    write_samples.write(backwards, inputs=flights.SCHEDULE, path=tmp_path / "again.parquet")

    assert (tmp_path / "once.parquet").read_bytes() == (tmp_path / "again.parquet").read_bytes()


def test_a_first_version_is_filled_up_with_rows_that_count_for_nothing(
    flights: ModuleType, write_samples: ModuleType
) -> None:
    """Three months hold fewer than 20,000 validation rows; the rest must be marked as trained on."""
    year = flights.read_flights()
    chosen = write_samples.held_out(year, "2013-03")

    assert len(year["late"]) == ROWS_OF_2013
    assert len(chosen["late"]) == write_samples.ROWS_AT_LEAST
    assert chosen["held_out"].tolist() == flights.on_validation_day(chosen).tolist()


def test_help_needs_no_tensorflow(folder: Path) -> None:
    """Whoever asks how to train has not yet made the environment for it."""
    for script, option in (("train.py", "--through"), ("write_samples.py", "--month")):
        shown = subprocess.run([sys.executable, folder / script, "--help"], capture_output=True, text=True, check=True)
        assert option in shown.stdout
