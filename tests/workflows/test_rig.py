"""What the rig runs in place of a workflow, and what it takes for red."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.workflows.attempts import NotReached, changed
from tests.workflows.breaking import steps_of, turning_red
from tests.workflows.rig import REPLACED, ROOT, WORKFLOWS

(BUILD,) = steps_of("release.yml", only={"publish": {"./actions/build-image"}})
(JUDGE,) = steps_of("release.yml", only={"examine": {"./actions/judge"}})


def test_the_readme_says_which_actions_are_not_run_here() -> None:
    """What a stand-in replaces was never tried; who reads that each workflow is run must know it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"Replaced by stand-ins, and so not run here: (.*?)\.", text)
    assert re.findall(r"`actions/([a-z-]+)`", listed) == [*REPLACED]


def test_exactly_the_one_step_is_replaced() -> None:
    """A copy that was changed elsewhere would be red for another reason."""
    release = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    before, after = yaml.safe_load(release), yaml.safe_load(changed(release, attempt=None, broken=BUILD))

    nothing = after["jobs"]["publish"]["steps"][BUILD.number]
    assert nothing["run"] == "true" and "uses" not in nothing
    assert nothing["if"] == before["jobs"]["publish"]["steps"][BUILD.number]["if"]
    after["jobs"]["publish"]["steps"][BUILD.number] = before["jobs"]["publish"]["steps"][BUILD.number]
    after[True] = after.pop("on")  # YAML 1.1 reads the plain key so
    assert after == before


def test_what_comes_after_a_broken_job_runs_unless_that_job_failed() -> None:
    """A step whose absence its own job does not notice must be noticed by a later one."""
    release = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(changed(release, attempt=None, broken=JUDGE))["jobs"]

    assert jobs["publish"]["if"] == "${{ !failure() && (!cancelled()) }}"


def test_a_test_that_stays_green_without_a_step_is_told() -> None:
    """Else the marks would prove nothing."""
    with pytest.raises(pytest.fail.Exception, match=r"green without release\.yml publish"), turning_red(BUILD):
        pass


def test_a_test_that_turns_red_is_as_it_should_be() -> None:
    """An assertion looked for what the step leaves behind."""
    found: list[str] = []
    with turning_red(BUILD):
        assert found == ["a digest"]


def test_a_run_that_ended_before_the_step_is_no_proof() -> None:
    """It would be red whatever the step does."""
    with pytest.raises(NotReached), turning_red(BUILD):
        BUILD.assert_reached({"publish": {"./actions/setup": "failure"}})
