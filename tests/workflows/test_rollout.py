"""A merge ends in a version that answers, in what is told of it, and in the proposal for the next environment."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from slipway.adapters.forge.github import GitHubForge
from slipway.adapters.rollout import Live, client
from slipway.domain.release import Image

from tests.steps.conftest import WORSE
from tests.team import Tip, days_from
from tests.tip import guests_of
from tests.workflows.conftest import Hosting, servers
from tests.workflows.rig import APP_TOKEN, TOKEN, Ran, assert_whole, expected_steps, workflow

# Only a version that does not run is told, and MLflow of what came from there: test_tell_mlflow.py.
TELLING, TELLING_MLFLOW = (
    {job: {step.split("@")[0] for step in expected_steps(workflow("rollout.yml")["jobs"][job])}}
    for job in ("tell", "mlflow")
)
_BUT = {**TELLING, **TELLING_MLFLOW}
_PROPOSAL = "release/production/tip/v1.0.0"


@pytest.fixture
def staged(rolling: Hosting) -> Hosting:
    """Its versions pass `staging` before `production`."""
    rolling.team.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")
    rolling.team.commit("Stage")
    return rolling


def _live(hosting: Hosting) -> Live:
    """What serves, as its control socket tells: the file that names it went with the job's folder."""
    (pid,) = servers(hosting)
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(words[words.index("--control-socket") + 1])
        control.sendall(b"status\n")
        status = json.loads(control.makefile("rb").readline())
    return Live(model="tip", environment="production", version="v1.0.0", digest="", url=status["url"], pid=pid)


def _roll_out(hosting: Hosting) -> Ran:
    return hosting.rig.run("rollout.yml", "push")


def _merge(hosting: Hosting, branch: str) -> None:
    """A person presses the button."""
    forge = GitHubForge(hosting.hosted.name, api=hosting.hosted.url, token=TOKEN)
    pull = forge.pull_for(branch)
    assert pull is not None
    forge.merge_pull(pull.number)


def _release(hosting: Hosting, tag: str, *, environment: str = "production") -> None:
    """Released and merged on this machine: releases have tests of their own."""
    proposal = hosting.team.release(tag, environment=environment).body
    assert proposal.pull is not None
    hosting.team.workplace.forge.merge_pull(proposal.pull)


def _deployments(hosting: Hosting) -> list[tuple[str, str, list[str]]]:
    return [
        (each["environment"], each["description"], [state["state"] for state in each["states"]])
        for each in hosting.hosted.deployments
    ]


def _image(hosting: Hosting, tag: str) -> str:
    return hosting.team.record(tag).page(Image, written_by="build-image").body.digest


@pytest.mark.needs_each_step("rollout.yml", but=_BUT)
def test_a_merge_is_rolled_out_told_and_proposed_for_the_next_environment(staged: Hosting) -> None:
    """Two merges by people, and nothing else by hand: this is what a tag leads to."""
    staged = replace(staged, rig=staged.rig.with_app)
    _release(staged, staged.team.tag("tip@v1.0.0", "Begin"), environment="staging")
    image = _image(staged, "tip@v1.0.0")

    ran = _roll_out(staged)

    assert_whole(ran, "rollout.yml", but=_BUT)
    described = f"tip@v1.0.0, image {image.removeprefix('sha256:')[:12]}"
    assert _deployments(staged) == [("staging/tip", described, ["success"])]
    merged = staged.hosted.line("rev-parse", "main^2")
    assert staged.hosted.deployments[0]["sha"] == merged
    assert [(mark["context"], mark["state"]) for mark in staged.hosted.statuses[merged]] == [
        ("slipway/staging/tip", "success")
    ]
    assert staged.hosted.releases == []
    (pull,) = staged.hosted.threads.values()
    assert (pull.branch, pull.draft) == (_PROPOSAL, False)
    assert "Runs in staging since" in (pull.body or "")
    assert image in staged.file(_PROPOSAL, "deploy/production/tip/kustomization.yaml")
    pages = staged.ledger("tip/v1.0.0")
    assert {"rollout.1.json", "announcement.1.json", "rehearsal.2.json", "proposal.2.json"} <= set(pages)

    _merge(staged, _PROPOSAL)
    ran = _roll_out(staged)

    assert ran.jobs == {"rollout": "success"}, ran.said
    assert [environment for environment, _, _ in _deployments(staged)] == ["staging/tip", "production/tip"]
    (release,) = staged.hosted.releases
    assert (release["tag_name"], release["name"]) == ("tip@v1.0.0", "tip v1.0.0")
    assert release["body"].startswith("**Went live in production on ")
    assert f"pull request #{pull.number}" in release["body"] and image in release["body"]
    assert {"rollout.2.json", "announcement.2.json"} <= set(staged.ledger("tip/v1.0.0"))

    ledger = staged.hosted.head("ledger")
    ran = _roll_out(staged)

    assert "nothing is due" in ran.said
    assert staged.hosted.head("ledger") == ledger
    assert (len(staged.hosted.deployments), len(staged.hosted.releases), len(staged.hosted.threads)) == (2, 1, 1)


