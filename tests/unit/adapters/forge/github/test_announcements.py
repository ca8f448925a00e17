"""Deployments and releases as GitHub keeps them."""

from __future__ import annotations

import pytest
from slipway.adapters.forge import Deployment
from slipway.errors import ForgeRefused

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.forge.github.conftest import World


def test_what_runs_is_noted_whatever_the_checks_of_its_commit_say(world: World) -> None:
    """It runs already: a red check of something else makes it no less true."""
    forge, main = world.forge(), str(world.hosted.head("main"))
    forge.set_status(main, context="lint", state="failure", description="red")
    forge.record_deployment(Deployment("production", main, "m@v1.1.0"))
    newest = world.hosted.deployments[-1]
    assert (newest["sha"], newest["description"], [mark["state"] for mark in newest["states"]]) == (
        main,
        "m@v1.1.0",
        ["success"],
    )


def test_a_note_without_its_mark_gets_the_mark_alone(world: World) -> None:
    """A run killed between the two leaves an environment that GitHub shows as pending for ever."""
    forge, running = world.forge(), world.forge().deployment("production")
    assert running is not None
    world.hosted.deployments[-1]["states"].clear()
    forge.record_deployment(running)
    assert [[mark["state"] for mark in each["states"]] for each in world.hosted.deployments] == [["success"]]


def test_deployments_of_others_are_no_notes_of_ours(world: World) -> None:
    """A team's own job with an `environment:` leaves one each time it runs, without a word of a release."""
    running = world.forge().deployment("production")
    theirs = {**world.hosted.deployments[-1], "id": 9, "task": "deploy", "description": None, "states": []}
    world.hosted.deployments.append(theirs)
    assert world.forge().deployment("production") == running


def test_notes_are_changed_and_never_published_twice(world: World) -> None:
    """Two releases of one tag are two answers to one question."""
    forge = world.forge()
    where = forge.publish_release("m@v1.1.0", title="m v1.1.0", body="Safe.")
    assert where == f"https://github.com/{world.hosted.name}/releases/tag/m@v1.1.0"
    assert forge.publish_release("m@v1.1.0", title="m v1.1.0", body="It was not safe.") == where
    assert [(each["tag_name"], each["body"]) for each in world.hosted.releases] == [
        ("m@v1.0.0", "Safe."),
        ("m@v1.1.0", "It was not safe."),
    ]
    asked = len(world.github.faults.asked)
    forge.publish_release("m@v1.1.0", title="m v1.1.0", body="It was not safe.")
    assert all(request.startswith("GET") for request in world.github.faults.asked[asked:])


def test_notes_that_somebody_publishes_at_the_same_moment_are_changed(world: World) -> None:
    """Two rollouts of one version, or a person with the web page open."""

    def be_faster() -> None:
        world.forge().publish_release("m@v1.1.0", title="m v1.1.0", body="Theirs.")

    world.github.faults.waiting[:] = [Fault(verb="POST", path="/releases$", meanwhile=be_faster)]
    world.forge().publish_release("m@v1.1.0", title="m v1.1.0", body="Ours.")
    assert [each["body"] for each in world.hosted.releases if each["tag_name"] == "m@v1.1.0"] == ["Ours."]


def test_a_missing_right_is_told_and_nothing_is_noted(world: World) -> None:
    """`deployments: write` is easily forgotten in a workflow."""
    said = "Resource not accessible by integration"
    world.github.faults.waiting[:] = [Fault(403, verb="POST", message=said, retry_after="")]
    with pytest.raises(ForgeRefused, match="deployments") as caught:
        world.forge().record_deployment(Deployment("staging", str(world.hosted.head("main")), "m@v1.1.0"))
    assert "deployments" in caught.value.mend
    assert world.forge().deployment("staging") is None
