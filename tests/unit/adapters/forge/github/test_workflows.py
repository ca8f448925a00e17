"""Workflows on GitHub: what is queued or at work, and what is started."""

from __future__ import annotations

import pytest
from slipway.adapters.forge import WorkflowRun
from slipway.errors import ForgeRefused

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.forge.github.conftest import World


def test_runs_that_wait_or_work_are_under_way_and_others_are_not(world: World) -> None:
    """A release that waits for its turn must not be started a second time."""
    world.hosted.runs.clear()
    states = ("in_progress", "completed", "queued", "waiting", "pending", "requested")
    for state in states:
        world.hosted.add_run("release.yml", title=f"release {state}", status=state)
    world.hosted.add_run("watch.yml", title="watch")

    found = world.forge().runs_under_way("release.yml")
    assert [run.title for run in found] == [f"release {state}" for state in states if state != "completed"]
    assert found[0] == WorkflowRun(
        "release.yml", "release in_progress", f"https://github.com/{world.hosted.name}/actions/runs/1"
    )


def test_a_long_queue_is_read_to_its_end(world: World) -> None:
    """GitHub gives a hundred at once."""
    world.hosted.runs.clear()
    for number in range(101):
        world.hosted.add_run("release.yml", title=f"{number}")
    assert [run.title for run in world.forge().runs_under_way("release.yml")] == [f"{number}" for number in range(101)]


def test_a_run_that_begins_during_the_look_is_seen_once(world: World) -> None:
    """It was queued at the first question and is at work at the last."""
    (run,) = world.hosted.runs
    world.github.faults.waiting[:] = [
        Fault(path="/runs$", skip=4, meanwhile=lambda: run.update(status="in_progress")),
    ]
    assert [found.title for found in world.forge().runs_under_way("release.yml")] == ["release m@v1.1.0"]


def test_a_workflow_that_is_not_there_has_no_queue_to_read(world: World) -> None:
    """An empty answer would let a release start twice after a workflow was renamed."""
    with pytest.raises(ForgeRefused, match="404"):
        world.forge().runs_under_way("gone.yml")
