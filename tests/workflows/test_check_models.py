"""A pull request is told what its models and policies would do, and writes nothing: check-models.yml, run for real."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters import git

from tests.github_stand_in.application import GitHub
from tests.team import Team
from tests.workflows.attempts import Attempt, Broken
from tests.workflows.conftest import Hosting, put_on
from tests.workflows.rig import ROOT, TOKEN, Ran, assert_whole, expected_steps, workflow

FILE = "check-models.yml"
MERGE = "refs/pull/7/merge"
EXPECTED = "tests/models/flight-delay/behaviour.py"
METRICS = "policies/metrics.yaml"
LAST = "Fail what would fail"
# This pull request comes from nowhere that is told, as from a fork; what else becomes of the job is in test_sources.py.
OF_A_FORK = {"source": {title.split("@")[0] for title in expected_steps(workflow(FILE)["jobs"]["source"])}}
BESIDE_FOREIGN_CODE = ("convert", "examine")


def steps_in(*jobs: str) -> dict[str, set[str]]:
    """Their names, without those that run only where something fails."""
    there = workflow(FILE)["jobs"]
    told = {job: {title.split("@")[0] for title in expected_steps(there[job])} - {LAST} for job in jobs}
    if "fetch" in told:
        told["fetch"] -= {"actions/download-artifact"}  # of a source that lies elsewhere: see test_sources.py
    return told


def check(hosting: Hosting, *, attempt: Attempt | None = None) -> Ran:
    """What the working tree of now would be told as a pull request; whatever it is told, nothing is written."""
    team, hosted = hosting.team, hosting.hosted
    team.commit("Propose", push=False)
    git.run("push", "--quiet", "origin", f"HEAD:{MERGE}", cwd=team.root)
    before = hosted.git("for-each-ref"), dict(hosted.threads), dict(hosted.statuses)
    pull = {"number": 7, "base": {"ref": "main"}, "head": {"ref": "mine"}}
    ran = hosting.rig.run(FILE, "pull_request", ref=MERGE, payload={"pull_request": pull}, attempt=attempt)

    assert (hosted.git("for-each-ref"), dict(hosted.threads), dict(hosted.statuses)) == before
    return ran


def holders(ran: Ran) -> set[str]:
    """The jobs of which a script was given the token."""
    return {
        job
        for job, scripts in ran.environments.items()
        if any(TOKEN in value for script in scripts for value in script.values())
    }


def failed_steps(ran: Ran) -> dict[str, list[str]]:
    """By job; act gives all jobs of a matrix one result. A download that was not there is no failure of its job."""
    found = {
        job: [step for step, result in steps.items() if result == "failure" and "download-artifact" not in step]
        for job, steps in ran.steps.items()
    }
    return {job: steps for job, steps in found.items() if steps}


@pytest.fixture
def live(hosting: Hosting) -> Hosting:
    """tip v1.0.0 runs."""
    hosting.team.release(hosting.team.tag("tip@v1.0.0", "Begin"))
    hosting.team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    hosting.team.commit("Go on")
    return hosting


def bring_flights(hosting: Hosting) -> Hosting:
    """The example model and its limits; and what a stranger must not bring: pages, functions that let all pass."""
    hosting.team.write(EXPECTED, "def test_of_the_default_branch():\n    pass\n")
    hosting.team.commit("Expect something")
    shutil.copytree(ROOT / "policies", hosting.team.root / "policies", dirs_exist_ok=True)
    shutil.copytree(ROOT / "models" / "flight-delay", hosting.team.root / "models" / "flight-delay")
    hosting.team.write(".slipway/checks/flight-delay/conversion.1.json", "planted")
    git.run("add", "--force", ".slipway/checks", cwd=hosting.team.root)
    hosting.team.write(EXPECTED, "raise RuntimeError('a stranger was run')\n")
    hosting.team.write(EXPECTED.replace(".py", "_more.py"), "raise RuntimeError('a stranger was run')\n")
    return hosting


@pytest.fixture(scope="session")
def checked(
    _tooled: Team, _github: GitHub, registry_host: str, ready: Path, tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    """The whole run about a new model, made once: what its jobs handed on is where other tests begin."""
    return check(
        bring_flights(put_on(_github, _tooled, registry_host, tmp_path_factory.mktemp("checked"), ready=ready))
    )


@pytest.fixture
def ran(broken: Broken | None, checked: Ran, request: pytest.FixtureRequest) -> Ran:
    """The whole run; or one more that begins at the job of the broken step, where all before is as it was."""
    if broken is None:
        return checked
    hosting: Hosting = request.getfixturevalue("hosting")
    return check(bring_flights(hosting), attempt=Attempt(checked, at=broken.job))


# --- models -------------------------------------------------------------------------------------------------


@pytest.mark.needs_each_step(FILE, only=steps_in("fetch", "convert", "examine"))
def test_a_changed_model_is_shown_as_its_release_would_be(ran: Ran, broken: Broken | None) -> None:
    """Which number would pass and what its reviewer would read, before anybody merges or tags."""
    models = [f"{part} flight-delay" for part in ("fetch", "convert", "examine")]
    assert ran.jobs == dict.fromkeys(["plan", *models, "policies"], "success"), ran.said
    assert "### `flight-delay` v1.0.0 (first release): pass\n" in ran.summary
    assert "git tag -a flight-delay@v1.0.0 -m" in ran.summary
    assert "**Safe to merge: flight-delay v1.0.0 (first release), production.**" in ran.summary
    assert "| The team's own tests | 1 of 1 pass |" in ran.summary
    if broken is None:
        assert_whole(ran, FILE, but={"examine": {LAST}, **OF_A_FORK})
        assert holders(ran) == {"fetch", "policies"}


def test_a_model_that_is_broken_is_told_by_file_and_field_and_stops_no_other(hosting: Hosting) -> None:
    """Each team reads about its own model; one that was never fetched is red once, not three times."""
    team = hosting.team
    shutil.copytree(team.folder, team.root / "models" / "bill")
    team.edit("models/bill/model.yaml", "name: tip", "name: bill")
    team.edit("models/tip/model.yaml", "framework:", "framwork:")

    ran = check(hosting)

    legs = {f"{part} {model}" for part in ("fetch", "convert", "examine") for model in ("bill", "tip")}
    assert set(ran.jobs) == {"plan", *legs}
    assert failed_steps(ran) == {
        "fetch tip": ["Fetch what it is compared with"],
        "convert bill": ["Convert"],  # its source is none that TensorFlow reads
    }
    assert any(re.search(r"models/tip/model\.yaml, line \d+: unknown key `framwork`", error) for error in ran.errors)
    assert "Convert" not in ran.steps["convert tip"] and "Examine" not in ran.steps["examine bill"]


@pytest.mark.needs_each_step(FILE, only={"examine": {LAST}})
def test_a_model_that_would_fail_is_red_and_its_summary_says_why(hosting: Hosting) -> None:
    """The same verdict as its release, by the policies that it would be merged with."""
    shutil.copytree(ROOT / "models" / "flight-delay", hosting.team.root / "models" / "flight-delay")
    hosting.team.commit("Bring flight-delay")
    hosting.team.edit(METRICS, "floor: 0.75", "floor: 0.99")
    card = hosting.team.root / "models" / "flight-delay" / "README.md"
    card.write_text(card.read_text() + "\nIt is late.\n")

    ran = check(hosting)

    assert ran.jobs["examine flight-delay"] == "failure"
    assert ran.steps["examine flight-delay"][LAST] == "failure"
    assert any("flight-delay would fail; the summary of this run says why" in error for error in ran.errors)
    assert "### `flight-delay` v1.0.0 (first release): fail\n" in ran.summary
    assert "below its floor 0.99" in ran.summary


# --- policies -----------------------------------------------------------------------------------------------


@pytest.mark.needs_each_step(FILE, only=steps_in("plan", "policies"))
def test_a_stricter_policy_shows_which_deployed_version_would_fail(live: Hosting) -> None:
    """It hits models that nobody touches in this pull request, and their teams do not see it otherwise."""
    live.team.edit(METRICS, "floor: 0.75", "floor: 0.99")

    ran = check(live)

    assert ran.jobs == {"plan": "success", "policies": "success"}, ran.said
    assert "**Of what is deployed, 1 of 1 would fail.**" in ran.summary
    assert "| production | `tip@v1.0.0` | pass → **fail** | 1 |" in ran.summary
    assert re.search(r"\| `metrics` \| F1 \| 0\.\d+ \[.+\] \| ≥ 0\.75 → ≥ 0\.99 \| pass → fail \|", ran.summary)
    assert holders(ran) == {"policies"}


def test_a_policy_that_cannot_be_read_is_told_by_file_and_field(live: Hosting) -> None:
    """A misspelt limit must never pass as no limit, and is cheapest to mend before the merge."""
    live.team.edit(METRICS, "positives:", "postives:")

    ran = check(live)

    assert ran.jobs == {"plan": "success", "policies": "failure"}
    assert any(re.search(r"policies/metrics\.yaml, line \d+: unknown key `limit\.postives`", e) for e in ran.errors)


def test_what_judges_is_not_what_is_judged(live: Hosting) -> None:
    """A pull request of a stranger's brings code of all kinds; what runs beside a token is the default branch's."""
    team = live.team
    team.edit(METRICS, "floor: 0.75", "floor: 0.99")
    team.write("actions/setup/install.sh", "exit 9\n")
    team.write("scripts/slipway/gates/metrics.py", "def judge(case, limit):\n    return ()\n")
    for name in ("sitecustomize.py", "click.py", "slipway.py"):
        team.write(name, "raise SystemExit(9)\n")

    ran = check(live)

    assert ran.jobs == {"plan": "success", "policies": "success"}, ran.said
    assert "1 of 1 would fail" in ran.summary


# --- nothing to do ------------------------------------------------------------------------------------------


def _a_text(live: Hosting) -> str:
    live.team.write("README.md", "# Waiters")
    return "no model and no policy changes"


def _a_removed_model(live: Hosting) -> str:
    shutil.rmtree(live.team.folder)
    return "removed: tip; what runs of it stays until its manifest goes"


@pytest.mark.parametrize("change", [_a_text, _a_removed_model])
def test_a_pull_request_without_a_model_to_check_is_green(live: Hosting, change: object) -> None:
    """A matrix of nothing is an error of GitHub's; and most pull requests change no model."""
    assert callable(change)
    said = change(live)

    ran = check(live)

    assert ran.jobs == {"plan": "success"}, ran.said
    assert said in ran.summary
    assert holders(ran) == set()


# --- the file itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("job", BESIDE_FOREIGN_CODE)
def test_no_secret_reaches_a_job_that_holds_a_strangers_code(job: str) -> None:
    """Anybody may open a pull request; what a job was never given cannot be taken from it."""
    file = workflow(FILE)
    assert not re.search(r"token|secret|password", json.dumps(file["jobs"][job]), flags=re.IGNORECASE)
    assert "env" not in file


def test_no_job_may_write_anything() -> None:
    """A fork's token could not; a branch of the repository's own could, and has no need to."""
    jobs = workflow(FILE)["jobs"].values()
    assert {right for job in jobs for right in job["permissions"].values()} == {"read"}
    assert not any("environment" in job for job in jobs)


def test_every_matrix_that_may_be_empty_is_guarded() -> None:
    """GitHub fails a run whose matrix is empty, and says so where nobody looks."""
    jobs = [job for job in workflow(FILE)["jobs"].values() if "strategy" in job]
    assert len(jobs) == 4
    assert all("needs.plan.outputs.models != '[]'" in job["if"] for job in jobs)
