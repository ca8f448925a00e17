"""A pushed tag ends in one open pull request: on-tag.yml and release.yml, run for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from slipway.adapters import git, manifests
from slipway.adapters.registry import open_registry
from slipway.errors import NoSuchImage

from tests.github_stand_in.application import GitHub
from tests.team import Team, copy_of
from tests.workflows.attempts import Attempt, Broken
from tests.workflows.conftest import Hosting, put_on
from tests.workflows.rig import APP_SECRETS, APP_TOKEN, APP_VARIABLES, ROOT, TOKEN, Ran, assert_whole

pytestmark = pytest.mark.xdist_group("release")  # the whole release that all begin with is run in one worker, once

TAG = "flight-delay@v1.0.0"
INPUTS = {"tag": TAG, "model": "flight-delay"}
PAGES = "flight-delay/v1.0.0"
KINDS = ("conversion", "evidence", "identity", "image", "issue", "proposal", "rehearsal", "verdicts")
APP_STEP, LAST = "actions/create-github-app-token", "Fail what failed"
ATTESTED, NOT_ATTESTED = "Let GitHub attest where the image comes from", "Say why GitHub attests nothing"
SKIPPED = {  # without an App, attestations and a failure; its source lies in the commit: see test_sources.py
    "source": {"actions/upload-artifact"},
    "fetch": {"./actions/setup", "actions/download-artifact", "Receive the source"},
    "publish": {APP_STEP, ATTESTED, NOT_ATTESTED, LAST},
}
OF_ITS_SOURCE = {"source": {"./actions/fetch-source", "actions/upload-artifact"}}
REGISTRYS = "password-of-the-registry"


@pytest.fixture(scope="session")
def _tagged(_tooled: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """The example model, committed and tagged, and the limits that it is held to."""
    team = copy_of(_tooled, tmp_path_factory.mktemp("tagged"))
    shutil.copytree(ROOT / "policies", team.root / "policies", dirs_exist_ok=True)
    shutil.copytree(ROOT / "models" / "flight-delay", team.root / "models" / "flight-delay")
    team.commit("Bring flight-delay")
    team.tag(TAG, "Late or not, from the timetable")
    return team


@pytest.fixture
def flights(host: Callable[[Team], Hosting], _tagged: Team) -> Hosting:
    return host(_tagged)


@pytest.fixture(scope="session")
def released(
    _tagged: Team, _github: GitHub, registry_host: str, ready: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Hosting, Ran]:
    """The whole release, run once: what its jobs handed on is where other tests begin."""
    hosting = put_on(_github, _tagged, registry_host, tmp_path_factory.mktemp("released"), ready=ready)
    return hosting, _release(hosting)


@pytest.fixture
def run(broken: Broken | None, released: tuple[Hosting, Ran], request: pytest.FixtureRequest) -> tuple[Hosting, Ran]:
    """The whole release; or one more that begins at the job of the broken step, where all before is as it was."""
    if broken is None:
        return released
    hosting: Hosting = request.getfixturevalue("flights")
    return hosting, _release(hosting, attempt=Attempt(released[1], at=broken.job))


def _release(hosting: Hosting, *, attempt: Attempt | None = None) -> Ran:
    return hosting.rig.run("release.yml", "workflow_dispatch", payload={"inputs": INPUTS}, attempt=attempt)


@pytest.mark.needs_each_step("on-tag.yml")
def test_a_tag_is_handed_over_to_the_default_branch(flights: Hosting) -> None:
    """GitHub runs a workflow as it was in the tagged commit: only the default branch can be mended for an old tag."""
    ran = flights.rig.run("on-tag.yml", "push", ref=f"refs/tags/{TAG}")

    assert_whole(ran, "on-tag.yml")
    assert flights.rig.dispatched() == [INPUTS]


@pytest.mark.needs_each_step("release.yml", but={**SKIPPED, **OF_ITS_SOURCE})
def test_a_release_ends_in_a_pull_request(run: tuple[Hosting, Ran]) -> None:
    """It is all that a model developer does: push a tag. The rest must happen, and leave what a reviewer reads."""
    hosting, ran = run

    assert_whole(ran, "release.yml", but=SKIPPED)
    _leaves_a_pull_request(hosting)
    _gives_the_token_to_whom_it_is_for(ran)


@pytest.mark.needs_each_step("release.yml", only={"publish": {APP_STEP}})
def test_an_app_opens_the_pull_request_and_no_registry_is_shown_a_token_of_githubs(
    flights: Hosting, registry_host: str, released: tuple[Hosting, Ran]
) -> None:
    """Checks of a pull request by GITHUB_TOKEN wait for a person; and another registry's owner could use the token."""
    variables = {**APP_VARIABLES, "SLIPWAY_REGISTRY_HOST": registry_host, "SLIPWAY_REGISTRY_USER": "grace"}
    secrets = {**APP_SECRETS, "SLIPWAY_REGISTRY_PASSWORD": REGISTRYS}
    rig = replace(flights.rig, variables=variables, secrets=secrets)

    ran = _release(replace(flights, rig=rig), attempt=Attempt(released[1], at="publish"))

    assert ran.jobs["publish"] == "success", ran.said
    (pull,) = flights.hosted.threads.values()
    assert pull.login == "slipway-app[bot]"
    assert "the GitHub App: checks start by themselves" in (pull.body or "")
    assert ran.tokens("publish") == {APP_TOKEN}
    assert {"grace", REGISTRYS} == _shown_to_the_registry(ran, "publish")


