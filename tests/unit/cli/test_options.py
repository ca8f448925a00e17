"""What several commands take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import click
import pytest
from slipway.adapters.workplace import Workplace
from slipway.cli import options

from tests.team import Team


def test_a_window_ends_with_a_day_that_is_over() -> None:
    """Today is still being served."""
    assert options.day_of_window(None) == options.today() - timedelta(days=1)
    assert options.day_of_window(date(2026, 3, 7)) == date(2026, 3, 7)


def test_a_release_begins_in_the_first_environment_and_the_watch_looks_at_the_last(team: Team) -> None:
    """Proposed where users are, a version would skip what it is to pass before."""
    team.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")

    assert options.first_environment_in(team.workplace, None) == "staging"
    assert options.environment_in(team.workplace, None) == "production"


@pytest.mark.parametrize("chosen", [options.environment_in, options.first_environment_in])
def test_an_environment_is_one_of_the_settings(team: Team, chosen: Callable[[Workplace, str], str]) -> None:
    """A misspelt one would be a folder that nobody looks at."""
    assert chosen(team.workplace, "production") == "production"
    with pytest.raises(click.BadParameter, match=r"`staging` is none of slipway\.yaml's environments"):
        chosen(team.workplace, "staging")


@pytest.mark.parametrize("day", ["2026-13-01", "tomorrow", "9999-12-31"])
def test_a_day_has_an_end(day: str) -> None:
    """What is told of a day reaches to where the next one begins; the calendar's last has none."""
    with pytest.raises(click.BadParameter, match="is no day"):
        options.DAY.convert(day, None, None)
