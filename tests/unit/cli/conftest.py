"""A team to stand in: v1.0.0 is live since the first of March, and commands run inside of its checkout."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from slipway.cli import slipway
from slipway.cli.failures import told

from tests.team import Team, copy_of, new_team

OF_GITHUB = ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY", "GITHUB_TOKEN")


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = new_team(tmp_path_factory.mktemp("live"))
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    return team


@pytest.fixture
def team(_live: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    for name in OF_GITHUB:
        monkeypatch.delenv(name, raising=False)
    copied = copy_of(_live, tmp_path)
    monkeypatch.chdir(copied.root)
    return copied


@pytest.fixture
def run(team: Team, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `slipway WORDS` as the installed command does, but for the process."""

    def command(*words: str) -> Said:
        capsys.readouterr()
        with contextlib.suppress(SystemExit):
            code = told(lambda: slipway.main(args=list(words), prog_name="slipway", standalone_mode=False))
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return command
