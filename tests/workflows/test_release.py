"""A pushed tag ends in one open pull request: on-tag.yml and release.yml, run for real."""

from __future__ import annotations

import json
import shutil

import pytest
from slipway.adapters import manifests
from slipway.adapters.registry import open_registry

from tests.workflows.conftest import Hosting
from tests.workflows.rig import ROOT, TOKEN, Ran, expected_steps, workflow

TAG = "flight-delay@v1.0.0"


@pytest.fixture
def flights(hosting: Hosting) -> Hosting:
    """The example model, committed and tagged, and the limits that it is held to."""
    shutil.copytree(ROOT / "policies", hosting.team.root / "policies", dirs_exist_ok=True)
    shutil.copytree(ROOT / "models" / "flight-delay", hosting.team.root / "models" / "flight-delay")
    hosting.team.commit("Bring flight-delay")
    hosting.team.tag(TAG, "Late or not, from the timetable")
    return hosting


def test_a_tag_is_handed_over_and_ends_in_a_pull_request(flights: Hosting) -> None:
    """It is all that a model developer does: push a tag. The rest must happen, and leave what a reviewer reads."""
    handed_over = flights.rig.run("on-tag.yml", "push", ref=f"refs/tags/{TAG}")
    assert handed_over.jobs == {"hand-over": "success"}, handed_over.said
    (inputs,) = flights.rig.dispatched()
    assert inputs == {"tag": TAG, "model": "flight-delay"}

    ran = flights.rig.run("release.yml", "workflow_dispatch", payload={"inputs": inputs})

    assert ran.jobs == dict.fromkeys(["fetch", "convert", "examine", "publish"], "success"), ran.said
    _ran_each_step_but(ran, {"publish": {"Fail what failed"}})
    _leaves_a_pull_request(flights)
    _gives_the_token_to_whom_it_is_for(ran)


def test_a_release_that_breaks_off_is_red_and_recorded(hosting: Hosting) -> None:
    """What was found before it broke is what somebody needs who looks for the cause a week later."""
    tag = hosting.team.tag("tip@v1.0.0")  # its source is none that TensorFlow reads

    ran = hosting.rig.run("release.yml", "workflow_dispatch", payload={"inputs": {"tag": tag, "model": "tip"}})

    assert ran.jobs == {"fetch": "success", "convert": "failure", "publish": "failure"}
    assert ran.steps["publish"]["Fail what failed"] == "failure"
    assert ran.steps["publish"]["./actions/record-pages"] == "success"
    assert "./actions/bump-manifest" not in ran.steps["publish"]
    assert hosting.ledger("tip/v1.0.0") == ["identity.1.json"]
    assert not hosting.hosted.threads
    assert any(f"{tag}: error" in error for error in ran.errors)


def _ran_each_step_but(ran: Ran, skipped: dict[str, set[str]]) -> None:
    """act skips a runner's label that it does not know, and says nothing."""
    for name, job in workflow("release.yml")["jobs"].items():
        wanted = [step for step in expected_steps(job) if step not in skipped.get(name, set())]
        assert [one for one, result in ran.steps[name].items() if result == "success"] == list(dict.fromkeys(wanted))


def _leaves_a_pull_request(flights: Hosting) -> None:
    (pull,) = flights.hosted.threads.values()
    pages = flights.ledger("flight-delay/v1.0.0")
    kinds = ("conversion", "evidence", "identity", "image", "issue", "proposal", "rehearsal", "verdicts")
    assert pages == [f"{kind}.1.json" for kind in kinds]
    image = json.loads(flights.file("ledger", "flight-delay/v1.0.0/image.1.json"))["body"]

    assert (pull.title, pull.draft, pull.state) == ("flight-delay: v1.0.0 (first release), production", False, "open")
    assert image["digest"] in (pull.body or "")
    assert pull.branch == "release/production/flight-delay/v1.0.0"
    path = "deploy/production/flight-delay/kustomization.yaml"
    deployed = manifests.deployed(flights.file(pull.branch, path).encode(), name="flight-delay")
    assert deployed is not None and (deployed.tag, deployed.digest) == ("v1.0.0", image["digest"])
    assert open_registry(flights.registry).repository("flight-delay").manifest("v1.0.0").digest == image["digest"]
    commit = flights.hosted.line("rev-parse", f"{TAG}^{{commit}}")
    assert [mark["state"] for mark in flights.hosted.statuses[commit]] == ["success"]


def _gives_the_token_to_whom_it_is_for(ran: Ran) -> None:
    """The job that runs the model's code could give it away, and so could the one that reads what that job wrote."""
    held = {
        job: any(TOKEN in value for script in scripts for value in script.values())
        for job, scripts in ran.environments.items()
    }
    assert held == {"fetch": True, "convert": False, "examine": False, "publish": True}
