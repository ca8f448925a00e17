"""What every converter must hold, asked of real models of each framework, trained on real data.

A framework joins by an entry in families.py; its own traps stand in the file of its name.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from slipway.converters import CONVERTERS
from slipway.converters.batches import read_batch
from slipway.domain.rows import Batch, take

from tests.unit.converters.conftest import ROOT, Models, Trained
from tests.unit.converters.families import FAMILIES, Family, Refused

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


def each(entries: Callable[[Family], Iterable[Any]]) -> pytest.MarkDecorator:
    """A test for each entry of each family, called by the framework and the case.

    One process asks all of a framework: two would wait for the same training.
    """
    return pytest.mark.parametrize(
        ("framework", "entry"),
        [
            pytest.param(
                framework,
                entry,
                id=f"{framework}: {_case(entry)}",
                marks=pytest.mark.xdist_group(f"models of {framework}"),
            )
            for framework, family in FAMILIES.items()
            for entry in entries(family)
        ],
    )


def _case(entry: Any) -> str:
    """An entry is a case, begins with one, or has one."""
    return entry.case if isinstance(entry, Refused) else entry if isinstance(entry, str) else entry[0]


def _moved(models: Trained, case: str, asked: Batch) -> float:
    """How far the answers to other rows lie from those to the samples, at most."""
    before, after = (models.onnx(case).predict(rows) for rows in (models.samples(case), asked))
    return max(float(np.abs(after[name] - before[name]).max()) for name in before if before[name].dtype.kind == "f")


def test_no_converter_is_left_out() -> None:
    """One that nobody asks may write what nobody checked."""
    assert {family.converter for family in FAMILIES.values()} == set(CONVERTERS)


@each(lambda family: family.converted)
def test_the_onnx_file_answers_as_its_source_also_at_the_edges(models_of: Models, framework: str, entry: str) -> None:
    """Classes, numbers, images, words and ids; NaN, infinities, unseen, empty and NUL words, 2^24+1."""
    models = models_of(framework)

    assert "refused" not in models.told[entry], models.told[entry]
    assert models.apart(entry) <= _ROUNDING
    assert models.apart(entry, "edges") <= _ROUNDING


@each(lambda family: family.declared.items())
def test_inputs_and_outputs_are_those_declared(
    models_of: Models, framework: str, entry: tuple[str, tuple[list[str], list[str]]]
) -> None:
    """Clients send names: those of model.yaml in its order, whatever a framework calls its columns, and no more."""
    case, (inputs, outputs) = entry
    signature = models_of(framework).onnx(case).signature

    assert [str(one) for one in signature.inputs] == inputs
    assert [str(one) for one in signature.outputs] == outputs


@each(lambda family: family.converted)
def test_the_batch_is_free_and_named(models_of: Models, framework: str, entry: str) -> None:
    """One row, many rows and none are all asked in production."""
    models = models_of(framework)
    session = onnxruntime.InferenceSession(models.folder / entry / "model.onnx")

    assert {tensor.shape[0] for tensor in (*session.get_inputs(), *session.get_outputs())} == {"N"}
    for rows in (0, 1, 3):
        answers = models.onnx(entry).predict(take(models.samples(entry), slice(0, rows)))
        assert {len(column) for column in answers.values()} == {rows}


@each(lambda family: family.converted)
def test_nothing_but_plain_and_tree_operators_is_used(models_of: Models, framework: str, entry: str) -> None:
    """Other domains need libraries that the server does not have; a ZipMap answers with dictionaries."""
    model = onnx.load(models_of(framework).folder / entry / "model.onnx")

    assert {used.domain for used in model.opset_import} <= {"", "ai.onnx.ml"}
    assert "ZipMap" not in {node.op_type for node in model.graph.node}


@each(lambda family: family.raises.items())
def test_edge_rows_that_the_source_refuses_are_told_and_no_others(
    models_of: Models, framework: str, entry: tuple[str, Callable[[Batch], Any]]
) -> None:
    """Nobody compared these rows, and some raise in what is served, too: the page says so before a client does."""
    case, refuses = entry
    models = models_of(framework)
    edges = read_batch(models.folder / case / "edges.npz")

    assert models.told[case]["edges_that_raised"] == np.flatnonzero(refuses(edges)).tolist()


@each(lambda family: family.converted)
def test_the_noise_floor_of_each_output_is_measured_and_of_the_size_of_rounding(
    models_of: Models, framework: str, entry: str
) -> None:
    """It sets the tolerance; a floor that is large, or of another output, would let every conversion pass."""
    models = models_of(framework)
    answers = read_batch(models.folder / entry / "outputs-samples.npz")
    numbers = {name: column for name, column in answers.items() if column.dtype.kind in "if"}
    floor = models.told[entry]["noise_floor"]

    assert numbers.keys() <= floor.keys() <= answers.keys()
    for name, column in numbers.items():
        assert 0 <= floor[name] <= _ROUNDING * max(1.0, float(np.nanmax(np.abs(column))))


@each(lambda family: [family.swapped])
def test_two_swapped_columns_are_visible_in_the_answers(
    models_of: Models, framework: str, entry: tuple[str, tuple[str, ...]]
) -> None:
    """A comparison that a planted breakage passes would prove nothing."""
    case, (name, *others) = entry
    models = models_of(framework)
    samples = models.samples(case)
    columns = [1, 0, *range(2, samples[name].shape[1])]
    swapped = {name: samples[others[0]], others[0]: samples[name]} if others else {name: samples[name][:, columns]}

    assert _moved(models, case, {**samples, **swapped}) > 1000 * _ROUNDING


@each(lambda family: [family.doubles] if family.doubles else [])
def test_digits_of_float64_reach_the_model(models_of: Models, framework: str, entry: tuple[str, str]) -> None:
    """A minute near 1e6 is smaller than a step of float32: cast too early, all flights would look alike."""
    case, name = entry
    models = models_of(framework)
    samples = models.samples(case)
    coarse = samples[name].astype(np.float32)

    assert len(np.unique(coarse)) < len(np.unique(samples[name])) / 2
    assert _moved(models, case, {**samples, name: coarse.astype(np.float64)}) > 1000 * _ROUNDING


@each(lambda family: family.splits.items())
def test_rows_at_its_own_splits_are_answered_as_by_the_source(
    models_of: Models, framework: str, entry: tuple[str, str]
) -> None:
    """Samples seldom lie on a threshold, where `<` and `<=` part ways; what cannot be probed is told."""
    case, behind = entry
    models = models_of(framework)
    splits = models.told[case]["splits"]

    assert splits["probed"] > (100 if behind else 0)
    if behind:
        assert f"behind {behind}" in splits["problem"]
    else:
        assert (splits["probed"], splits["problem"]) == (splits["splits"], "")
    assert models.apart(case, "probes") <= _ROUNDING


@each(lambda family: family.again)
def test_another_process_writes_the_same_bytes(models_of: Models, framework: str, entry: str, tmp_path: Path) -> None:
    """One tag has one digest, whatever the hash seed, the kernels, and the names that a converter draws at each run."""
    models = models_of(framework)
    job = json.loads((models.folder / entry / "job.json").read_text())
    job |= {"out": str(tmp_path), "result": str(tmp_path / "result.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))
    variables = {"PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": "12", "TMPDIR": str(tmp_path)}
    kernels = {"OMP_NUM_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "1"}

    subprocess.run(
        [models.python, "-P", "-m", "slipway.converters", FAMILIES[framework].converter, tmp_path / "job.json"],
        env={"PATH": os.defpath, **variables, **kernels},
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "model.onnx").read_bytes() == (models.folder / entry / "model.onnx").read_bytes()


@each(lambda family: [family.tools])
def test_the_versions_of_the_tools_are_told(models_of: Models, framework: str, entry: tuple[str, set[str]]) -> None:
    """When two conversions differ, the first question is what made them."""
    case, tools = entry

    assert models_of(framework).told[case]["tools"].keys() == tools


@each(lambda family: family.refused)
def test_what_cannot_be_converted_truly_is_refused_with_its_mend(
    models_of: Models, framework: str, entry: Refused
) -> None:
    """An ONNX file that answers a little otherwise is worse than none, and a pickle runs any code."""
    models = models_of(framework)
    told = models.told[entry.case]

    assert told.get("refused") == entry.error
    assert entry.problem in told["problem"]
    assert entry.mend in told["mend"]
    assert not list(models.folder.rglob("planted"))
