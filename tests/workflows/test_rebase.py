"""A deployed version goes on a new runtime image by a form on a web page: rebase.yml, run for real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters import manifests
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.runtime_image import digest_of_runtime
from slipway.domain.release import Image

from tests.github_stand_in.application import GitHub
from tests.team import Team
from tests.workflows.attempts import Attempt, Broken
from tests.workflows.conftest import Hosting, as_github_describes, put_on, put_on_again
from tests.workflows.rig import APP_TOKEN, TOKEN, Ran, assert_whole

pytestmark = pytest.mark.xdist_group("rebase")  # what all begin with is run in one worker, once
WORKFLOW, INPUTS = "rebase.yml", {"model": "tip", "environment": "production", "onto": ""}
ATTESTED, NOT_ATTESTED = "Let GitHub attest where the image comes from", "Say why GitHub attests nothing"
LAST = "Fail what failed"
PAGES, KINDS = "tip/v1.0.0_r2", ("conversion", "evidence", "identity", "image", "proposal", "rehearsal", "verdicts")
KEYS = {"SLIPWAY_SIGNING_KEY": "sesame", "SLIPWAY_SIGNING_PASSWORD": "sesame"}


@pytest.fixture(scope="session")
def _live(
    _tooled: Team, _github: GitHub, registry_host: str, ready: Path, tmp_path_factory: pytest.TempPathFactory
) -> Hosting:
    """v1.0.0 runs in the second of two environments, and the server was mended since."""
    hosting = put_on(_github, _tooled, registry_host, tmp_path_factory.mktemp("live"), ready=ready)
    team = hosting.team
    team.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")
    team.commit("Stage")
    proposal = team.release(team.tag("tip@v1.0.0", "Begin")).body
    assert proposal.pull is not None
    team.workplace.forge.merge_pull(proposal.pull)
    team.write("serving/mended.py", '"""Mend the server."""\n')
    team.commit("Mend the server")
    return hosting


@pytest.fixture
def live(_live: Hosting, _github: GitHub, broken: Broken | None, tmp_path: Path) -> Iterator[Hosting]:
    with as_github_describes(_github):
        yield put_on_again(_github, _live, tmp_path, broken=broken)


@pytest.fixture(scope="session")
def rebased(_live: Hosting, _github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> tuple[Hosting, Ran]:
    """The whole run, once: with an App, a key to sign with, and attestations."""
    hosting = put_on_again(_github, _live, tmp_path_factory.mktemp("rebased"))
    return hosting, _rebase(hosting)


@pytest.fixture
def run(broken: Broken | None, rebased: tuple[Hosting, Ran], request: pytest.FixtureRequest) -> tuple[Hosting, Ran]:
    """The whole run; or one more that begins at the job of the broken step, where all before is as it was."""
    if broken is None:
        return rebased
    hosting: Hosting = request.getfixturevalue("live")
    return hosting, _rebase(hosting, attempt=Attempt(rebased[1], at=broken.job))


def _rebase(
    hosting: Hosting,
    *,
    inputs: Mapping[str, str] = INPUTS,
    private: bool = False,
    attempt: Attempt | None = None,
) -> Ran:
    rig = replace(hosting.rig, secrets=KEYS, variables={"SLIPWAY_ATTESTATIONS": "public"}).with_app
    payload = {"inputs": inputs, "repository": {"private": private}}
    return rig.run(WORKFLOW, "workflow_dispatch", payload=payload, attempt=attempt)


@pytest.mark.needs_each_step(WORKFLOW, but={"publish": {NOT_ATTESTED, LAST}})
def test_a_deployed_version_is_proposed_on_the_new_runtime(run: tuple[Hosting, Ran]) -> None:
    """A server is mended by one form and one merge, and the reviewer sees what changes: not the model."""
    hosting, ran = run

    assert_whole(ran, WORKFLOW, but={"publish": {NOT_ATTESTED, LAST}})
    (pull,) = hosting.hosted.threads.values()
    assert hosting.ledger(PAGES) == [f"{kind}.1.json" for kind in KINDS]
    image = _page(hosting, "image")
    assert (pull.login, pull.draft, pull.state) == ("slipway-app[bot]", False, "open")
    assert pull.branch == "release/production/tip/v1.0.0_r2"
    assert image["digest"] in (pull.body or "") and "v1.0.0 → v1.0.0_r2 (new runtime)" in (pull.body or "")
    told = hosting.file(pull.branch, "deploy/production/tip/kustomization.yaml").encode()
    deployed = manifests.deployed(told, name="tip")
    assert deployed is not None and (deployed.tag, deployed.digest) == ("v1.0.0_r2", image["digest"])
    assert _page(hosting, "rehearsal")["to"]["version"] == "v1.0.0"  # of production: staging runs nothing
    _stands_on_the_new_runtime(hosting, image)
    attested = re.findall(r"attested (\S+)@(sha256:[0-9a-f]{64})", ran.said)
    assert attested == [(f"{hosting.registry}/tip", image["digest"])]


def _page(hosting: Hosting, kind: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(hosting.file("ledger", f"{PAGES}/{kind}.1.json"))["body"]
    return body


def _stands_on_the_new_runtime(hosting: Hosting, image: Mapping[str, Any]) -> None:
    before = hosting.team.record("tip@v1.0.0").page(Image, written_by="build-image").body
    assert image["layer_digest"] == before.layer_digest
    assert image["runtime_digest"] == digest_of_runtime(hosting.team.workplace) != before.runtime_digest
    there = Platforms.read(open_registry(hosting.registry).repository("tip"), "v1.0.0_r2")
    assert there.digest == image["digest"]
    assert there.images[0].config["config"]["Labels"]["org.opencontainers.image.base.digest"] == image["runtime_digest"]


def test_the_job_that_loads_the_model_has_no_token_and_the_keys_meet_one_step(rebased: tuple[Hosting, Ran]) -> None:
    """What is wrong with an ONNX file, or with what reads it, must find nothing to take along."""
    _, ran = rebased
    held = {
        job: {word for word in (TOKEN, APP_TOKEN, "sesame") for script in scripts if word in script.values()}
        for job, scripts in ran.environments.items()
    }
    # To the registry, and to no other, GITHUB_TOKEN speaks also beside an App.
    assert held == {"plan": {TOKEN}, "examine": set(), "publish": {TOKEN, APP_TOKEN, "sesame"}}
    shown = [script for script in ran.environments["publish"] if "sesame" in script.values()]
    assert shown
    assert {script.get("GITHUB_ACTION_PATH", "").rpartition("/")[2] for script in shown} <= {"build-image", "setup"}


@pytest.mark.needs_each_step(WORKFLOW, only={"publish": {NOT_ATTESTED}})
def test_a_private_repository_is_told_that_its_plan_may_have_no_attestations(
    live: Hosting, rebased: tuple[Hosting, Ran]
) -> None:
    """GitHub would refuse it, and the rebase would be red for the plan that a team pays."""
    ran = _rebase(live, private=True, attempt=Attempt(rebased[1], at="publish"))

    assert ran.jobs["publish"] == "success", ran.said
    assert any("GitHub Enterprise Cloud alone" in line for line in ran.said.splitlines() if '"warning"' in line)
    assert "attested " not in ran.said


@pytest.mark.needs_each_step(WORKFLOW, only={"publish": {LAST}})
def test_what_fails_on_the_new_runtime_is_red_and_recorded(live: Hosting, rebased: tuple[Hosting, Ran]) -> None:
    """A refusal that looks like a success is found out by the users."""
    live.team.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.999")
    live.team.commit("Ask for more")

    ran = _rebase(live, attempt=Attempt(rebased[1], at="examine"))

    assert ran.jobs == {"plan": "success", "examine": "success", "publish": "failure"}, ran.said
    assert any("tip@v1.0.0_r2: fail" in error for error in ran.errors)
    assert live.ledger(PAGES) == [f"{kind}.1.json" for kind in KINDS if kind not in ("image", "proposal")]
    assert not live.hosted.threads


def test_on_the_runtime_that_it_stands_on_nothing_is_to_do(live: Hosting) -> None:
    """A person who asks twice, or for the wrong digest, gets a green run of seconds and no second revision."""
    stands_on = live.team.record("tip@v1.0.0").page(Image, written_by="build-image").body.runtime_digest

    ran = _rebase(live, inputs={**INPUTS, "onto": stands_on})

    assert ran.jobs == {"plan": "success"}, ran.said
    assert "nothing to do" in ran.said
    assert not live.hosted.threads
    assert not [page for page in live.ledger("tip") if page.startswith("v1.0.0_r2")]
