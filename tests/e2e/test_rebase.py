"""A new runtime image reaches a model that runs: by commands alone, there and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from slipway.adapters import deploy_tree
from slipway.cli import slipway

from tests.team import ENVIRONMENT, MODEL, Team, new_team


def run(*words: str, expected: int = 0) -> Result:
    result = CliRunner().invoke(slipway, words, standalone_mode=False, catch_exceptions=False)
    assert (result.return_value or 0) == expected, result.output
    return result


def told(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json").stdout)
    return found


def deployed(team: Team) -> str | None:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    return live.tag if live else None


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """v1.0.0 was released, merged and rolled out; what runs at the end is stopped."""
    team = new_team(tmp_path)
    proposal = team.release(team.tag("tip@v1.0.0", "Begin"))
    monkeypatch.chdir(team.root)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    try:
        run("merge", str(proposal.body.pull))
        run("rollout", MODEL)
        yield team
    finally:
        run("stop", MODEL)


def test_a_version_goes_onto_a_new_runtime_and_back(live: Team) -> None:
    """What a team does when the server was mended: one command, one merge; and one command for the way back."""
    assert "runs tip@v1.0.0 on the runtime image" in run("rebase", MODEL).output  # nothing changed yet
    live.write("serving/mended.py", '"""Mend the server."""\n')
    live.commit("Mend the server")

    assert "would be: tip@v1.0.0 on the runtime image" in run("rebase", MODEL, "--dry-run").output
    fetched = told("rebase", MODEL, "--only-fetch")
    assert (fetched["revision"], fetched["verdict"], fetched["pull"]) == ("v1.0.0_r2", None, None)
    assert not live.workplace.forge.open_pulls()
    done = told("rebase", MODEL)
    assert (done["revision"], done["verdict"]) == ("v1.0.0_r2", "pass")

    body = live.workplace.forge.pull(done["pull"]).body
    assert "v1.0.0 → v1.0.0_r2 (new runtime)" in body
    assert "**What changes:** the runtime image" in body
    assert "**What does not:** the model." in body
    assert f"slipway rollback {MODEL} --environment {ENVIRONMENT} --to v1.0.0" in body

    run("merge", str(done["pull"]))
    live.commit("Look at what was merged")
    run("check-manifests")
    assert "v1.0.0_r2 is live, 50 of 50 golden answers" in run("rollout", MODEL).output
    assert told("replay", "tip@v1.0.0_r2")["differences"] == []
    assert "v1.0.0_r2" in run("status").output
    assert "nothing to do" in run("rebase", MODEL).output

    run("rollback", MODEL, "--to", "v1.0.0", "--reason", "the new server leaks memory")
    run("merge", str(live.workplace.forge.open_pulls()[0].number))
    live.commit("Look at what was merged")
    run("check-manifests")
    assert "v1.0.0 is live" in run("rollout", MODEL).output
    assert deployed(live) == "v1.0.0"
    held = [entry.version for entry in deploy_tree.quarantine(live.workplace.forge)]
    assert held == ["v1.0.0_r2"]


def test_what_was_left_is_not_put_back_by_the_same_command(live: Team) -> None:
    """The quarantine holds the runtime image for this model, until a person lifts it or another image is there."""
    live.write("serving/mended.py", '"""Mend the server."""\n')
    live.commit("Mend the server")
    run("merge", str(told("rebase", MODEL)["pull"]))
    run("rollback", MODEL, "--to", "v1.0.0", "--reason", "the new server leaks memory")
    run("merge", str(live.workplace.forge.open_pulls()[0].number))

    with pytest.raises(Exception, match="is quarantined by"):
        run("rebase", MODEL)
    live.write("serving/mended.py", '"""Mend the server, this time."""\n')
    live.commit("Mend the server again")
    assert told("rebase", MODEL)["revision"] == "v1.0.0_r3"
