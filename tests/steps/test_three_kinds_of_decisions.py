"""Real models that decide one of several classes, a number, or yes or no: measured and judged by the same steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import datasets
from slipway.adapters.records import Record
from slipway.adapters.repository import Repository
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity, Released
from slipway.domain.metric_limits import MetricsLimit
from slipway.domain.model import Model
from slipway.domain.policy import Override, Policies
from slipway.domain.release import Rehearsal, Verdicts
from slipway.domain.tag import Bump
from slipway.domain.verdict import Finding, Verdict
from slipway.reports.pull_request import Opening, pull_request_body
from slipway.steps import judge, measure_consistency

from tests import pages
from tests.team import TODAY
from tests.unit.converters.conftest import (
    Trained,
    shared,  # noqa: F401
    trained,
)
from tests.unit.converters.conftest import flights as flights_of_2013  # noqa: F401  # fixtures, asked for by name

ROOT = Path(__file__).parents[2]
_DAYS = 10
_DECLARED: dict[str, tuple[Any, list[dict[str, Any]], dict[str, Any]]] = {
    "breast cancer": (
        datasets.load_breast_cancer,
        [{"name": "p", "dtype": "float32"}, {"name": "label", "dtype": "int64"}],
        {"output": "p", "threshold": 0.5},
    ),
    "wine": (
        datasets.load_wine,
        [{"name": "probabilities", "dtype": "float32", "shape": [3]}, {"name": "label", "dtype": "string"}],
        {"output": "label", "classes": ["barolo", "grignolino", "barbera"]},
    ),
    "digits": (
        datasets.load_digits,
        [{"name": "probabilities", "dtype": "float32", "shape": [10]}, {"name": "digit", "dtype": "int64"}],
        {"output": "probabilities", "classes": list(range(10))},
    ),
    "diabetes": (
        datasets.load_diabetes,
        [{"name": "target", "dtype": "float32"}],
        {"output": "target", "noticeable": 20},
    ),
}


@pytest.fixture(scope="module")
def models(shared: Path, flights_of_2013: Path) -> Trained:  # noqa: F811
    return trained("scikit_learn_models_for_tests", "scikit-learn", shared=shared, flights=flights_of_2013)


def declared(case: str, models: Trained) -> Model:
    _, outputs, decision = _DECLARED[case]
    told = pages.model().model_dump(mode="json")
    inputs = [
        {"name": name, "dtype": str(column.dtype), "shape": list(column.shape[1:]), "meaning": "As measured"}
        for name, column in models.samples(case).items()
    ]
    samples = {"path": "samples/held-out.parquet", "time": "time", "label": "label"}
    more = {"inputs": inputs, "outputs": [{**one, "meaning": "As answered"} for one in outputs]}
    return Model.model_validate({**told, **more, "name": _name(case), "decision": decision, "samples": samples})


def _name(case: str) -> str:
    return case.replace(" ", "-")


def released(case: str, models: Trained, folder: Path, *, before: str | None = None) -> Record:
    """A record up to the page `conversion`; `before` names the model that v1.0.0 was."""
    record, model, made = Record(folder, f"{_name(case)}@v1.1.0"), declared(case, models), models.folder / case
    asked, labels = models.samples(case), _DECLARED[case][0](return_X_y=True)[1]
    rows = len(next(iter(asked.values())))
    columns = {name: pa.array(column.reshape(rows, -1).tolist()) for name, column in asked.items()}
    flat = {name: pa.array(column.ravel()) if column.size == rows else columns[name] for name, column in asked.items()}
    days = np.datetime64("2026-01-01T12:00:00") + (np.arange(rows) % _DAYS).astype("timedelta64[D]")
    pq.write_table(pa.table({**flat, "time": days, "label": labels[:rows]}), folder / "samples.parquet")
    (folder / "README.md").write_text("# A model\n")
    earlier = before and Released(
        version="v1.0.0",
        digest="sha256:" + "1" * 64,
        declaration=model,
        onnx=record.keep(models.folder / before / "model.onnx", name="model.onnx"),
    )
    identity = pages.identity(
        tag=record.subject,
        model=model.name,
        version="v1.1.0",
        bump=Bump.MINOR if earlier else Bump.FIRST,
        declaration=model,
        samples=record.keep(folder / "samples.parquet", name="samples.parquet"),
        card=record.keep(folder / "README.md", name="README.md"),
        compared=earlier or None,
        deployed={"production": earlier or None},
    )
    record.once(Identity, reads={"tag": record.subject}, make=lambda: identity)
    files = {name: record.keep(made / f"{name}.npz", name=f"{name}.npz") for name in _FILES}
    conversion = pages.conversion(
        onnx=record.keep(made / "model.onnx", name="model.onnx"),
        edges=files["edges"],
        sample_outputs=files["outputs-samples"],
        edge_outputs=files["outputs-edges"],
        edges_that_raised=tuple(models.told[case]["edges_that_raised"]),
        noise_floor={one.name: 0.0 for one in model.outputs},
    )
    record.once(Conversion, reads={"tag": record.subject}, make=lambda: conversion)
    record.once(Rehearsal, reads={}, make=lambda: pages.rehearsal(to=earlier or None))
    return record


_FILES = ("edges", "outputs-samples", "outputs-edges")


def policies(case: str | None = None, **limit: Any) -> Policies:
    """Those of this repository, with an override of what is good enough."""
    whole = Repository(ROOT).policies()
    if case is None:
        return whole
    override = Override[MetricsLimit](reason="what this test asks", limit=MetricsLimit.model_validate(limit))
    return whole.model_copy(update={"metrics": whole.metrics.model_copy(update={"models": {_name(case): override}})})


def measured(record: Record, held_to: Policies) -> tuple[Evidence, Verdicts]:
    evidence = measure_consistency.run(record, policies=held_to).body
    return evidence, judge.run(record, policies=held_to, policies_digest="sha256:" + "0" * 64, today=TODAY).body


def of_gate(verdicts: Verdicts, gate: str) -> list[Finding]:
    return [one for one in verdicts.findings if one.gate == gate]


@pytest.mark.parametrize(
    ("case", "limit", "passing"),
    [
        ("breast cancer", {"f1": {"floor": 0.9}, "auc": {"floor": 0.95}}, {"F1", "AUC"}),
        ("wine", {"f1_macro": {"floor": 0.9}, "balanced_accuracy": {"floor": 0.9}}, {"Macro F1", "Balanced accuracy"}),
        ("digits", {"f1_macro": {"floor": 0.9}, "log_loss": {"ceiling": 0.7}}, {"Macro F1", "Log loss"}),
        ("diabetes", {"mae": {"ceiling": 50}, "r2": {"floor": 0.4}}, {"MAE", "R²"}),
    ],
)
def test_a_model_of_each_kind_is_measured_by_what_its_policy_names(
    case: str, limit: dict[str, Any], passing: set[str], models: Trained, tmp_path: Path
) -> None:
    """From real answers of onnxruntime and real labels, without a line of code of the model."""
    evidence, verdicts = measured(released(case, models, tmp_path), policies(case, **limit))

    found = of_gate(verdicts, "metrics")
    assert {one.title for one in found} == passing
    assert {one.verdict for one in found} == {Verdict.PASS}, [one.problem for one in found]
    assert evidence.fidelity.flips == 0
    assert evidence.metrics.kind == declared(case, models).decision.kind


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("digits", "digits decides one of several classes, and F1 does not apply to it"),
        ("diabetes", "diabetes decides a number, and F1 does not apply to it"),
    ],
)
def test_a_default_that_does_not_apply_asks_for_a_metric_that_does(
    case: str, says: str, models: Trained, tmp_path: Path
) -> None:
    """The template's F1 must neither crash such a release nor let it through unmeasured."""
    _, verdicts = measured(released(case, models, tmp_path), policies())

    [found] = of_gate(verdicts, "metrics")
    assert (found.verdict, found.problem) == (Verdict.NOT_ENOUGH_EVIDENCE, says)
    assert "under `models:` in policies/metrics.yaml" in found.mend


