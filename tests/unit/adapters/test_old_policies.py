"""Policies found again by the digest that a verdict names."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import old_policies
from slipway.adapters.repository import Repository

from tests.team import Team, new_team

FILE = "policies/metrics.yaml"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return new_team(tmp_path)


def floor_of(team: Team, digest: str) -> float | None:
    """Of F1, under the policies of that digest; None where no commit has them."""
    head = team.workplace.forge.head("main")
    found = old_policies.with_digest(digest, repository=Repository(team.root), head=head)
    return None if found is None else found.metrics.limit.named()["f1"].floor


def test_they_are_those_of_the_commit_and_not_of_today(team: Team) -> None:
    """A verdict of last year is read with the limits of last year, in the folder as in git."""
    then = Repository(team.root).policies_digest()
    team.edit(FILE, "floor: 0.75", "floor: 0.80")
    assert floor_of(team, Repository(team.root).policies_digest()) == 0.80  # not committed yet
    team.commit("Ask for more")
    team.edit(FILE, "floor: 0.80", "floor: 0.85")

    assert floor_of(team, then) == 0.75
    assert floor_of(team, f"sha256:{'0' * 64}") is None
