"""Teams at two moments: nothing released yet, and v1.0.0 live since the first of March."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.team import Team, copy_of, new_team

LIVE_SINCE = date(2026, 3, 1)


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return new_team(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def _live(_fresh: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_fresh, tmp_path_factory.mktemp("live"))
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=LIVE_SINCE)
    return team


@pytest.fixture
def team(_fresh: Team, tmp_path: Path) -> Team:
    return copy_of(_fresh, tmp_path)


@pytest.fixture
def live(_live: Team, tmp_path: Path) -> Team:
    return copy_of(_live, tmp_path)
