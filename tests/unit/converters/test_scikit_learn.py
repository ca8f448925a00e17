"""scikit-learn models through a real skops and skl2onnx, trained on real data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from slipway.adapters.onnx_session import open_model
from slipway.converters.canonical import serialise
from slipway.domain.rows import take

from tests.unit.converters.conftest import OPSETS, ROOT, Trained, trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1
_SCRIPT = "scikit_learn_models_for_tests"


@pytest.fixture(scope="session")
def models(shared: Path, flights: Path) -> Trained:
    return trained(_SCRIPT, "scikit-learn", shared=shared, flights=flights)


@pytest.mark.parametrize(
    "case",
    [
        "linear",
        "scaler between casts before trees",
        "scaler before a forest",
        "ordinal forest",
        "breast cancer",
        "wine",
        "diabetes",
        "diabetes, binned",
        "diabetes, linear",
        "digits",
        "seconds, double, forest",
        "seconds, scaled",
        "pickle allowed",
        "joblib allowed",
    ],
)
def test_the_onnx_file_answers_as_its_source_also_at_the_edges(models: Trained, case: str) -> None:
    """Binary, several classes, numbers, images; NaN, infinities, unseen, empty and NUL words, 2^24+1."""
    assert "refused" not in models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert models.apart(case, "edges") <= _ROUNDING


@pytest.mark.parametrize(
    ("case", "inputs", "outputs"),
    [
        ("ordinal forest", ["`hour` (float32)", "`carrier` (string)"], ["`p` (float32)"]),
        ("breast cancer", ["`measured` (float32[30])"], ["`p` (float32)", "`label` (int64)"]),
        ("wine", ["`x0` (float32)", "`x12` (float32)"], ["`probabilities` (float32[3])", "`label` (string)"]),
        ("seconds, scaled", ["`time` (float64)"], ["`p` (float32)"]),
    ],
)
def test_inputs_and_outputs_are_those_that_were_declared(
    models: Trained, case: str, inputs: list[str], outputs: list[str]
) -> None:
    """Clients send what model.yaml says; skl2onnx would name a matrix and a label as it likes."""
    signature = models.onnx(case).signature

    assert set(inputs) <= {str(one) for one in signature.inputs}
    assert [str(one) for one in signature.outputs] == outputs


@pytest.mark.parametrize("case", ["linear", "ordinal forest", "breast cancer", "wine", "digits"])
def test_the_batch_is_free_and_named(models: Trained, case: str) -> None:
    """One row, many rows and none are all asked in production."""
    session = onnxruntime.InferenceSession(models.folder / case / "model.onnx")
    samples = models.samples(case)

    assert {tensor.shape[0] for tensor in (*session.get_inputs(), *session.get_outputs())} == {"N"}
    for rows in (0, 1, 3):
        answers = models.onnx(case).predict(take(samples, slice(0, rows)))
        assert {len(column) for column in answers.values()} == {rows}


def test_nothing_but_plain_and_tree_operators_is_used(models: Trained) -> None:
    """Other domains need libraries that the server does not have; a ZipMap answers with dictionaries."""
    for case, told in models.told.items():
        if "refused" not in told:
            model = onnx.load(models.folder / case / "model.onnx")
            assert {entry.domain for entry in model.opset_import} <= {"", "ai.onnx.ml"}
            assert "ZipMap" not in {node.op_type for node in model.graph.node}


def test_edge_rows_that_the_source_refuses_are_named(models: Trained) -> None:
    """A linear model raises on NaN where its ONNX file answers NaN: the page has to say so."""
    edges = np.load(models.folder / "linear" / "edges.npz")
    numbers = [edges[f"column {name}"][:, 0] for name in ("hour", "minute", "distance", "dep_delay")]
    not_finite = np.flatnonzero(~np.isfinite(numbers).all(axis=0))

    assert models.told["linear"]["edges_that_raised"] == not_finite.tolist()


def test_two_swapped_columns_are_visible_in_the_answers(models: Trained, tmp_path: Path) -> None:
    """A comparison that a planted breakage passes would prove nothing."""
    broken = onnx.load(models.folder / "linear" / "model.onnx")
    swapped = {"hour": "dep_delay", "dep_delay": "hour"}
    for node in broken.graph.node:
        node.input[:] = [swapped.get(name, name) for name in node.input]
    (tmp_path / "broken.onnx").write_bytes(serialise(broken))
    samples = models.samples("linear")

    answers = open_model(tmp_path / "broken.onnx").predict(samples)["p"]

    assert np.abs(answers - models.onnx("linear").predict(samples)["p"]).max() > 1000 * _ROUNDING


@pytest.mark.parametrize("case", ["linear", "ordinal forest", "wine"])
def test_another_process_writes_the_same_bytes(models: Trained, case: str, tmp_path: Path) -> None:
    """One tag has one digest, whatever the hash seed."""
    job = json.loads((models.folder / case / "job.json").read_text())
    job |= {"out": str(tmp_path), "result": str(tmp_path / "result.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))

    subprocess.run(
        [models.python, "-P", "-m", "slipway.converters", "scikit-learn", tmp_path / "job.json"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": "12", "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "model.onnx").read_bytes() == (models.folder / case / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("case", "behind"),
    [
        ("diabetes", ""),
        ("diabetes, binned", ""),
        ("wine", ""),
        ("digits", ""),
        ("seconds, double, forest", ""),
        ("scaler before a forest", "behind OneHotEncoder"),
        ("ordinal forest", "behind LabelEncoder"),
    ],
)
def test_rows_at_its_own_splits_are_answered_as_by_the_source(models: Trained, case: str, behind: str) -> None:
    """Behind scalers in float64 as well; splits by words have no number to set, and say so."""
    splits = models.told[case]["splits"]

    assert splits["probed"] > 100
    assert behind in splits["problem"]
    assert models.apart(case, "probes") <= _ROUNDING


def test_the_versions_of_the_tools_are_told(models: Trained) -> None:
    """When two conversions differ, the first question is what made them."""
    assert set(models.told["linear"]["tools"]) == {"onnx", "scikit-learn", "skl2onnx", "skops", *OPSETS}


@pytest.mark.parametrize(
    ("case", "problem", "mend"),
    [
        ("pickle", "a pickle runs any code", "skops.io.dump"),
        ("harmful pickle", "a pickle runs any code", "skops.io.dump"),
        ("harmful joblib", "a pickle runs any code", "policies/sources.yaml"),
        ("harmful pickle called skops", "no archive of skops", "skops.io.dump"),
        ("harmful skops", "types that nobody trusts: posix.system", "`trusted_types` in policies/sources.yaml"),
        ("untrusted trees", "types that nobody trusts: sklearn.ensemble", "`trusted_types` in policies/sources.yaml"),
        ("bomb", "unpacks to 8,589,934,588 bytes", "less than 4 GiB"),
    ],
)
def test_what_could_run_code_is_refused_before_it_is_loaded(
    models: Trained, case: str, problem: str, mend: str
) -> None:
    """Whoever may push a model could run anything beside the answers that the release is judged by."""
    told = models.told[case]

    assert told["refused"] == "ModelRefused"
    assert problem in told["problem"]
    assert mend in told["mend"]
    assert not list(models.folder.rglob("planted"))


@pytest.mark.parametrize(
    ("case", "problem", "mend"),
    [
        ("scaler before trees", "a scaler hands float64 to trees", "CastTransformer(dtype=numpy.float32)"),
        ("seconds, double", "near a split, `time` would fall on the other side", "subtract an offset"),
        ("no probability", "has no probabilities", "CalibratedClassifierCV"),
        ("unknown part", "skl2onnx cannot convert the model", "replace the part"),
        ("categories of trees", "the trees split by categories", "OrdinalEncoder"),
        ("three values", "knows 2 classes, and the output `p` has 3 values", "shape: [2]"),
        ("other columns", "the source takes 2 columns; declared are 1", "in their order"),
        ("another version", "saved by another version of scikit-learn", "requirements/scikit-learn.txt"),
        ("nothing", "nor a folder with exactly one such file; it holds: none", "save the model there"),
    ],
)
def test_what_cannot_be_converted_truly_is_refused_with_its_mend(
    models: Trained, case: str, problem: str, mend: str
) -> None:
    """An ONNX file that answers a little otherwise is worse than none."""
    assert models.told[case].get("refused") == "ConversionFailed"
    assert problem in models.told[case]["problem"]
    assert mend in models.told[case]["mend"]