def test_a_number_that_moves_is_told_by_how_much(models: Trained, tmp_path: Path) -> None:
    """Trees in place of a line: the reviewer reads how many answers move noticeably, and how far."""
    record = released("diabetes", models, tmp_path, before="diabetes, linear")

    evidence, verdicts = measured(record, policies("diabetes", mae={"ceiling": 50}))

    comparison = evidence.comparison
    assert comparison is not None
    assert comparison.moves is not None
    assert comparison.flips == comparison.moves.up + comparison.moves.down > 20
    assert comparison.moves.median is not None
    assert comparison.moves.median > 20
    [difference] = [one for one in of_gate(verdicts, "promise") if one.title.startswith("MAE")]
    assert "of it" in difference.allowed
    body = pull_request_body(
        identity=record.page(Identity, written_by="").body,
        conversion=record.page(Conversion, written_by="").body,
        evidence=evidence,
        rehearsal=record.page(Rehearsal, written_by="").body,
        verdicts=verdicts,
        image=None,
        environment="production",
        opening=Opening(),
        cost=None,
    )
    assert "answers move by more than 20 against v1.0.0" in body
    assert "newly" not in body


def test_classes_that_change_are_told_from_which_to_which(models: Trained, tmp_path: Path) -> None:
    """`From 8 to 1, five rows` is what a reviewer who knows the field can judge."""
    record = released("digits", models, tmp_path, before="digits")
    worse = record.page(Identity, written_by="").body
    assert worse.compared is not None
    turned = declared("digits", models).model_dump(mode="json")
    turned["decision"]["classes"] = ["1", "0", *turned["decision"]["classes"][2:]]
    earlier = worse.compared.model_copy(update={"declaration": Model.model_validate(turned)})
    record.once(Identity, reads={"tag": "again"}, make=lambda: worse.model_copy(update={"compared": earlier}))

    evidence, _ = measured(record, policies("digits", accuracy={"floor": 0.9}))

    comparison = evidence.comparison
    assert comparison is not None
    assert {(one.before, one.after) for one in comparison.changes} == {("0", "1"), ("1", "0")}
    assert comparison.flips == sum(one.rows for one in comparison.changes) > 50
