"""ONNX files as sources: models of scikit-learn and one of its own tests, as they are."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper
from slipway.converters.job import Column, Job
from slipway.converters.onnx_file import to_onnx
from slipway.domain.rows import take
from slipway.errors import ConversionFailed

from tests.unit.converters.conftest import OPSETS, ROOT, Trained, trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1
_CONVERTED = ("flights", "wine", "wine, probabilities alone", "trained here", "weights beside")


@pytest.fixture(scope="session")
def models(shared: Path, flights: Path) -> Trained:
    trained("scikit_learn_models_for_tests", "scikit-learn", shared=shared, flights=flights)
    return trained("onnx_models_for_tests", "onnx", shared=shared, flights=flights)


@pytest.mark.parametrize("case", _CONVERTED)
def test_what_is_served_answers_as_the_file_that_came_also_at_the_edges(models: Trained, case: str) -> None:
    """The one runs with all that onnxruntime can rewrite, the other with none of it."""
    assert "refused" not in models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert models.apart(case, "edges") <= _ROUNDING


@pytest.mark.parametrize(
    ("case", "inputs", "outputs"),
    [
        (
            "wine, probabilities alone",
            [f"`x{index}` (float32)" for index in range(13)],
            ["`probabilities` (float32[3])"],
        ),
        ("trained here", ["`origin` (int64)", "`distance` (float32)", "`seconds` (float64)"], ["`p` (float32)"]),
    ],
)
def test_the_file_has_what_is_declared_and_no_more(
    models: Trained, case: str, inputs: list[str], outputs: list[str]
) -> None:
    """An output that nobody declared would be a promise that nobody made."""
    signature = models.onnx(case).signature

    assert [str(one) for one in signature.inputs] == inputs
    assert [str(one) for one in signature.outputs] == outputs


@pytest.mark.parametrize("case", _CONVERTED)
def test_the_batch_is_free_and_named(models: Trained, case: str) -> None:
    """One row, many rows and none are all asked in production."""
    session = onnxruntime.InferenceSession(models.folder / case / "model.onnx")

    assert {tensor.shape[0] for tensor in (*session.get_inputs(), *session.get_outputs())} == {"N"}
    for rows in (0, 1, 3):
        answers = models.onnx(case).predict(take(models.samples(case), slice(0, rows)))
        assert {len(column) for column in answers.values()} == {rows}


def test_ids_out_of_range_are_told_as_refused(models: Trained) -> None:
    """They raise in what is served, too: whoever reads the page must know before a client does."""
    assert models.told["trained here"]["edges_that_raised"] == [8, 9]


def test_digits_of_float64_reach_the_model(models: Trained) -> None:
    """A minute near 1e6 is smaller than a step of float32: cast too early, all flights would look alike."""
    samples = models.samples("trained here")
    assert len(np.unique(samples["seconds"].astype(np.float32))) < len(np.unique(samples["seconds"])) / 2
    coarse = {**samples, "seconds": samples["seconds"].astype(np.float32).astype(np.float64)}
    onnx = models.onnx("trained here")

    assert np.abs(onnx.predict(coarse)["p"] - onnx.predict(samples)["p"]).max() > 1000 * _ROUNDING


def test_weights_in_a_file_beside_end_inside(models: Trained) -> None:
    """What is released is one file, and the same one however its source was saved."""
    beside, inside = ((models.folder / case / "model.onnx").read_bytes() for case in ("weights beside", "trained here"))

    assert (models.folder / "weights beside" / "source" / "weights" / "all.bin").exists()
    assert beside == inside


def test_a_file_in_the_canonical_form_is_served_byte_for_byte(models: Trained) -> None:
    """Whoever releases a released file again gets the digest that it has."""
    came = models.folder / "flights" / "source" / "model.onnx"

    assert (models.folder / "flights" / "model.onnx").read_bytes() == came.read_bytes()


def test_another_process_writes_the_same_bytes(models: Trained, tmp_path: Path) -> None:
    """One tag has one digest, whatever the hash seed."""
    job = json.loads((models.folder / "trained here" / "job.json").read_text())
    job |= {"out": str(tmp_path), "result": str(tmp_path / "result.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))

    subprocess.run(
        [models.python, "-P", "-m", "slipway.converters", "onnx", tmp_path / "job.json"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": "12", "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "model.onnx").read_bytes() == (models.folder / "trained here" / "model.onnx").read_bytes()


def test_the_versions_of_the_tools_are_told(models: Trained) -> None:
    """When two files of one model differ, the first question is what made them."""
    assert set(models.told["wine"]["tools"]) == {"onnx", "onnxruntime", *OPSETS}


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
