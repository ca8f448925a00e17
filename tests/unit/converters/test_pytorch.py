"""Exported programs through a real PyTorch and its exporter, trained on real data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from slipway.domain.rows import take

from tests.unit.converters.conftest import ROOT, Trained, trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1
_CONVERTED = ("digits", "diabetes", "diabetes, by order", "late")


@pytest.fixture(scope="session")
def models(shared: Path, flights: Path) -> Trained:
    trained("datasets_for_tests", "scikit-learn", shared=shared, flights=flights)
    return trained("pytorch_models_for_tests", "pytorch", shared=shared, flights=flights)


@pytest.mark.parametrize("case", _CONVERTED)
def test_the_onnx_file_answers_as_its_source_also_at_the_edges(models: Trained, case: str) -> None:
    """Images, several classes, a number, ids and float64; NaN, infinities, 2^24+1."""
    assert "refused" not in models.told[case], models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert models.apart(case, "edges") <= _ROUNDING


@pytest.mark.parametrize(
    ("case", "inputs", "outputs"),
    [
        ("digits", ["`image` (float32[1, 8, 8])"], ["`digit` (float32[10])", "`label` (int64)"]),
        ("diabetes, by order", ["`patient` (float32[10])"], ["`target` (float32)"]),
        ("late", ["`seconds` (float64)", "`distance` (float32)", "`origin` (int64)"], ["`p` (float32)"]),
    ],
)
def test_inputs_and_outputs_are_those_declared(
    models: Trained, case: str, inputs: list[str], outputs: list[str]
) -> None:
    """Clients send names; a program names what it answers after its last operator."""
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
    """PyTorch refuses -1 too, which ONNX takes for the last one: the page has to say so."""
    assert models.told["late"]["edges_that_raised"] == [8, 9, 10]


def test_digits_of_float64_reach_the_model(models: Trained) -> None:
    """A minute near 1e6 is smaller than a step of float32: cast too early, all flights would look alike."""
    samples = models.samples("late")
    coarse = {**samples, "seconds": samples["seconds"].astype(np.float32).astype(np.float64)}
    converted = models.onnx("late")

    assert np.abs(converted.predict(coarse)["p"] - converted.predict(samples)["p"]).max() > 1000 * _ROUNDING


def test_two_swapped_columns_are_visible_in_the_answers(models: Trained) -> None:
    """A comparison that a planted breakage passes would prove nothing."""
    samples = models.samples("diabetes")
    swapped = {"measured": samples["measured"][:, [1, 0, *range(2, 10)]]}
    converted = models.onnx("diabetes")

    assert np.abs(converted.predict(swapped)["target"] - converted.predict(samples)["target"]).max() > 0.1


@pytest.mark.parametrize("case", ["harmful examples", "harmful guards"])
def test_code_in_what_is_not_needed_is_left_out_and_never_runs(models: Trained, case: str) -> None:
    """PyTorch itself would run both while it loads or asks the program."""
    assert "refused" not in models.told[case], models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert not list(models.folder.rglob("planted"))


def test_nothing_of_where_it_was_written_is_left(models: Trained) -> None:
    """The exporter writes the paths and lines of the training into the file."""
    raw = (models.folder / "digits" / "model.onnx").read_bytes()

    assert b"_for_tests" not in raw
    assert b"forward" not in raw
    assert {entry.version for entry in onnx.load_from_string(raw).opset_import} == {18}


def test_another_process_writes_the_same_bytes(models: Trained, tmp_path: Path) -> None:
    """One tag has one digest, whatever the hash seed."""
    job = json.loads((models.folder / "digits" / "job.json").read_text())
    job |= {"out": str(tmp_path), "result": str(tmp_path / "result.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))

    subprocess.run(
        [models.python, "-P", "-m", "slipway.converters", "pytorch", tmp_path / "job.json"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": "12", "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "model.onnx").read_bytes() == (models.folder / "digits" / "model.onnx").read_bytes()


def test_the_versions_of_the_tools_are_told(models: Trained) -> None:
    """When two conversions differ, the first question is what made them."""
    assert set(models.told["late"]["tools"]) == {"onnx", "onnxscript", "torch", "opset of ai.onnx"}
    assert models.told["late"]["tools"]["opset of ai.onnx"] == "18"


@pytest.mark.parametrize(
    ("case", "refused", "problem", "mend"),
    [
        ("pickle", "ModelRefused", "model.pt is pickled, or TorchScript", "torch.export.save(torch.export.export("),
        ("fixed batch", "ConversionFailed", "first axis of `input` is not free", "dynamic_shapes={'input': {0: "),
        ("training", "ModelRefused", "exported for training", "model.eval()"),
        ("some names", "ConversionFailed", "has the outputs p; declared are p, q", "by these names"),
        ("other type", "ConversionFailed", "declared is float64[N, 1]", "dtype and shape"),
        ("other width", "ConversionFailed", "declared is float32[N, 2]", "dtype and shape"),
        ("other answer", "ConversionFailed", "declared is [N, 3]", "declare the rest as `shape`"),
        ("answer of another type", "ConversionFailed", "answers `p` as float32; declared is int64", "dtype"),
        ("unknown part", "ModelRefused", "torch.ops.aten.special_modified_bessel_i1", "pytorch_operators.txt"),
        ("broken", "ModelRefused", "no exported program of PyTorch", "torch.export.save"),
    ],
)
def test_what_cannot_be_converted_truly_is_refused_with_its_mend(
    models: Trained, case: str, refused: str, problem: str, mend: str
) -> None:
    """An ONNX file that answers a little otherwise is worse than none, and a pickle runs any code."""
    assert models.told[case].get("refused") == refused
    assert problem in models.told[case]["problem"]
    assert mend in models.told[case]["mend"]
