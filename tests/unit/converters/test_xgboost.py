"""XGBoost's own files through a real XGBoost and onnxmltools, trained on real data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from slipway.domain.rows import take

from tests.unit.converters.conftest import OPSETS, ROOT, Trained, trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


@pytest.fixture(scope="session")
def models(shared: Path, flights: Path) -> Trained:
    return trained("xgboost_models_for_tests", "boosters", shared=shared, flights=flights)


_CONVERTED = (
    "flights",
    "breast cancer, ubj",
    "breast cancer, json",
    "stopped early",
    "wine",
    "diabetes",
    "seconds, double",
)


@pytest.mark.parametrize("case", _CONVERTED)
def test_the_onnx_file_answers_as_its_source_also_at_the_edges(models: Trained, case: str) -> None:
    """Binary, several classes and numbers; NaN, 2^24+1, and seconds since 1970 that both cast to float32."""
    assert "refused" not in models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert models.apart(case, "edges") <= _ROUNDING


@pytest.mark.parametrize(
    ("case", "inputs", "outputs"),
    [
        ("flights", ["`dep_delay` (float32)", "`distance` (float32)", "`minute` (float32)", "`hour` (float32)"], ["p"]),
        ("breast cancer, ubj", ["`m` (float32[30])"], ["p", "label"]),
        ("wine", [f"`x{index}` (float32)" for index in range(13)], ["probabilities", "label"]),
        ("seconds, double", ["`time` (float64)", "`gate` (int64)"], ["p"]),
    ],
)
def test_one_matrix_becomes_the_declared_inputs(
    models: Trained, case: str, inputs: list[str], outputs: list[str]
) -> None:
    """A client sends names; a matrix in another order than that of the training would go unnoticed."""
    signature = models.onnx(case).signature

    assert [str(one) for one in signature.inputs] == inputs
    assert [one.name for one in signature.outputs] == outputs


@pytest.mark.parametrize("case", _CONVERTED)
def test_the_batch_is_free_and_named(models: Trained, case: str) -> None:
    """One row, many rows and none are all asked in production."""
    session = onnxruntime.InferenceSession(models.folder / case / "model.onnx")

    assert {tensor.shape[0] for tensor in (*session.get_inputs(), *session.get_outputs())} == {"N"}
    for rows in (0, 1, 3):
        answers = models.onnx(case).predict(take(models.samples(case), slice(0, rows)))
        assert {len(column) for column in answers.values()} == {rows}


def test_infinity_is_told_as_refused_and_nan_is_answered(models: Trained) -> None:
    """XGBoost raises on the one and has a side for the other; the page has to say so."""
    edges = np.load(models.folder / "flights" / "edges.npz")
    infinite = np.flatnonzero(np.any([np.isinf(edges[name][:, 0]) for name in edges.files], axis=0))

    assert models.told["flights"]["edges_that_raised"] == infinite.tolist()


def test_two_swapped_columns_are_visible_in_the_answers(models: Trained) -> None:
    """A comparison that a planted breakage passes would prove nothing."""
    samples = models.samples("flights")
    swapped = {**samples, "hour": samples["dep_delay"], "dep_delay": samples["hour"]}
    onnx = models.onnx("flights")

    assert np.abs(onnx.predict(swapped)["p"] - onnx.predict(samples)["p"]).max() > 1000 * _ROUNDING


@pytest.mark.parametrize("case", ["flights", "wine"])
def test_another_process_writes_the_same_bytes(models: Trained, case: str, tmp_path: Path) -> None:
    """One tag has one digest, whatever the hash seed."""
    job = json.loads((models.folder / case / "job.json").read_text())
    job |= {"out": str(tmp_path), "result": str(tmp_path / "result.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))

    subprocess.run(
        [models.python, "-P", "-m", "slipway.converters", "xgboost", tmp_path / "job.json"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": "12", "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "model.onnx").read_bytes() == (models.folder / case / "model.onnx").read_bytes()


@pytest.mark.parametrize("case", _CONVERTED)
def test_rows_at_its_own_splits_are_answered_as_by_the_source(models: Trained, case: str) -> None:
    """Samples seldom lie on a threshold, where `<` and `<=` part ways."""
    splits = models.told[case]["splits"]

    assert splits["probed"] == splits["splits"] > 0
    assert models.apart(case, "probes") <= _ROUNDING


def test_the_versions_of_the_tools_are_told(models: Trained) -> None:
    """When two conversions differ, the first question is what made them."""
    assert set(models.told["wine"]["tools"]) == {"onnx", "onnxmltools", "xgboost-cpu", *OPSETS}


@pytest.mark.parametrize(
    ("case", "refused", "problem", "mend"),
    [
        ("pickle", "ModelRefused", "none of XGBoost's own files", "booster.save_model"),
        ("broken", "ModelRefused", "model.json is none of XGBoost's own files", "booster.save_model"),
        ("labels only", "ConversionFailed", "objective `multi:softmax` are not converted", "multi:softprob"),
        ("dart", "ConversionFailed", "boosters `dart`", "train a `gbtree`"),
        ("categories", "ConversionFailed", "split by categories", "enable_categorical"),
        ("three values", "ConversionFailed", "knows 2 classes", "shape: [2]"),
        ("word", "ConversionFailed", "takes numbers only; declared as string: gate", "declare the number"),
    ],
)
def test_what_cannot_be_converted_truly_is_refused_with_its_mend(
    models: Trained, case: str, refused: str, problem: str, mend: str
) -> None:
    """An ONNX file that answers a little otherwise is worse than none, and a pickle runs any code."""
    assert models.told[case].get("refused") == refused
    assert problem in models.told[case]["problem"]
    assert mend in models.told[case]["mend"]
