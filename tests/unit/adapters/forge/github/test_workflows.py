"""Workflows on GitHub: what is queued or at work, and what is started."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from slipway.adapters.forge import EndedRun, WorkflowRun
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


def ended(world: World, conclusion: str, *, commit: str = "c" * 40, event: str = "pull_request") -> int:
    more = {"head_sha": commit, "event": event, "conclusion": conclusion, "run_started_at": "2026-12-18T14:59:00Z"}
    return world.hosted.add_run("release.yml", title="x", status="completed", **more)


def test_the_last_run_of_a_pull_request_is_told_with_its_end(world: World) -> None:
    """Not that of another commit, not one by hand, and not one that is still at work."""
    assert world.forge().last_run("release.yml", commit="c" * 40) is None
    ended(world, "failure")
    newest = ended(world, "success")
    ended(world, "failure", commit="d" * 40)
    ended(world, "failure", event="workflow_dispatch")

    found = world.forge().last_run("release.yml", commit="c" * 40)

    assert found == EndedRun(newest, datetime(2026, 12, 18, 14, 59, tzinfo=UTC), succeeded=True)


def test_a_run_that_waits_for_an_approval_says_nothing(world: World) -> None:
    """It checked nothing yet, though GitHub counts it as ended."""
    ended(world, "action_required")
    assert world.forge().last_run("release.yml", commit="c" * 40) is None


def test_a_run_is_done_anew_and_one_at_work_is_refused(world: World) -> None:
    """Its check waits again meanwhile, so that nobody merges on what it said before."""
    run = ended(world, "success")
    world.forge().run_again(run)

    assert world.hosted.runs[run - 1]["status"] == "queued"
    with pytest.raises(ForgeRefused, match="already running"):
        world.forge().run_again(run)
