"""What can be told from the workflows' files alone: privileges, pins, and that the rig runs the very same text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workflows.rig import REPLACED, WORKFLOWS, as_act_takes_it, workflow

NAMES = sorted(path.name for path in WORKFLOWS.glob("*.yml"))
WRITES_A_RELEASE = dict.fromkeys(("contents", "issues", "packages", "pull-requests", "statuses"), "write")
PERMISSIONS = {
    "on-tag.yml": {"hand-over": {"actions": "write"}},
    "release.yml": {
        "source": {"contents": "read"},
        "fetch": {"contents": "read", "packages": "read"},
        "convert": {"contents": "read"},
        "examine": {"contents": "read"},
        "publish": {**WRITES_A_RELEASE, "attestations": "write", "id-token": "write"},
    },
    "check-models.yml": {
        "plan": {"contents": "read"},
        "source": {"contents": "read"},
        "fetch": {"contents": "read", "packages": "read"},
        "convert": {"contents": "read"},
        "examine": {"contents": "read"},
        "policies": {"contents": "read"},
    },
    "check-manifests.yml": {"manifests": {"contents": "read"}, "pass": {}},
    "pages.yml": {
        "build": {"contents": "read", "pull-requests": "read"},
        "deploy": {"id-token": "write", "pages": "write"},
    },
    "rebase.yml": {
        "plan": {"contents": "read", "packages": "read"},
        "examine": {"contents": "read"},
        "publish": dict.fromkeys(("attestations", "contents", "id-token", "packages", "pull-requests"), "write"),
    },
    "reconcile.yml": {
        "reconcile": {
            "actions": "write",
            "contents": "write",
            "issues": "write",
            **dict.fromkeys(("pull-requests", "statuses"), "read"),
        },
    },
    "rollback.yml": {"rollback": {"contents": "write", "packages": "read", "pull-requests": "write"}},
    "rollout.yml": {
        "rollout": {
            **dict.fromkeys(("actions", "contents", "deployments", "issues", "pull-requests", "statuses"), "write"),
            "packages": "read",
        },
        "tell": {"contents": "write"},
        "mlflow": {"contents": "write"},
    },
    "runtime-image.yml": {
        "build": {"contents": "read", "packages": "write"},
        "propose": {"contents": "write", "packages": "read", "pull-requests": "write"},
    },
    "watch.yml": {
        "plan": {"contents": "read"},
        "watch": {
            **dict.fromkeys(("actions", "contents", "issues", "pull-requests"), "write"),
            "packages": "read",
        },
        "live": {"contents": "read", "issues": "write"},
        "record": {"contents": "write", "issues": "write"},
    },
}
RUNS_THE_MODEL = (("release.yml", "convert"), ("release.yml", "examine"), ("rebase.yml", "examine"))
PRODUCTION = {("rollout.yml", "rollout"), ("rollout.yml", "mlflow"), ("watch.yml", "watch"), ("watch.yml", "live")}


def test_no_step_that_can_sign_a_webhook_loads_a_model() -> None:
    """They stand in jobs of their own: who has the secret can tell a team's pager anything."""
    seen = [
        (name, job, step.get("name"))
        for name in NAMES
        for job, told in workflow(name)["jobs"].items()
        for step in told["steps"]
        if "SLIPWAY_WEBHOOK_SECRET" in json.dumps(step)
    ]
    assert seen == [("rollout.yml", "tell", "Tell what waits"), ("watch.yml", "record", "Record what was seen")]


def test_every_workflow_is_held_to_its_privileges() -> None:
    """One that is missing in the table above has whatever it asks for."""
    assert list(PERMISSIONS) != [] and set(PERMISSIONS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_jobs_run_on_one_image_or_where_production_can_be_reached(name: str) -> None:
    """`latest` changes under a team's feet, and no hosted runner reaches a private cluster."""
    hosted, ours = "ubuntu-24.04", "${{ vars.SLIPWAY_RUNNER || 'ubuntu-24.04' }}"
    for job, told in workflow(name)["jobs"].items():
        assert told["runs-on"] == (ours if (name, job) in PRODUCTION else hosted)


@pytest.mark.parametrize("name", PERMISSIONS)
def test_a_job_may_do_what_it_is_for_and_nothing_else(name: str) -> None:
    """A right that nobody uses is there for who breaks in; each is written down twice, here and there."""
    file = workflow(name)
    assert file["permissions"] == {}
    assert {job: told["permissions"] for job, told in file["jobs"].items()} == PERMISSIONS[name]


@pytest.mark.parametrize(("name", "job"), RUNS_THE_MODEL)
def test_no_secret_reaches_a_job_that_holds_foreign_code(name: str, job: str) -> None:
    """What a job was never given, the model's code cannot take."""
    text = json.dumps(workflow(name)["jobs"][job])
    assert not re.search(r"token|secret|password", text, flags=re.IGNORECASE)
    assert "environment" not in workflow(name)["jobs"][job]
    assert workflow(name).get("env", {}).keys() <= {"TAG"}


@pytest.mark.parametrize("name", NAMES)
def test_no_checkout_keeps_its_credentials(name: str) -> None:
    """They would lie in .git/config, where every later step can read them."""
    for step in _steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", NAMES)
def test_actions_of_others_are_pinned_and_replaced_one_by_one(name: str) -> None:
    """A tag of somebody else's can be moved; and an action that the rig does not replace would be asked for online."""
    for step in _steps(name):
        use = step.get("uses", "./")
        assert use.startswith("./") or re.fullmatch(rf"actions/({'|'.join(REPLACED)})@[0-9a-f]{{40}}", use)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_pasted_into_a_script(name: str) -> None:
    """A tag's name is written by whoever may push: pasted into a script, it would be run."""
    assert all("${{" not in step.get("run", "") for step in _steps(name))


@pytest.mark.parametrize("name", NAMES)
def test_uploads_can_be_repeated_and_are_never_empty(name: str) -> None:
    """A second attempt uploads the same name again, and a step that wrote nothing must not pass for one that did."""
    for step in _steps(name):
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            assert step["with"]["overwrite"] is True
            assert step["with"]["include-hidden-files"] is True  # .slipway begins with a dot
            assert step["with"]["if-no-files-found"] == "error"


@pytest.mark.parametrize("name", NAMES)
def test_what_act_runs_differs_by_known_lines_at_most(name: str) -> None:
    """A copy that was changed elsewhere would be tested in place of the workflow."""
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    left_out = [line.split(" #")[0].strip() for line in text.splitlines(keepends=True) if as_act_takes_it(line) == ""]

    assert set(left_out) <= {"queue: max", "deployment: false"}
    kept = [line for line in text.splitlines(keepends=True) if as_act_takes_it(line) != ""]
    assert "".join(kept) == as_act_takes_it(text)


def _steps(name: str) -> Iterator[dict[str, Any]]:
    for job in workflow(name)["jobs"].values():
        yield from job["steps"]
