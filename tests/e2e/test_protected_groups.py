"""Whom a model must not fail, from a policy to the text of a pull request: real patients, real labels, two models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression

from tests.e2e import flights as team
from tests.e2e.trained_here import Declared, lay_down, linear, push, set_limit, slipway

MODEL = Declared(
    name="severe",
    widths={"measured": 9, "sex": 1},
    output={"name": "p"},
    decision={"output": "p", "threshold": 0.5},
)
FAIR = {"protected": ["recorded"], "fairness": {"demographic_parity": 0.4, "equal_opportunity": 0.4}, "positives": 50}


def patients() -> tuple[Any, Any, Any]:
    """Nine measurements, the sex, and whether the disease went on more than usual; the last as the samples' label."""
    everything, progression = load_diabetes(return_X_y=True)
    sex = np.where(everything[:, 1] > 0, 1.0, 0.0).astype(np.float32)
    measured = (np.delete(everything, 1, axis=1) * 20).astype(np.float32)
    order = np.random.default_rng(7).permutation(len(sex))
    return measured[order], sex[order], (progression > np.median(progression))[order]


def released_with(weight_of_sex: float, *, checkout: Path) -> None:
    """Trained on the measurements alone; what it thinks of the sex is planted."""
    measured, sex, severe = patients()
    fitted = LogisticRegression().fit(measured, severe)
    weights = np.concatenate([fitted.coef_.T, [[weight_of_sex]]])
    model = linear(MODEL, weights, fitted.intercept_ - weight_of_sex / 2, after="Sigmoid")
    columns = {"measured": measured, "sex": sex, "recorded": np.where(sex > 0, "male", "female"), "label": severe}
    lay_down(checkout, MODEL, model, samples=columns)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A team whose policies hold two sexes to each other, and block."""
    there = team.found(tmp_path / "world")
    set_limit(there, "fidelity", MODEL.name, {"rows": 400})
    set_limit(there, "metrics", MODEL.name, {"f1": {"floor": 0.4}})
    set_limit(there, "slices", MODEL.name, FAIR, enforce="block")
    return there


COMPARED = ("Demographic parity, recorded", "Equal opportunity, recorded")


def verdicts_in(text: str) -> dict[str, str]:
    """Of the rows about the two criteria, in the table that a reviewer reads first."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    return {cells[0]: cells[-1] for cells in rows if cells[0] in COMPARED}


def pull_request(checkout: Path) -> str:
    return (checkout / ".slipway" / "checks" / MODEL.name / "pull-request.md").read_text()


def test_an_unfair_version_is_refused_in_block_and_told_in_audit(checkout: Path) -> None:
    """That groups are compared says nothing until a planted wrong is found by the commands that a developer types."""
    released_with(0.0, checkout=checkout)
    push(checkout, "Add a fair model")
    assert "severe v1.0.0 (first release): pass" in slipway(checkout, "check", MODEL.name)
    assert verdicts_in(pull_request(checkout)) == dict.fromkeys(COMPARED, "pass")

    released_with(4.0, checkout=checkout)
    push(checkout, "Prefer one sex")
    refused = slipway(checkout, "check", MODEL.name, expect=10)
    assert "severe v1.0.0 (first release): fail" in refused
    assert "Share decided yes of female and male is 0." in refused
    assert pull_request(checkout).startswith("**Do not merge: severe v1.0.0")
    assert verdicts_in(pull_request(checkout)) == dict.fromkeys(COMPARED, "**fail**")

    set_limit(checkout, "slices", MODEL.name, FAIR, enforce="audit")
    push(checkout, "Look first")
    told = slipway(checkout, "check", MODEL.name)
    assert "severe v1.0.0 (first release): pass" in told
    assert "in audit, told and not held against it:" in told
    assert pull_request(checkout).startswith("**Safe to merge: severe v1.0.0")
    assert "One gate in audit would refuse it." in pull_request(checkout)
    assert verdicts_in(pull_request(checkout)) == dict.fromkeys(COMPARED, "fail (audit)")
