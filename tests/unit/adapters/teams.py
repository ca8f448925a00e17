"""The teams of the tests of steps, for adapters that look at a whole repository."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.team import Team, new_team


def live_team(folder: Path) -> Team:
    """v1.0.0 is live since the first of March."""
    team = new_team(folder)
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    return team
