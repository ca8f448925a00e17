"""The newest window of what runs, from the ends of files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from slipway.adapters import whole_ledger
from slipway.adapters.newest_windows import newest_windows
from slipway.errors import BadFile

from tests import pages
from tests.team import ENVIRONMENT, MODEL, Team, new_team

PLACE = (ENVIRONMENT, MODEL)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return new_team(tmp_path)


def record(team: Team, month: str, *lines: str) -> None:
    team.workplace.ledger.append({}, lines={f"{MODEL}/{ENVIRONMENT}/windows/{month}.jsonl": lines}, message="Record\n")


def line(number: int, *, version: str = "v1.0.0", key: str = "", rows: int = 100) -> str:
    seen = pages.window(number, version=version).model_copy(update={"rows": rows})
    return json.dumps({"key": key or f"{number}-{version}", **seen.to_line()}, sort_keys=True)


def newest(team: Team, version: str = "v1.0.0") -> int | None:
    found = newest_windows({PLACE: version}, whole_ledger.read(team.workplace)).get(PLACE)
    return None if found is None else found.rows


def test_the_newest_of_the_version_that_runs_counts_also_from_an_older_month(team: Team) -> None:
    """After a way back, the newest file is about the version that was left."""
    record(team, "2013-08", line(0, rows=1), line(1, rows=2))
    record(team, "2013-09", line(5, version="v2.0.0", rows=3))

    assert (newest(team), newest(team, "v2.0.0"), newest(team, "v3.0.0")) == (2, 3, None)


def test_of_a_window_that_was_measured_again_the_last_line_counts(team: Team) -> None:
    """Labels came, and the window was measured anew; an older window that was, stays older."""
    record(team, "2013-08", line(1, rows=1), line(1, key="again", rows=2), line(0, key="late", rows=3))

    assert newest(team) == 2


@pytest.mark.parametrize("wrong", ['{"key": "x"}', '{"key": "x", "window": []}', '{"window": {"version": "v1.0.0"}}'])
def test_a_line_that_is_no_window_is_told_with_its_file(team: Team, wrong: str) -> None:
    """A newer Slipway may have written it."""
    record(team, "2013-08", line(0), wrong)

    with pytest.raises(BadFile, match=r"windows/2013-08\.jsonl has a line that is no window"):
        newest(team)


def test_a_ledger_that_is_not_there_yet_says_nothing(team: Team) -> None:
    """Before the first release there is no such branch."""
    assert newest(team) is None
