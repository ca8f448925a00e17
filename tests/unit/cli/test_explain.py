"""`slipway explain` as a command: what it prints, and how it ends where it knows nothing."""

from __future__ import annotations

import json

import pytest
from slipway.domain.explanation import Explanation

from tests.team import Team
from tests.unit.cli.conftest import Run


def test_a_person_reads_the_answer_first_and_a_program_reads_all_of_it(run: Run) -> None:
    """Both on stdout, and nothing else there."""
    said, printed = run("explain", "v1.0.0"), run("explain", "v1.0.0", "--json")

    assert (said.code, printed.code) == (0, 0)
    assert said.out.startswith("tip@v1.0.0 runs in production since 2026-03-01\n  there is no way back in production: ")
    assert Explanation.model_validate(json.loads(printed.out)).release == "tip@v1.0.0"


def test_what_is_unknown_ends_with_2_and_a_mend(run: Run) -> None:
    """A script that asks must not take silence for an answer."""
    said = run("explain", "ffffffff", "--json")

    assert (said.code, said.out) == (2, "")
    assert "the ledger (refs/heads/ledger" in said.err
    assert "mend: " in said.err


def test_it_finds_the_repository_from_a_folder_inside_of_it(
    team: Team, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People ask from where they stand."""
    monkeypatch.chdir(team.folder)

    assert run("explain", "#1").out.startswith("tip@v1.0.0 runs in production")