@pytest.mark.needs_each_step("release.yml", only={"publish": {ATTESTED}})
def test_github_attests_the_image_that_is_proposed(flights: Hosting, released: tuple[Hosting, Ran]) -> None:
    """A word for another digest would be worth nothing, and none at all is what a team without the variable has."""
    ran = _attesting(flights, released[1], private=False)

    assert ran.jobs["publish"] == "success", ran.said
    attested = re.findall(r"attested (\S+)@(sha256:[0-9a-f]{64})", ran.said)
    image = json.loads(flights.file("ledger", f"{PAGES}/image.1.json"))["body"]
    assert attested == [(f"{flights.registry}/{image['repository']}", image["digest"])]
    assert "attested" not in released[1].said


@pytest.mark.needs_each_step("release.yml", only={"publish": {NOT_ATTESTED}})
def test_a_private_repository_is_told_that_its_plan_may_have_no_attestations(
    flights: Hosting, released: tuple[Hosting, Ran]
) -> None:
    """GitHub would refuse it, and the release of a good model would be red for the plan that a team pays."""
    ran = _attesting(flights, released[1], private=True)

    assert ran.jobs["publish"] == "success", ran.said
    assert any("GitHub Enterprise Cloud alone" in line for line in ran.said.splitlines() if '"warning"' in line)
    assert "attested " not in ran.said


def test_a_release_is_signed_and_its_key_meets_one_step(
    flights: Hosting, released: tuple[Hosting, Ran], tmp_path: Path
) -> None:
    """The key signs for the team: a job that loads a model must not have it, nor any step that needs it not."""
    _cosign(tmp_path, "generate-key-pair")
    private, public = ((tmp_path / name).read_text() for name in ("cosign.key", "cosign.pub"))
    settings = (flights.team.root / "slipway.yaml").read_text()
    flights.team.write("slipway.yaml", f"{settings}signing_keys: [cosign.pub]\n")
    flights.team.write("cosign.pub", public)
    flights.team.commit("Sign what is released")
    keys = {"SLIPWAY_SIGNING_KEY": private, "SLIPWAY_SIGNING_PASSWORD": "sesame"}
    signing = replace(flights, rig=replace(flights.rig, secrets={**flights.rig.secrets, **keys}))

    ran = _release(signing, attempt=Attempt(released[1], at="publish"))

    assert ran.jobs["publish"] == "success", ran.said
    image = json.loads(flights.file("ledger", f"{PAGES}/image.1.json"))["body"]
    name = f"{flights.registry}/{image['repository']}@{image['digest']}"
    flags = ("--key", "cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry")
    _cosign(tmp_path, "verify", *flags, name)
    _cosign(tmp_path, "verify-attestation", *flags, "--type", "slsaprovenance1", name)
    shown = [script for scripts in ran.environments.values() for script in scripts if "sesame" in script.values()]
    assert shown and all(private.strip() in map(str.strip, script.values()) for script in shown)
    assert {script.get("GITHUB_ACTION_PATH", "").rpartition("/")[2] for script in shown} <= {"build-image", "setup"}


