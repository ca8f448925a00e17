"""A version that needs more memory than its machine has, from its merge to the end of its issue, by commands alone."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from slipway.adapters import deploy_tree
from slipway.adapters.rollout.process import stop_all
from slipway.domain.incident import Reversion
from slipway.domain.rollout_failure import RolloutFailure

from tests.team import Team, Tip
from tests.unit.cli.conftest import Run, Said

_BUDGETS = "question: Is it dear?\nmotivation: M.\nremedy: R.\nlimit: {}\nenforce: audit\n"  # they would refuse it
_ROOM = 256 << 20  # bytes that the bad version asks for, twice
_HAS = 600 << 20


@dataclass(frozen=True)
class Machine:
    """Runs commands of a team as processes, and what they start, in less memory than the bad version needs."""

    team: Team

    def run(self, *words: str) -> Said:
        command = [sys.executable, "-c", "from slipway.cli import main; main()", "--quiet", *words]

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (_HAS, _HAS))

        few_threads = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # each takes room, and a large machine has many
        done = subprocess.run(
            command,
            cwd=self.team.root,
            env=few_threads,
            preexec_fn=limit,
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def live(self) -> dict[str, str]:
        place = self.team.workplace.state / "rollout" / "production" / "tip" / "live.json"
        return dict(json.loads(place.read_bytes()))


@pytest.fixture
def machine(team: Team, run: Run) -> Iterator[Machine]:
    """v1.0.0 serves on it, and v1.1.0 was merged."""
    try:
        assert run("rollout", "--all").code == 0
        team.write("policies/budgets.yaml", _BUDGETS)
        team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201, room=_ROOM)))
        assert run("merge", str(team.workplace.forge.open_pulls()[0].number)).code == 0
        yield Machine(team)
    finally:
        stop_all(team.workplace.state / "rollout")


def test_a_version_that_does_not_run_is_gone_back_from_and_its_issue_ends(machine: Machine, run: Run) -> None:
    """Merged at five; at six what ran before is all that clients saw, and nobody has to remember anything."""
    team, forge = machine.team, machine.team.workplace.forge

    failed = machine.run("rollout", "--all")

    assert failed.code == 10, failed.err
    assert "tip v1.1.0 does not go live in production: the new server left with code" in failed.err
    assert machine.live()["version"] == "v1.0.0"
    (pull,), (issue,) = forge.open_pulls(), forge.open_issues()
    assert f"tip in production: back from v1.1.0 to v1.0.0 by pull request #{pull.number}" in failed.out
    assert "`v1.0.0` still answers." in pull.body and "v1.1.0 never became ready" in pull.body
    assert issue.title == "tip, production: v1.1.0 never became ready, go back to v1.0.0"
    assert "rollout failed" in run("status").out

    again = machine.run("rollout", "--all")

    assert again.code == 10
    assert (len(forge.open_pulls()), len(forge.open_issues())) == (1, 1)

    assert run("merge", str(pull.number)).code == 0
    well = machine.run("rollout", "--all")

    assert well.code == 0, well.err
    assert "tip in production: v1.0.0 is live, 50 of 50 golden answers" in well.out
    assert f"issue #{issue.number} closed" in well.out
    assert forge.open_issues() == []
    assert [entry.version for entry in deploy_tree.quarantine(forge)] == ["v1.1.0"]
    assert "rollout failed" not in run("status").out
    assert run("rollout", "--all").out.startswith("nothing is due\n")
    (incident,) = team.history.failed_rollouts("tip", "production")
    failure = team.history.incident_page("tip", "production", incident, RolloutFailure)
    assert failure is not None and failure.body.log != () and failure.body.serves == "v1.0.0"


def test_each_step_can_be_run_for_itself(machine: Machine, run: Run) -> None:
    """`verify-rollout` changes nothing, and says what is next."""
    forge = machine.team.workplace.forge
    verified = machine.run("verify-rollout", "tip")

    assert verified.code == 10
    (incident,) = [word for word in verified.err.split() if word.startswith("tip/production/")]
    assert (forge.open_pulls(), forge.open_issues()) == ([], [])
    assert run("judge", incident).code == 10
    assert (
        "it would be: tip in production: back from v1.1.0 to v1.0.0"
        in run("revert-manifest", incident, "--dry-run").out
    )
    assert (forge.open_pulls(), forge.open_issues()) == ([], [])
    assert "back from v1.1.0 to v1.0.0 by pull request" in run("revert-manifest", incident).out
    assert "opened: tip, production: v1.1.0 never became ready" in run("file-issue", incident).out
    assert run("record-pages", incident).code == 0
    assert "names no incident_webhook" in run("send-webhook", incident).out
    *_, name = incident.split("/")
    assert machine.team.history.incident_page("tip", "production", name, Reversion) is not None


@pytest.mark.parametrize("words", [["judge"], ["revert-manifest"], ["file-issue"], ["record-pages"]])
def test_an_incident_that_is_none_is_refused(team: Team, run: Run, words: list[str]) -> None:
    """A misspelt one would else be a new folder."""
    said = run(*words, "tip/production/2026-04-01-rollout-failed-v9.9.9")

    assert said.code == 2
    assert "is no rollout that failed" in said.err
    assert not (team.workplace.state / "incidents").exists()
