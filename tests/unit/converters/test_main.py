"""What the worker does beside converting. That it works as a whole, test_tensorflow shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from slipway.converters import CONVERTERS
from slipway.converters.__main__ import ask_again, check, row_by_row
from slipway.converters.batches import write_batch
from slipway.converters.job import Job
from slipway.domain.model import Framework
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed

from tests.unit.converters.conftest import ROOT


def _refuses_negative_numbers(batch: Batch) -> Batch:
    if (batch["x"] < 0).any():
        raise ValueError("negative")
    return {"y": batch["x"] * 2}


def test_a_row_that_raises_does_not_hide_the_others() -> None:
    """Edge rows are meant to hurt; what the source says of the rest is still compared."""
    rows = {"x": np.array([[1.0], [-1.0], [3.0]], np.float32)}

    answers, raised = row_by_row(_refuses_negative_numbers, rows, like={"y": rows["x"]})

    assert raised == [1]
    assert answers["y"].tolist() == [[2.0], [0.0], [6.0]]
    assert answers["y"].dtype == np.float32


def test_rows_that_do_not_raise_are_asked_at_once() -> None:
    """One at a time would be another batch size than the ONNX file is asked with."""
    sizes: list[int] = []

    def remember(batch: Batch) -> Batch:
        sizes.append(len(batch["x"]))
        return _refuses_negative_numbers(batch)

    row_by_row(remember, {"x": np.ones((3, 1))}, like={})

    assert sizes == [3]


def test_an_operator_that_onnx_does_not_have_ends_the_conversion() -> None:
    """tf2onnx writes such a file and ends without an error; a release would carry a model that nothing can load."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Xlogy", ["x", "x"], ["y"])], "graph", [x], [y])

    with pytest.raises(ConversionFailed, match="Xlogy"):
        check(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]))


def test_each_declared_framework_has_a_converter_and_requirements() -> None:
    """model.yaml accepts the framework, so that a release would find out at the last moment."""
    assert set(CONVERTERS) == {str(framework) for framework in Framework}
    for name, converter in CONVERTERS.items():
        assert converter.name == name
        assert (ROOT / "requirements" / f"{converter.requirements}.txt").exists()


def test_naming_the_converters_loads_no_framework() -> None:
    """TensorFlow takes 8 seconds and is not installed beside the command line at all."""
    frameworks = {
        "tensorflow",
        "tf2onnx",
        "keras",
        "sklearn",
        "skl2onnx",
        "skops",
        "xgboost",
        "lightgbm",
        "onnxmltools",
    }
    loaded = f"import sys, slipway.converters; print(sorted({frameworks} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", loaded], env={"PYTHONPATH": str(ROOT / "scripts")}, capture_output=True, check=True
    )

    assert done.stdout.decode().strip() == "[]"


class _Noisy:
    """A source whose framework reads a variable when it is loaded, as TensorFlow does for oneDNN."""

    name = requirements = "noisy"

    def refuse(self, job: Job) -> None: ...

    def load(self, job: Job) -> float:
        return float(os.environ.get("SLIPWAY_TEST_NOISE", "0"))

    def to_onnx(self, job: Job) -> ModelProto:
        raise AssertionError("asked again, and not converted")

    def predict(self, loaded: float, batch: Batch) -> Batch:
        return {"y": batch["x"] + np.float32(loaded)}

    def tools(self) -> dict[str, str]:
        return {}


def test_a_source_is_asked_again_under_other_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What oneDNN and another number of threads change is noise of the source, and no fault of a conversion."""
    monkeypatch.setenv("SLIPWAY_TEST_NOISE", "0")  # put back afterwards
    rows = np.ones((3, 1), np.float32)
    write_batch(tmp_path / "samples.npz", {"x": rows})
    write_batch(tmp_path / "outputs-samples.npz", {"y": rows})
    job = {"source": "none", "inputs": [], "outputs": [], "trust": {"pickle": False, "types": []}, "out": str(tmp_path)}
    job |= {"samples": str(tmp_path / "samples.npz"), "again": {"SLIPWAY_TEST_NOISE": "0.25"}}

    assert ask_again(_Noisy(), job) == {"noise_floor": {"y": 0.25}}