def _cosign(folder: Path, *words: str) -> None:
    environment = {**os.environ, "COSIGN_PASSWORD": "sesame"}
    subprocess.run(["cosign", *words], cwd=folder, env=environment, check=True, capture_output=True)


def _attesting(hosting: Hosting, before: Ran, *, private: bool) -> Ran:
    rig = replace(hosting.rig, variables={**hosting.rig.variables, "SLIPWAY_ATTESTATIONS": "public"})
    payload = {"inputs": INPUTS, "repository": {"private": private}}
    return rig.run("release.yml", "workflow_dispatch", payload=payload, attempt=Attempt(before, at="publish"))


def test_without_an_app_the_pull_request_says_that_its_checks_wait(released: tuple[Hosting, Ran]) -> None:
    """Who does not know that waits for checks which nobody starts."""
    hosting, ran = released
    (pull,) = hosting.hosted.threads.values()

    assert pull.login == "slipway[bot]"
    assert "GITHUB_TOKEN: checks wait until somebody approves them" in (pull.body or "")
    assert {"ada", TOKEN} == _shown_to_the_registry(ran, "fetch") == _shown_to_the_registry(ran, "publish")


@pytest.mark.needs_each_step("release.yml", only={"publish": {LAST}})
def test_a_release_that_fails_is_red_recorded_and_told_to_its_tagger(
    flights: Hosting, released: tuple[Hosting, Ran]
) -> None:
    """A refusal that looks like a success is found out by the users; one without a word, by nobody."""
    limit = (flights.team.root / "policies" / "metrics.yaml").read_text()
    flights.team.write("policies/metrics.yaml", re.sub(r"floor: [0-9.]+", "floor: 0.999", limit))
    flights.team.commit("Ask for more")

    ran = _release(flights, attempt=Attempt(released[1], at="examine"))

    passed = dict.fromkeys(("source", "fetch", "convert", "examine"), "success")
    assert ran.jobs == {**passed, "publish": "failure"}, ran.said
    assert any(f"{TAG}: fail" in error for error in ran.errors)
    (issue,) = flights.hosted.threads.values()
    assert issue.branch == "" and TAG in issue.title
    assert flights.ledger(PAGES) == [f"{kind}.1.json" for kind in KINDS if kind not in ("image", "proposal")]
    with pytest.raises(NoSuchImage):
        open_registry(flights.registry).repository("flight-delay").manifest("v1.0.0")
    assert _marks(flights) == ["failure"]


def test_a_release_that_breaks_off_is_red_and_recorded(hosting: Hosting) -> None:
    """What was found before it broke is what somebody needs who looks for the cause a week later."""
    tag = hosting.team.tag("tip@v1.0.0")  # its source is none that TensorFlow reads
    rig = replace(hosting.rig, ready=None)  # each job makes the environment for itself, as on GitHub

    ran = rig.run("release.yml", "workflow_dispatch", payload={"inputs": {"tag": tag, "model": "tip"}})

    assert ran.jobs == {"source": "success", "fetch": "success", "convert": "failure", "publish": "failure"}
    assert ran.steps["publish"][LAST] == "failure"
    assert ran.steps["publish"]["./actions/record-pages"] == "success"
    assert "./actions/bump-manifest" not in ran.steps["publish"]
    assert hosting.ledger("tip/v1.0.0") == ["attempt.1.json", "identity.1.json"]
    assert not hosting.hosted.threads
    assert any(f"{tag}: error" in error for error in ran.errors)


def test_a_tag_that_is_refused_at_once_is_red_and_comes_to_its_end(hosting: Hosting) -> None:
    """Nothing was fetched, so there is nothing to receive: the end of the run must be told all the same."""
    git.run("tag", "tip@v1.0.0", cwd=hosting.team.root)  # not annotated
    git.run("push", "--quiet", "origin", "tip@v1.0.0", cwd=hosting.team.root)

    ran = hosting.rig.run("release.yml", "workflow_dispatch", payload={"inputs": {"tag": "tip@v1.0.0", "model": "tip"}})

    assert ran.jobs == {"source": "failure", "publish": "failure"}
    assert "lightweight" in ran.errors[0]
    assert ran.steps["publish"][LAST] == "failure"
    attempt = json.loads(hosting.file("ledger", "tip/v1.0.0/attempt.1.json"))["body"]
    skipped = dict.fromkeys(("fetch", "convert", "examine"), "skipped")
    assert attempt["jobs"] == {"source": "failure", **skipped}


