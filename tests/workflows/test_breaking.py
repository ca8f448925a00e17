"""No step of any workflow is left out when each is broken in its turn."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from tests.workflows.breaking import marked_steps, steps_of
from tests.workflows.rig import WORKFLOWS, workflow

NAMES = sorted(path.name for path in WORKFLOWS.glob("*.yml"))


def _marks() -> list[pytest.Mark]:
    files = Path(__file__).parent.glob("test_*.py")
    modules = [importlib.import_module(f"tests.workflows.{path.stem}") for path in files]
    functions = [value for module in modules for name, value in vars(module).items() if name.startswith("test_")]
    return [mark for function in functions for mark in getattr(function, "pytestmark", [])]


@pytest.mark.parametrize("name", NAMES)
def test_each_step_of_each_workflow_has_a_test_that_turns_red_without_it(name: str) -> None:
    """A step whose absence nobody notices does nothing, or does what nobody checked."""
    covered = marked_steps([mark for mark in _marks() if mark.name == "needs_each_step"])
    assert [str(step) for step in steps_of(name) if step not in covered] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_step_that_fails_makes_its_job_red(name: str) -> None:
    """Steps are broken by doing nothing; one that fails stops its job by itself, or a later one asks how it ended."""
    for job in workflow(name)["jobs"].values():
        told = json.dumps(job)
        may_fail = [step for step in job["steps"] if "continue-on-error" in step]
        assert all(f"steps.{step['id']}.outcome ==" in told for step in may_fail)
        assert "continue-on-error" not in job and "|| true" not in told
