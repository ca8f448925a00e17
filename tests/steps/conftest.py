"""Teams at four moments: nothing released yet, v1.0.0 live since the first of March, and two ways to go on in April."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.team import Team, Tip, copy_of, new_team

WORSE = Tip(bias=0.1)  # finds a tip where there is none


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return new_team(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def _live(_fresh: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_fresh, tmp_path_factory.mktemp("live"))
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    return team


@pytest.fixture
def team(_fresh: Team, tmp_path: Path) -> Team:
    return copy_of(_fresh, tmp_path)


@pytest.fixture
def live(_live: Team, tmp_path: Path) -> Team:
    return copy_of(_live, tmp_path)


@pytest.fixture
def staged(team: Team) -> Team:
    """Its versions pass `staging` before `production`."""
    team.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")
    team.commit("Stage")
    return team


@pytest.fixture(scope="session")
def _newer(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_live, tmp_path_factory.mktemp("newer"))
    team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    team.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    return team


@pytest.fixture(scope="session")
def _worse(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_live, tmp_path_factory.mktemp("worse"))
    team.release(team.publish("tip@v2.0.0", WORSE, breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=date(2026, 4, 1))
    return team


@pytest.fixture
def newer(_newer: Team, tmp_path: Path) -> Team:
    """v1.1.0 is live since the first of April; it answers nearly as v1.0.0 does."""
    return copy_of(_newer, tmp_path)


@pytest.fixture
def worse(_worse: Team, tmp_path: Path) -> Team:
    """v2.0.0 is live since the first of April; v1.0.0 would do better."""
    return copy_of(_worse, tmp_path)
