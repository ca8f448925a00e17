"""`slipway doctor` as a command: what it prints, how it ends, and that a dry run writes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from slipway.domain.checkup import Checkup

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.team import ROOT, Team
from tests.unit.cli.conftest import Run


@pytest.fixture
def hosted(team: Team, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """The team's bare repository as one of GitHub's, with the shipped rulesets in the checkout."""
    shutil.copytree(ROOT / ".github" / "rulesets", team.root / ".github" / "rulesets")
    with served(GitHub()) as github:
        for name, value in {
            "GITHUB_REPOSITORY": "acme/waiters",
            "GITHUB_API_URL": github.url,
            "GITHUB_TOKEN": "secret-token",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
        yield github.host(Hosted(team.bare, "acme/waiters"))


def test_problems_end_with_2_and_json_is_the_checkup(hosted: Hosted, run: Run) -> None:
    """A program reads the same as a person."""
    said = run("doctor")
    told = run("doctor", "--json")

    checkup = Checkup.model_validate_json(told.out)
    assert said.code == told.code == checkup.exit_code == 2
    assert all(finding.name in said.out for finding in checkup.findings)
    assert json.loads(told.out)["findings"][0]["state"] == "problem"


def test_a_dry_run_tells_each_write_and_makes_none(hosted: Hosted, run: Run) -> None:
    """A team lead wants to read what is to come before it comes."""
    said = run("doctor", "--fix", "--dry-run")

    assert "dry run: would create the label `slipway`" in said.err
    assert "dry run: would create the ruleset `Slipway: the ledger only grows`" in said.err
    assert (hosted.labels, hosted.switches.rulesets, said.code) == ({}, [], 2)


def test_a_right_that_fix_lacks_is_named(hosted: Hosted, run: Run) -> None:
    """The labels may be there by then; the rest wants somebody else."""
    hosted.labels |= {label: {"id": 1, "name": label, "color": "ededed"} for label in _labels(run)}
    hosted.switches.withheld = {"administration"}

    said = run("doctor", "--fix")

    assert said.code == 2
    assert "Resource not accessible by integration" in said.err
    assert "mend: the token needs the right `administration: write`" in said.err


def _labels(run: Run) -> list[str]:
    told = run("doctor", "--fix", "--dry-run").err.splitlines()
    return [line.split("`")[1].lower() for line in told if "label" in line]


def test_on_a_laptop_it_ends_well(team: Team, run: Run) -> None:
    """Without an account there is less to look at, and nothing to mend."""
    said = run("doctor", "--fix")

    assert said.code == 0
    assert "nothing of GitHub can be looked at" in said.out
