"""What several commands take."""

from __future__ import annotations

from datetime import date, timedelta

import click
import pytest
from slipway.cli import options

from tests.team import Team


def test_a_window_ends_with_a_day_that_is_over() -> None:
    """Today is still being served."""
    assert options.day_of_window(None) == options.today() - timedelta(days=1)
    assert options.day_of_window(date(2026, 3, 7)) == date(2026, 3, 7)


def test_the_environment_is_the_last_of_the_settings(team: Team) -> None:
    """Where users are."""
    assert options.environment_in(team.workplace, None) == "production"
    assert options.environment_in(team.workplace, "production") == "production"
    with pytest.raises(click.BadParameter, match=r"`staging` is none of slipway\.yaml's environments"):
        options.environment_in(team.workplace, "staging")
