"""ONNX files as sources: models of scikit-learn and one of its own tests, as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import ModelProto, TensorProto, helper
from slipway.converters.job import Column, Job
from slipway.converters.onnx_file import to_onnx
from slipway.errors import ConversionFailed

from tests.unit.converters.conftest import Models, Trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


@pytest.fixture(scope="session")
def models(models_of: Models) -> Trained:
    return models_of("onnx")


def test_weights_in_a_file_beside_end_inside(models: Trained) -> None:
    """What is released is one file, and the same one however its source was saved."""
    beside, inside = ((models.folder / case / "model.onnx").read_bytes() for case in ("weights beside", "trained here"))

    assert (models.folder / "weights beside" / "source" / "weights" / "all.bin").exists()
    assert beside == inside


def test_a_file_in_the_canonical_form_is_served_byte_for_byte(models: Trained) -> None:
    """Whoever releases a released file again gets the digest that it has."""
    came = models.folder / "flights" / "source" / "model.onnx"

    assert (models.folder / "flights" / "model.onnx").read_bytes() == came.read_bytes()


def plain(*, dtype: int = TensorProto.FLOAT, rows: int | None = None, width: int | None = 1) -> ModelProto:
    axes = [rows, width]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "plain",
        [helper.make_tensor_value_info("x", dtype, axes)],
        [helper.make_tensor_value_info("y", dtype, axes)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize(
    ("model", "inputs", "output", "problem"),
    [
        (plain(rows=1), ("x",), "y", r"first axis of `x` is not free: the model has float32\[1, 1\]"),
        (plain(width=2), ("x",), "y", r"`x` as float32\[\?, 2\]; declared is float32\[N, 1\]"),
        (plain(width=None), ("x",), "y", r"`x` as float32\[\?, \?\]"),
        (plain(dtype=TensorProto.DOUBLE), ("x",), "y", r"`x` as float64\[\?, 1\]"),
        (plain(dtype=TensorProto.FLOAT16), ("x",), "y", r"`x` as of another type, \[\?, 1\]"),
        (plain(), ("x", "z"), "y", "no `z` among its inputs: x"),
        (plain(), (), "y", "asks for x, which is not declared"),
        (plain(), ("x",), "p", "no `p` among its outputs: y"),
    ],
)
def test_another_signature_than_the_declared_one_is_refused_with_both(
    model: ModelProto, inputs: tuple[str, ...], output: str, problem: str, tmp_path: Path
) -> None:
    """Found here, it costs a look at model.yaml; found by a client, a release."""
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    job = Job(tmp_path, tuple(Column(name, "float32") for name in inputs), (Column(output, "float32"),))

    with pytest.raises(ConversionFailed, match=problem):
        to_onnx(job)
