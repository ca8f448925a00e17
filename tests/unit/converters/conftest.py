"""Real SavedModels, made and converted once a session: each start of TensorFlow takes seconds."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from slipway.adapters import environments
from slipway.adapters.environments import Converted
from slipway.adapters.onnx_session import OnnxModel, open_model
from slipway.converters.batches import read_batch, write_batch
from slipway.domain.rows import Batch
from slipway.domain.signature import DataType, Signature, Tensor

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
def saved_models(tensorflow_python: Path, shared: Path) -> Path:
    """The folder of `saved_models_for_tests`, and what it said in refusals.json."""
    folder = shared / "saved-models"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "refusals.json").exists():
            folder.mkdir(exist_ok=True)
            here = Path(__file__).with_name("saved_models_for_tests.py")
            package = ROOT / "scripts" / "slipway"
            job = {"folder": str(folder)}
            said = environments.run(
                tensorflow_python, here.stem, job, folder=folder / "process", packages=[here, package]
            )
            (folder / "refusals.json").write_text(json.dumps(said))
    return folder


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
