"""The scripts of actions, really run: bash, the runner's environment, a real repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters.records import Record
from slipway.domain.incident import IssueAction, IssueFiled

from tests.actions.actions import ROOT
from tests.actions.runner import Runner, git

_HOSTILE = ["coin@v1.0.0; touch pwned", "$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "--help", "-h"]


def test_reconcile_hands_over_which_tags_to_release(runner: Runner, workspace: Path) -> None:
    """The workflow that makes up for lost events makes its matrix of this output, so it must be JSON."""
    assert runner.run("reconcile").outputs == {"due": "[]"}

    git(workspace, "tag", "--annotate", "--message=First", "coin@v1.0.0")
    git(workspace, "push", "--quiet", "origin", "coin@v1.0.0")
    ran = runner.run("reconcile")

    assert ran.code == 0, ran.said
    assert json.loads(ran.outputs["due"]) == ["coin@v1.0.0"]


def test_record_pages_puts_the_pages_of_a_run_on_the_ledger(runner: Runner, workspace: Path) -> None:
    """It is the last step of each workflow: what it does not write is lost with the runner."""
    record = Record(workspace / ".slipway" / "releases" / "coin" / "v1.0.0", subject="coin@v1.0.0")
    filed = IssueFiled(incident=None, number=3, action=IssueAction.OPENED, title="It fails")
    record.once(IssueFiled, reads={"verdicts": "a"}, make=lambda: filed)

    ran = runner.run("record-pages", subject="coin@v1.0.0")

    assert ran.code == 0, ran.said
    origin = workspace.parent / "origin.git"
    assert git(origin, "ls-tree", "-r", "--name-only", "ledger") == "coin/v1.0.0/issue.1.json"


def test_announce_rollout_tells_of_nothing_that_was_not_merged(runner: Runner) -> None:
    """A deployment that was noted too early is believed."""
    ran = runner.run("announce-rollout", model="coin", environment="production")

    assert ran.code == 2
    assert "deploy/production/coin/kustomization.yaml deploys nothing yet" in ran.said
    assert ran.outputs == {}


@pytest.mark.parametrize("tag", _HOSTILE)
def test_a_hostile_tag_is_refused_and_never_run(tag: str, runner: Runner, workspace: Path) -> None:
    """Whoever may push a tag, or start a workflow by hand, chooses this text."""
    ran = runner.run("resolve-tag", tag=tag)

    assert ran.code == 2
    assert "is no release tag" in ran.said
    assert not (workspace / "pwned").exists()


def test_a_problem_is_an_annotation_with_its_mend(runner: Runner) -> None:
    """GitHub shows annotations on the run's page; the log below is read by nobody."""
    ran = runner.run("resolve-tag", tag="coin@1.0.0")

    assert ran.said.startswith("::error::`coin@1.0.0` is no release tag")
    assert "%0A  mend: " in ran.said


def test_an_option_reaches_the_command_only_where_it_was_given(runner: Runner) -> None:
    """An empty input must mean the default, not an environment without a name."""
    default = runner.run("record-pages", subject="coin")
    other = runner.run("record-pages", subject="coin", environment="nowhere")

    assert "measure-drift" in default.said  # the mend: nothing was measured yet
    assert "`nowhere` is none of slipway.yaml's environments: production" in other.said


@pytest.fixture
def fresh_runner(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a job that has not set up anything yet; the large folder is not kept."""
    temporary = tmp_path / "runner"
    temporary.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "PYTHON", "VIRTUAL_ENV"))}
    yield {**kept, "RUNNER_TEMP": str(temporary), "GITHUB_PATH": str(temporary / "path")}
    shutil.rmtree(temporary)


def _install(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "actions/setup/install.sh"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_setup_makes_slipway_run_from_the_locked_requirements(fresh_runner: dict[str, str], workspace: Path) -> None:
    """Nothing of a developer's environment may be needed by accident."""
    done = _install(fresh_runner)
    assert done.returncode == 0, done.stderr
    again = _install(fresh_runner)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")  # every action of a job asks for it

    added = Path(fresh_runner["GITHUB_PATH"]).read_text().splitlines()
    assert len(set(added)) == 1
    bare = {"PATH": f"{added[0]}:{os.defpath}", "HOME": str(workspace)}
    told = subprocess.run(["slipway", "status"], cwd=workspace, env=bare, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("model")


def test_setup_refuses_a_python_that_is_too_old_with_its_mend(fresh_runner: dict[str, str], tmp_path: Path) -> None:
    """Later, it would be a syntax error somewhere in a file that nobody has heard of."""
    commands = tmp_path / "old"
    commands.mkdir()
    old = commands / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)

    done = _install({**fresh_runner, "PATH": f"{commands}{os.pathsep}{fresh_runner['PATH']}"})

    assert done.returncode == 2
    assert done.stderr.startswith(
        "::error::Slipway needs Python 3.11 or later, and python3 here is Python 3.9.2%0A  mend"
    )
