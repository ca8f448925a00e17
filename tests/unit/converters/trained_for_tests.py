"""Convert what a script of the tests has trained, in the process that trained it: starting another takes seconds.

Each case gets a folder: `source/`, samples.npz, edges.npz and, where it was converted, what the worker writes. What
the worker said of it stands in told.json of the folder above.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from slipway.converters import Converter
from slipway.converters.__main__ import run
from slipway.converters.batches import read_batch, write_batch
from slipway.domain.rows import Batch, take
from slipway.errors import SlipwayError

Case = Mapping[str, Any]
"""`save` (writes a model into a folder), `samples`, `outputs` and, where they matter, `edges`, `dtypes`, `trust`."""

_MOST_ROWS = 1500
AWKWARD = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-30, 1e6, 2.0**24 + 1)
WORDS = ("", "never seen", "ünïcödé ☃", "with\0NUL", " ")


def convert_all(converter: Converter, cases: Mapping[str, Callable[[Batch], Case]], job: Mapping[str, str]) -> None:
    folder = Path(job["folder"])
    flights = read_batch(folder / "flights.npz")
    told = {name: converted(converter, make(flights), folder / name) for name, make in cases.items()}
    Path(job["result"]).write_text(json.dumps(told))


def converted(converter: Converter, case: Case, folder: Path) -> dict[str, Any]:
    """Save, convert and ask one case into `folder`; what the worker said of it."""
    (folder / "source").mkdir(parents=True)
    case["save"](folder / "source")
    samples = take(case["samples"], slice(0, _MOST_ROWS))
    write_batch(folder / "samples.npz", samples)
    write_batch(folder / "edges.npz", case.get("edges") or edges_around(samples))
    job = {name: str(folder / f"{name}.npz") for name in ("samples", "edges")}
    job |= {"source": str(folder / "source"), "out": str(folder)}
    declared = {
        "inputs": [_column(name, column.dtype, column.shape) for name, column in samples.items()],
        "outputs": [{"name": name, "dtype": dtype, "shape": shape} for name, dtype, shape in case["outputs"]],
        "trust": case.get("trust", {"pickle": False, "types": []}),
    }
    (folder / "job.json").write_text(json.dumps({**job, **declared}))
    try:
        return run(converter, {**job, **declared})
    except SlipwayError as error:
        return {"refused": type(error).__name__, "problem": error.problem, "mend": error.mend}


def _column(name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> dict[str, Any]:
    return {"name": name, "dtype": "string" if dtype.kind == "O" else str(dtype), "shape": shape[1:]}


def edges_around(samples: Batch) -> Batch:
    """Each input in its turn takes awkward values, the others those of the first sample row."""
    rows = [(name, value) for name, column in samples.items() for value in _awkward(column)]
    edges = {name: np.repeat(column[:1], len(rows), axis=0) for name, column in samples.items()}
    for index, (name, value) in enumerate(rows):
        edges[name][index] = value
    return edges


def _awkward(column: Any) -> tuple[Any, ...]:
    if column.dtype.kind == "O":
        return WORDS
    return AWKWARD if column.dtype.kind == "f" else (0, 1, -1)


def named_columns(values: Any, *, dtype: str = "float32") -> dict[str, Any]:
    """A matrix as inputs `x0`, `x1`, … of shape [N, 1]."""
    return {f"x{index}": values[:, [index]].astype(dtype) for index in range(values.shape[1])}


def matrix_of(samples: Batch) -> Any:
    return np.concatenate(list(samples.values()), axis=1)