@pytest.mark.parametrize(
    ("artifact", "consumer", "recorded"),
    [
        ("fetched", "convert", {"attempt"}),
        ("converted", "examine", {"attempt", "identity"}),
        ("examined", "publish", {"attempt", "identity", "conversion"}),
    ],
)
def test_a_job_without_its_artifact_fails_and_what_was_handed_on_is_recorded(
    flights: Hosting, released: tuple[Hosting, Ran], artifact: str, consumer: str, recorded: set[str]
) -> None:
    """Artifacts expire and uploads break: a job that went on without one would release something else."""
    attempt = Attempt(released[1], at=consumer, withheld=frozenset({artifact}))

    ran = _release(flights, attempt=attempt)

    jobs = ["fetch", "convert", "examine", "publish"]
    after = jobs[jobs.index(consumer) + 1 : -1]
    assert ran.jobs[consumer] == ran.jobs["publish"] == "failure", ran.said
    assert not {*after} & {*ran.jobs}
    assert f"not found: {artifact}" in ran.said
    assert ran.steps["publish"]["./actions/record-pages"] == "success"
    assert {name.split(".")[0] for name in flights.ledger(PAGES)} == recorded
    assert not flights.hosted.threads


@pytest.mark.parametrize("cut", ["./actions/bump-manifest", "./actions/file-issue", LAST])
def test_a_second_attempt_ends_where_an_undisturbed_one_does(
    flights: Hosting, released: tuple[Hosting, Ran], cut: str
) -> None:
    """A runner dies after it pushed, opened or recorded; "re-run failed jobs" begins at publish and doubles nothing."""
    _release(flights, attempt=Attempt(released[1], at="publish", cut_before=cut))

    ran = _release(flights, attempt=Attempt(released[1], at="publish"))

    assert ran.jobs["publish"] == "success", ran.said
    _leaves_a_pull_request(flights)


def _leaves_a_pull_request(hosting: Hosting) -> None:
    (pull,) = hosting.hosted.threads.values()
    assert hosting.ledger(PAGES) == [f"{kind}.1.json" for kind in KINDS]
    image = json.loads(hosting.file("ledger", f"{PAGES}/image.1.json"))["body"]

    assert (pull.title, pull.draft, pull.state) == ("flight-delay: v1.0.0 (first release), production", False, "open")
    assert image["digest"] in (pull.body or "")
    assert pull.branch == "release/production/flight-delay/v1.0.0"
    path = "deploy/production/flight-delay/kustomization.yaml"
    deployed = manifests.deployed(hosting.file(pull.branch, path).encode(), name="flight-delay")
    assert deployed is not None and (deployed.tag, deployed.digest) == ("v1.0.0", image["digest"])
    assert hosting.hosted.line("rev-list", "--count", f"main..{pull.branch}") == "1"
    assert open_registry(hosting.registry).repository("flight-delay").manifest("v1.0.0").digest == image["digest"]
    assert _marks(hosting) == ["success"]


def _marks(hosting: Hosting) -> list[str]:
    commit = hosting.hosted.line("rev-parse", f"{TAG}^{{commit}}")
    return [mark["state"] for mark in hosting.hosted.statuses[commit]]


def _gives_the_token_to_whom_it_is_for(ran: Ran) -> None:
    """The job that runs the model's code could give it away, and so could the one that reads what that job wrote."""
    held = {
        job: any(TOKEN in value for script in scripts for value in script.values())
        for job, scripts in ran.environments.items()
    }
    assert held == {"source": True, "fetch": True, "convert": False, "examine": False, "publish": True}


def _shown_to_the_registry(ran: Ran, job: str) -> set[str]:
    names = ("SLIPWAY_REGISTRY_USER", "SLIPWAY_REGISTRY_PASSWORD")
    return {script[name] for script in ran.environments[job] for name in names if name in script}
