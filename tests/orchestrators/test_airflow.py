"""The DAG that `slipway flow airflow` lays down, run by Airflow itself, and what starts it."""

from __future__ import annotations

import json
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.orchestrators import processes, told
from tests.orchestrators import world as team
from tests.orchestrators.airflow_for_tests import PASSWORD, USER, Airflow
from tests.orchestrators.world import MODEL

pytestmark = pytest.mark.xdist_group("orchestrators")
_DAG, _RECEIVER = "flows/airflow/flight_late.py", "airflow_flight_late"


def lay_down(checkout: Path, *, data: str) -> None:
    team.slipway(checkout, "flow", "airflow", MODEL, "--receiver")
    team.learn_from(checkout, _DAG, data)


def test_a_model_that_is_trained_again_and_passes_is_tagged_and_released(airflow: Airflow, checkout: Path) -> None:
    """From the first task to the pull request that a person merges, without a hand in between."""
    lay_down(checkout, data="april.npz")

    ended = airflow.run_dag(checkout)

    assert ended["tasks"] == dict.fromkeys(("train", "evaluate", "check", "tag", "push"), "success"), ended["said"]
    assert ended["state"] == "success"
    team.git(checkout, "fetch", "--quiet", "--tags")
    form = "--format=%(objecttype) %(taggername) %(subject)"
    about = team.git(checkout, "for-each-ref", form, f"refs/tags/{MODEL}@v1.1.0")
    assert about == f"tag Release robot of the team Train {MODEL} again"
    assert team.tags(checkout) == {f"{MODEL}@v1.0.0", f"{MODEL}@v1.1.0"}
    assert team.git(checkout, "rev-parse", f"{MODEL}@v1.1.0^{{}}") == team.git(checkout, "rev-parse", "origin/main")
    released = team.slipway(checkout, "release", f"{MODEL}@v1.1.0")
    assert f"pull request #2: {MODEL}: v1.0.0 → v1.1.0 (minor), production" in released


def test_a_gate_that_fails_fails_the_run_and_leaves_no_tag_and_no_commit(airflow: Airflow, checkout: Path) -> None:
    """A short-circuit would leave a run that looks well; nobody would learn that the new data were bad."""
    lay_down(checkout, data="mislabelled.npz")
    before = team.git(checkout, "ls-remote", "origin")

    ended = airflow.run_dag(checkout)

    assert ended["state"] == "failed"
    assert ended["tasks"] == {
        "train": "success",
        "evaluate": "success",
        "check": "failed",
        "tag": "upstream_failed",
        "push": "upstream_failed",
    }
    assert "AirflowFailException" in ended["said"]
    assert f"slipway check {MODEL}: exit code 10" in ended["said"]
    assert team.git(checkout, "ls-remote", "origin") == before


def test_a_default_branch_that_takes_no_push_is_told_with_what_to_do(airflow: Airflow, checkout: Path) -> None:
    """Where it is protected, a person opens a pull request of the commit, which must not be lost."""
    lay_down(checkout, data="april.npz")
    clone = checkout.parent / "clone"
    team.git(checkout.parent, "clone", "--quiet", "flights.git", str(clone))
    team.git(clone, "commit", "--quiet", "--allow-empty", "--message", "Train again")
    hook = checkout.parent / "flights.git" / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)

    said = _said(f"flow['tag_in']({str(clone)!r})", airflow, checkout)

    assert "main is protected" in said
    assert "the branch main does not take the commit, and nothing is tagged" in said
    assert f"git -C {clone} push origin HEAD:refs/heads/retrain-{MODEL}" in said
    assert team.tags(checkout) == {f"{MODEL}@v1.0.0"}


def test_where_nobody_answers_airflow_is_told_to_try_again(airflow: Airflow, checkout: Path) -> None:
    """A server that restarts at night must not cost a run, nor wake a person."""
    lay_down(checkout, data="april.npz")
    (checkout.parent / "flights.git").rename(checkout.parent / "away.git")

    said = _said("flow['_as_airflow_says_it'](flow['train_in_a_clone'], 'of this test')", airflow, checkout)

    assert "airflow.sdk.exceptions.AirflowException: git clone" in said


def _said(deed: str, airflow: Airflow, checkout: Path) -> str:
    """The traceback of what a part of the DAG's file raises."""
    code = f"import runpy; flow = runpy.run_path({_DAG!r}); {deed}"
    done = subprocess.run(
        [str(airflow.python), "-c", code],
        cwd=checkout,
        env=airflow.variables(checkout),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_an_incident_that_says_retrain_starts_one_run_however_often_it_is_told(
    airflow: Airflow, checkout: Path
) -> None:
    """The watch tells of it each day until it is over, and posts again what it cannot know to have arrived."""
    lay_down(checkout, data="april.npz")
    with airflow.server(checkout) as url, _receiver(airflow, checkout, url) as address:
        first = told.post(address, told.message(), event="msg_1")
        again = told.post(address, told.message(), event="msg_1")
        next_day = told.post(address, told.message(action="updated"), event="msg_2")
        other = told.post(address, told.message(incident="2026-05-20-drift"), event="msg_3")
        runs = airflow.runs(url, f"release-{MODEL}")

    assert (first, again, next_day, other) == (202, 200, 200, 202)
    started = {run["dag_run_id"]: run for run in runs if run["triggered_by"] == "rest_api"}
    assert set(started) == {"retrain-production-2026-04-14-metric", "retrain-production-2026-05-20-drift"}
    assert started["retrain-production-2026-04-14-metric"]["state"] == "queued"
    assert started["retrain-production-2026-04-14-metric"]["conf"] == json.loads(told.message())["data"]


def _receiver(airflow: Airflow, checkout: Path, url: str) -> AbstractContextManager[str]:
    given = {"AIRFLOW_URL": url, "AIRFLOW_USERNAME": USER, "AIRFLOW_PASSWORD": PASSWORD}
    variables = {**airflow.variables(checkout), **given, "SLIPWAY_WEBHOOK_SECRET": told.SECRET}
    log = checkout.parent / "receiver.log"
    return processes.receiver(airflow.python, _RECEIVER, checkout=checkout, variables=variables, log=log)
