"""Modules of PyTorch with example inputs: code, weights and rows, through a real PyTorch, trained on real data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from slipway.converters.batches import read_batch
from slipway.domain.rows import take

from tests.unit.converters.conftest import ROOT, Trained, trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1
_CONVERTED = ("digits", "late", "late, one example")


@pytest.fixture(scope="session")
def models(shared: Path, flights: Path) -> Trained:
    trained("datasets_for_tests", "scikit-learn", shared=shared, flights=flights)
    return trained("pytorch_modules_for_tests", "pytorch", shared=shared, flights=flights)


@pytest.mark.parametrize("case", _CONVERTED)
def test_the_onnx_file_answers_as_the_module_itself_also_at_the_edges(models: Trained, case: str) -> None:
    """Asked is what the team wrote, not what PyTorch made of it; images, ids and float64, NaN and infinities."""
    assert "refused" not in models.told[case], models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert models.apart(case, "edges") <= _ROUNDING


def test_the_module_is_asked_as_the_team_measures_it_and_not_as_it_trains(models: Trained) -> None:
    """Dropout and batch-norm answer otherwise in training; a module is in training until somebody says `eval()`."""
    ours = models.onnx("digits").predict(models.samples("digits"))["digit"]
    team = read_batch(models.folder / "digits" / "of-the-team.npz")

    assert np.abs(ours - team["asked"][: len(ours)]).max() <= _ROUNDING
    assert np.abs(ours - team["training"][: len(ours)]).max() > 0.1


@pytest.mark.parametrize(
    ("case", "inputs", "outputs"),
    [
        ("digits", ["`image` (float32[1, 8, 8])"], ["`digit` (float32[10])", "`label` (int64)"]),
        ("late", ["`delay` (float64)", "`distance` (float32)", "`origin` (int64)"], ["`p` (float32)"]),
    ],
)
def test_inputs_and_outputs_are_those_declared(
    models: Trained, case: str, inputs: list[str], outputs: list[str]
) -> None:
    """In their order, whatever the order of the arguments; one with a default is no input."""
    signature = models.onnx(case).signature

    assert [str(one) for one in signature.inputs] == inputs
    assert [str(one) for one in signature.outputs] == outputs


@pytest.mark.parametrize("case", _CONVERTED)
def test_the_batch_is_free_and_named(models: Trained, case: str) -> None:
    """Two example rows, or one, must not make the model answer two rows alone."""
    session = onnxruntime.InferenceSession(models.folder / case / "model.onnx")

    assert {tensor.shape[0] for tensor in (*session.get_inputs(), *session.get_outputs())} == {"N"}
    for rows in (0, 1, 3):
        answers = models.onnx(case).predict(take(models.samples(case), slice(0, rows)))
        assert {len(column) for column in answers.values()} == {rows}


def test_ids_out_of_range_are_told_as_refused(models: Trained) -> None:
    """PyTorch refuses -1 too, which ONNX takes for the last one: the page has to say so."""
    assert models.told["late"]["edges_that_raised"] == [8, 9, 10]


def test_another_process_writes_the_same_bytes(models: Trained, tmp_path: Path) -> None:
    """One tag has one digest, whatever the hash seed; and no line of the team's code is in it."""
    job = json.loads((models.folder / "digits" / "job.json").read_text())
    job |= {"out": str(tmp_path), "result": str(tmp_path / "result.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))

    subprocess.run(
        [models.python, "-P", "-B", "-m", "slipway.converters", "pytorch", tmp_path / "job.json"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": "12", "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )

    raw = (models.folder / "digits" / "model.onnx").read_bytes()
    assert (tmp_path / "model.onnx").read_bytes() == raw
    assert b"module.py" not in raw
    assert b"forward" not in raw


@pytest.mark.parametrize(
    ("case", "refused", "problem", "mend"),
    [
        ("no policy", "ModelRefused", "module.py is code", "`python: true` for this model in policies/sources.yaml"),
        ("no policy", "ModelRefused", "can do anything", "torch.export.save(program, 'model.pt2')"),
        ("an exported program beside", "ModelRefused", "state_dict.pt is pickled", "torch.export.save"),
        ("a weight less", "ConversionFailed", "it lacks line.bias", "from one training"),
        ("a weight more", "ConversionFailed", "the module does not know other.bias", "from one training"),
        ("a weight of another shape", "ConversionFailed", "size mismatch for line.weight", "from one training"),
        ("a checkpoint", "ModelRefused", "other things than plain tensors", "torch.save(module.state_dict()"),
        ("a whole module", "ModelRefused", "holds more than tensors", "torch.save(module.state_dict()"),
        ("no weights", "ConversionFailed", "state_dict.pt is not there", "torch.save(module.state_dict()"),
        ("no examples", "ConversionFailed", "example.npz is not there", "numpy.savez('example.npz'"),
        ("examples of another name", "ConversionFailed", "holds y; declared are x", "numpy.savez"),
        ("examples of another type", "ConversionFailed", "`x` as float64[2, 2]; declared is float32[N, 2]", "dtype"),
        ("examples without a row", "ConversionFailed", "has no row", "numpy.savez"),
        ("packed examples", "ModelRefused", "no plain numbers: it is packed", "numpy.savez('example.npz'"),
        ("other arguments", "ConversionFailed", "has the inputs y, z; declared are x", "by these names"),
        ("refuses its examples", "ConversionFailed", "AssertionError: too small", "rows that it answers"),
        ("chooses by values", "ConversionFailed", "cannot export the module with a free batch", "torch.where"),
        ("batch of two", "ConversionFailed", "cannot export the module with a free batch", "x.shape[0]"),
        ("goes on training", "ConversionFailed", "goes on training after `eval()`: all of it", "self.training = mode"),
        ("drops values when asked", "ModelRefused", "drops values at random", "training=self.training"),
        ("learns when asked", "ConversionFailed", "norm.running_mean", "training=self.training"),
        ("counts questions", "ConversionFailed", "changes when it is asked: asked", "if self.training"),
        ("fails", "ConversionFailed", "ModuleNotFoundError: No module named 'nothing_that_is_there'", "its own folder"),
        ("ends", "ConversionFailed", "module.py failed: SystemExit", "return the module"),
        ("no function", "ConversionFailed", "has no attribute 'module'", "return the module"),
        ("no module", "ConversionFailed", "returned int, which is no torch.nn.Module", "return the module"),
        ("no UTF-8", "ModelRefused", "no Python in UTF-8", "return the module"),
        ("no Python", "ModelRefused", "no Python in UTF-8", "return the module"),
    ],
)
def test_what_cannot_be_converted_truly_is_refused_with_its_mend(
    models: Trained, case: str, refused: str, problem: str, mend: str
) -> None:
    """The team reads which file, which weight, which argument; and how the same model comes in without code."""
    assert models.told[case].get("refused") == refused, models.told[case]
    assert problem in models.told[case]["problem"]
    assert mend in models.told[case]["mend"]