def test_what_soaks_says_until_when_and_is_started_by_reconcile_when_its_time_has_come(staged: Hosting) -> None:
    """No event arrives on that day; here the team shortens the hours, which comes to the same."""
    staged.team.write("policies/rollout.yaml", _SOAKING)
    staged.team.commit("Let it soak")
    _release(staged, staged.team.tag("tip@v1.0.0", "Begin"), environment="staging")

    ran = _roll_out(staged)

    assert ran.jobs == {"rollout": "success"}, ran.said
    assert "tip@v1.0.0 waits for production until 20" in ran.summary
    assert "it has run in staging for 0 of 24 hours" in ran.summary
    assert not staged.hosted.threads
    staged.rig.run("reconcile.yml", "schedule")
    assert staged.rig.dispatched("rollout.yml") == []

    staged.team.edit("policies/rollout.yaml", "soak_hours: 24", "soak_hours: 0")
    staged.team.commit("Let it go on")
    staged.rig.run("reconcile.yml", "schedule")
    (inputs,) = staged.rig.dispatched("rollout.yml")
    assert inputs == {"model": "tip", "environment": "staging"}
    ran = staged.rig.run("rollout.yml", "workflow_dispatch", payload={"inputs": inputs})

    assert ran.jobs == {"rollout": "success"}, ran.said
    assert [pull.branch for pull in staged.hosted.threads.values()] == [_PROPOSAL]
    assert "waits for" not in ran.summary


def test_a_server_outlives_the_job_that_started_it(rolling: Hosting) -> None:
    """On a runner of a team's own: the folder of its job, and the environment in it, are emptied afterwards."""
    _release(rolling, rolling.team.tag("tip@v1.0.0", "Begin"))

    assert _roll_out(rolling).jobs == {"rollout": "success"}

    asked = guests_of(date(2026, 5, 1), 3)
    batch = {name: np.asarray(asked[name]).reshape(-1, 1) for name in Tip().inputs}
    answers = client.ask(_live(rolling), batch)
    assert answers["score"].shape == (3, 1)


def test_nothing_deployed_is_no_error(hosting: Hosting) -> None:
    """The first push of a new repository holds deploy/."""
    ran = _roll_out(hosting)

    assert ran.jobs == {"rollout": "success"}, ran.said
    assert "nothing is due" in ran.said


def test_one_bad_manifest_stops_no_other_and_is_red(rolling: Hosting) -> None:
    """One team's mistake must neither hold back another's release, nor stay unseen."""
    _release(rolling, rolling.team.tag("tip@v1.0.0", "Begin"))
    image = f"name: broken, newTag: latest, digest: sha256:{'0' * 64}"
    rolling.team.write("deploy/production/broken/kustomization.yaml", f"images: [{{{image}}}]\n")
    rolling.team.commit("Deploy by hand")

    ran = _roll_out(rolling)

    assert ran.jobs == {"rollout": "failure"}
    assert any("deploy/production/broken/kustomization.yaml" in error for error in ran.errors)
    assert [environment for environment, _, _ in _deployments(rolling)] == ["production/tip"]
    assert "announcement.1.json" in rolling.ledger("tip/v1.0.0")


