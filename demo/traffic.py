"""Production, played back: flights of 2013 asked one day after the other, their labels later, and things that break."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Columns = dict[str, npt.NDArray[Any]]
Fault = Callable[[Columns], Columns]


def departure_delay_stuck(flights: Columns) -> Columns:
    """The sensor reports 0 for every flight."""
    return {**flights, "dep_delay": np.zeros_like(flights["dep_delay"])}


def minutes_sent_as_hours(flights: Columns) -> Columns:
    return {**flights, "dep_delay": flights["dep_delay"] / np.float32(60)}


def carrier_codes_swapped(flights: Columns) -> Columns:
    """Two airlines exchange their codes: United's flights arrive as Delta's, and the other way round."""
    swapped = {"UA": "DL", "DL": "UA"}
    return {**flights, "carrier": np.array([swapped.get(code, code) for code in flights["carrier"]])}


def delay_of_another_flight(flights: Columns) -> Columns:
    """A wrong join: each flight gets the delay of another of its day; every distribution stays as it was."""
    return {**flights, "dep_delay": np.roll(flights["dep_delay"], 17)}


def nothing_breaks(flights: Columns) -> Columns:
    return flights


FAULTS: Mapping[str, Fault] = {
    "departure-delay-stuck": departure_delay_stuck,
    "minutes-sent-as-hours": minutes_sent_as_hours,
    "carrier-codes-swapped": carrier_codes_swapped,
    "delay-of-another-flight": delay_of_another_flight,
    "none": nothing_breaks,
}


@dataclass(frozen=True, slots=True)
class Traffic:
    """`flights` in the order of their scheduled departure."""

    flights: Columns

    @classmethod
    def of_2013(cls, model_folder: Path, *, seed: int | None) -> Traffic:
        """All flights, or with a seed a random four fifths of them: other data, so maybe another story."""
        flights: Columns = _module(model_folder / "flights.py").read_flights()
        order = np.argsort(flights["time"], kind="stable")
        if seed is not None:
            chosen = np.random.default_rng(seed).random(len(order)) < 0.8
            order = order[chosen]
        return cls({name: column[order] for name, column in flights.items()})

    def on(self, day: date) -> Columns:
        days = self.flights["time"].astype("datetime64[D]")
        first, last = np.searchsorted(days, [np.datetime64(day), np.datetime64(day) + 1])
        return {name: column[first:last] for name, column in self.flights.items()}


def request_id(day: date) -> str:
    return f"flights-of-{day}"


def as_request(flights: Columns, inputs: tuple[str, ...]) -> Columns:
    """Shape [N, 1] a column, as the model server takes it."""
    return {name: flights[name].reshape(-1, 1) for name in inputs}


def write_labels(folder: Path, day: date, late: npt.NDArray[np.bool_]) -> None:
    """What really happened, joined to what was served by request id and row."""
    target = folder / f"date={day}" / "labels.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = np.arange(len(late), dtype=np.int32)
    pq.write_table(pa.table({"request_id": [request_id(day)] * len(late), "row": rows, "label": late}), target)


def _module(path: Path) -> Any:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
