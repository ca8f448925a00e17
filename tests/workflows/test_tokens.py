"""Who is shown which secret, by the text of each workflow."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.workflows.rig import WORKFLOWS, workflow

NAMES = sorted(path.name for path in WORKFLOWS.glob("*.yml"))
REGISTRY = {
    "SLIPWAY_REGISTRY_HOST": "${{ vars.SLIPWAY_REGISTRY_HOST || 'ghcr.io' }}",
    "SLIPWAY_REGISTRY_USER": "${{ vars.SLIPWAY_REGISTRY_USER || github.actor }}",
    "SLIPWAY_REGISTRY_PASSWORD": "${{ vars.SLIPWAY_REGISTRY_HOST == '' && github.token "
    "|| secrets.SLIPWAY_REGISTRY_PASSWORD }}",
}


@pytest.mark.parametrize("name", NAMES)
def test_another_registry_is_never_shown_githubs_token(name: str) -> None:
    """Whoever runs that registry could push to the repository with it."""
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    shown = dict(re.findall(r"^ +(SLIPWAY_REGISTRY_[A-Z]+): (.+)$", text, flags=re.MULTILINE))
    assert shown in ({}, REGISTRY)


@pytest.mark.parametrize("name", NAMES)
def test_an_apps_key_is_given_to_its_own_action_alone_and_where_the_default_branch_runs(name: str) -> None:
    """The key makes tokens for all that the App may do; an environment keeps it from what nobody reviewed."""
    for job in workflow(name)["jobs"].values():
        told = [step for step in job["steps"] if "SLIPWAY_APP_KEY" in json.dumps(step)]
        assert all(step["uses"].startswith("actions/create-github-app-token@") for step in told)
        assert job.get("environment") == ({"name": "slipway", "deployment": False} if told else _of_pages(job))
        for step in told:
            assert any(name.startswith("permission-") for name in step["with"])


def _of_pages(job: dict[str, Any]) -> dict[str, str] | None:
    """GitHub Pages takes a site from this environment alone; it holds no secret of ours."""
    deploys = any(step.get("uses", "").startswith("actions/deploy-pages@") for step in job["steps"])
    return {"name": "github-pages", "url": "${{ steps.pages.outputs.page_url }}"} if deploys else None


@pytest.mark.parametrize("name", NAMES)
def test_keys_that_sign_are_given_to_the_step_that_pushes_alone(name: str) -> None:
    """Who holds one signs for the team: no step that loads a model, nor one that needs it not, may be shown it."""
    steps = [step for job in workflow(name)["jobs"].values() for step in job["steps"]]
    shown = [step for step in steps if "SLIPWAY_SIGNING" in json.dumps(step)]
    assert all(step["uses"] == "./actions/build-image" for step in shown)
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    assert text.count("secrets.SLIPWAY_SIGNING") == 2 * len(shown)  # and no job nor the whole file is
    builds = [step for step in steps if step.get("uses") == "./actions/build-image"]
    assert shown == builds


@pytest.mark.parametrize("name", NAMES)
def test_a_kubeconfig_is_given_to_the_steps_that_ask_a_cluster_alone(name: str) -> None:
    """Who holds it runs what he likes where users are; of an environment, only the default branch's jobs see it."""
    jobs = workflow(name)["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    shown = [step for step in steps if "SLIPWAY_KUBECONFIG" in json.dumps(step)]
    assert shown == [step for step in steps if re.search(r"slipway (rollout|status --live)\b", step.get("run", ""))]
    assert all(step["env"]["SLIPWAY_KUBECONFIG"] == "${{ secrets.SLIPWAY_KUBECONFIG }}" for step in shown)
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    assert text.count("secrets.SLIPWAY_KUBECONFIG") == len(shown)
    assert all("environment" in job for job in jobs if any(step in shown for step in job["steps"]))


@pytest.mark.parametrize("name", NAMES)
def test_what_reads_settings_of_a_pull_request_asks_no_database(name: str) -> None:
    """They may name one of its author's, and this step has a token; nor is it shown the secret of the team's."""
    steps = [step for job in workflow(name)["jobs"].values() for step in job["steps"]]
    read = [one for one in steps if one.get("working-directory") == "proposed" and "GITHUB_TOKEN" in one.get("env", {})]

    assert bool(read) == (name == "check-models.yml")
    assert all(step["env"]["SLIPWAY_DATABASES"] == "no" for step in read)
    assert not any("LOG_SECRET" in json.dumps(step) for step in read)


@pytest.mark.parametrize("name", NAMES)
def test_what_may_write_to_mlflow_is_given_to_the_step_that_tells_it_alone(name: str) -> None:
    """Who holds it could move the alias that a team serves from, and that step loads no model."""
    shown = [
        (job, step["run"])
        for job, told in workflow(name)["jobs"].items()
        for step in told["steps"]
        if "secrets.MLFLOW_" in json.dumps(step)
    ]
    assert shown == ([("mlflow", "slipway tell-mlflow --all")] if name == "rollout.yml" else [])
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    assert text.count("secrets.MLFLOW_") == 3 * len(shown)  # and no job nor the whole file is


def test_credentials_of_sources_are_given_to_the_step_that_fetches_them_alone() -> None:
    """They read what a team trained on; the jobs that run a model, and all others, never see them."""
    shown = [
        (name, job, step.get("uses", step.get("run")))
        for name in NAMES
        for job, told in workflow(name)["jobs"].items()
        for step in told["steps"]
        if "SLIPWAY_SOURCE_ENVIRONMENT" in json.dumps(step)
    ]
    assert shown == [
        ("check-models.yml", "source", 'slipway check --only source -- "$MODEL"'),
        ("release.yml", "source", "./actions/fetch-source"),
    ]
    said = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS.glob("*.yml"))
    assert said.count("secrets.SLIPWAY_SOURCE_ENVIRONMENT") == 2


def test_a_fork_brings_nothing_to_where_credentials_of_sources_are() -> None:
    """GitHub gives a fork no secrets; and a branch's own tooling and requirements must not run beside them either."""
    job = workflow("check-models.yml")["jobs"]["source"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    fetches = next(step for step in job["steps"] if "SLIPWAY_SOURCE_ENVIRONMENT" in json.dumps(step))
    assert "working-directory" not in fetches  # the root of the workspace is the default branch's