def test_a_version_that_cannot_be_started_is_red_and_marked(rolling: Hosting) -> None:
    """Whoever merged looks at the commit."""
    _release(rolling, rolling.team.tag("tip@v1.0.0", "Begin"))
    merged = rolling.hosted.line("rev-parse", "main^2")
    rolling.team.edit("slipway.yaml", f"image_registry: {rolling.registry}", f"image_registry: {rolling.registry}/gone")
    rolling.team.commit("Name a registry that holds nothing")

    ran = _roll_out(rolling)

    assert ran.jobs == {"rollout": "failure"}
    assert any("mend" in error for error in ran.errors)
    (mark,) = rolling.hosted.statuses[merged]
    assert (mark["context"], mark["state"]) == ("slipway/production/tip", "failure")
    assert _deployments(rolling) == []


def test_a_way_back_by_commit_is_rolled_out_at_once(rolling: Hosting) -> None:
    """A commit by GITHUB_TOKEN starts no workflow: without this, the bad version would serve until somebody wakes."""
    team, march, april = rolling.team, date(2026, 3, 1), days_from(date(2026, 4, 1), 14)
    team.write("policies/previous-version.yaml", _BY_COMMIT)
    team.commit("Go back without asking")
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=march)
    team.release(team.publish("tip@v2.0.0", WORSE, breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=april[0])
    team.serve("v2.0.0", april, tip=WORSE, truth=Tip())
    for until in (april[6], april[13]):
        rolling.rig.run("watch.yml", "workflow_dispatch", payload={"inputs": {"until": until.isoformat()}})

    (inputs,) = rolling.rig.dispatched("rollout.yml")
    assert inputs == {"model": "tip", "environment": "production"}
    assert "newTag: v1.0.0" in rolling.file("main", "deploy/production/tip/kustomization.yaml")
    ran = rolling.rig.run("rollout.yml", "workflow_dispatch", payload={"inputs": inputs})

    assert ran.jobs == {"rollout": "success"}, ran.said
    assert "tip in production: v1.0.0 is live" in ran.said
    assert _deployments(rolling)[-1][1].startswith("tip@v1.0.0, ")


_SOAKING = """\
question: Does it run?
motivation: Things break.
remedy: Mend it.
limit: {soak_hours: 24, settle_seconds: 0}
"""


@pytest.mark.needs_each_step("rollout.yml", only=TELLING)
def test_a_version_that_does_not_run_ends_in_a_way_back_an_issue_and_a_message(rolling: Hosting) -> None:
    """Nobody looks at a run that somebody's push started; who answers for the model is told, with what to merge."""
    rolling = replace(rolling, rig=rolling.rig.with_app)
    team = rolling.team
    _release(rolling, team.tag("tip@v1.0.0", "Begin"))
    team.note_rollout("tip@v1.0.0", on=date(2026, 3, 1))
    team.edit("slipway.yaml", "environments:", "incident_webhook: https://127.0.0.1:9/\nenvironments:")
    team.edit("policies/rollout.yaml", "{", "{ready_seconds: 0.01, ")
    team.commit("Wait for nobody")
    _release(rolling, team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    merged = rolling.hosted.line("rev-parse", "main^2")

    ran = _roll_out(rolling)

    assert ran.jobs == {"rollout": "failure", "tell": "success"}, ran.said
    assert any("was not ready within 0.01 s" in error for error in ran.errors)
    assert [(mark["context"], mark["state"]) for mark in rolling.hosted.statuses[merged]] == [
        ("slipway/production/tip", "failure")
    ]
    assert ran.tokens("tell") == {APP_TOKEN}
    back, issue = rolling.hosted.threads.values()
    assert (back.branch, back.title) == (_WAY_BACK, "tip: back from v1.1.0 to v1.0.0, production")
    assert "v1.1.0 never became ready" in (back.body or "")
    assert "newTag: v1.0.0" in rolling.file(_WAY_BACK, "deploy/production/tip/kustomization.yaml")
    assert issue.title == "tip, production: v1.1.0 never became ready, go back to v1.0.0"
    (incident,) = {path.split("/")[0] for path in rolling.ledger("tip/production/incidents")}
    kept = {path.partition("/")[2] for path in rolling.ledger("tip/production/incidents")}
    pages = {f"{kind}.1.json" for kind in ("rollout-failure", "incident-verdicts", "reversion", "issue", "delivery")}
    assert incident.endswith("-rollout-failed-v1.1.0") and kept == pages


_WAY_BACK = "revert/production/tip/v1.1.0-to-v1.0.0"
_BY_COMMIT = """\
question: Does it hold?
motivation: People believe it.
remedy: Mend it.
limit: {gain: 0.02, windows: 2, revert: commit}
"""
