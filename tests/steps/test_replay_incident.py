"""The window of an incident measured again: as it was, with later labels, on a log that lost rows, after a rollout."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from slipway.adapters.ledger import Ledger
from slipway.cli.replay import replayed_incident
from slipway.domain.incident import Outcome
from slipway.domain.replayed import Replay
from slipway.errors import BadFile
from slipway.reports.replay import replay_text
from slipway.steps import revert_manifest

from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

_EITHER = "write MODEL@vX.Y.Z, or MODEL/ENVIRONMENT/ID as the issue does"
_NAME = f"{MODEL}/{ENVIRONMENT}/2026-04-14-metric"


def look_twice(team: Team) -> None:
    """Two weeks in which the deployed version answers worse than the one before would have."""
    for week in range(2):
        serve(team, date(2026, 4, 1 + 7 * week))
        team.look(date(2026, 4, 7 + 7 * week))


def serve(team: Team, start: date, *, labelled: bool = True, change: dict[str, float] | None = None) -> None:
    team.serve("v2.0.0", days_from(start, 7), tip=Tip(bias=0.1), labelled=labelled, change=change)


def replay_of(team: Team, name: str = _NAME) -> Replay:
    return replayed_incident(name, team.workplace)


def test_a_window_that_nothing_changed_comes_to_the_same(worse: Team) -> None:
    """Who doubts an issue measures it again, and the ledger does not grow by that."""
    look_twice(worse)
    ledger = Ledger(worse.workplace.forge).pages()

    found = replay_of(worse)

    assert (found.differences, found.missing, found.notices) == ((), (), ())
    assert (found.recorded, found.now) == (Outcome.REVERT, Outcome.REVERT)
    assert replay_text(found) == f"{_NAME}: revert, as recorded; same again: window, verdicts\n"
    assert Ledger(worse.workplace.forge).pages() == ledger


def test_another_version_that_runs_meanwhile_is_not_looked_at(worse: Team) -> None:
    """The issue is read on the day after it was mended."""
    look_twice(worse)
    asked = {"back_to": "v1.0.0", "reason": "it is worse", "by": "grace", "day": "2026-04-15"}
    page = revert_manifest.run_on_request(MODEL, environment=ENVIRONMENT, workplace=worse.workplace, **asked)
    assert page.body.pull is not None
    worse.workplace.forge.merge_pull(page.body.pull)

    assert replay_of(worse).differences == ()


def test_labels_that_came_since_are_counted(worse: Team) -> None:
    """A week later they are there, and what was unclear is clear."""
    for week in range(2):
        serve(worse, date(2026, 4, 1 + 7 * week), labelled=week == 0, change={"bill": 1.0})
        worse.look(date(2026, 4, 7 + 7 * week))
    serve(worse, date(2026, 4, 8), change={"bill": 1.0})

    found = replay_of(worse, f"{MODEL}/{ENVIRONMENT}/2026-04-14-drift")

    assert found.notices == ("840 labels came since: what is measured on labels is measured on all",)
    assert not [one for one in found.differences if one.page == "window"]
    assert found.recorded is Outcome.UNCLEAR


def test_a_log_that_lost_rows_is_told_and_what_it_showed_stands(worse: Team) -> None:
    """Logs are thinned after weeks; a smaller window must not pass for a changed one."""
    look_twice(worse)
    day = worse.workplace.served_log(MODEL, ENVIRONMENT).rows_folder / "date=2026-04-14"
    shutil.rmtree(day)

    found = replay_of(worse)

    (lost,) = found.missing
    assert lost.why == "it holds 720 of the 840 rows of 2026-04-08 to 2026-04-14 by now"
    assert (found.now, found.differences, found.same) == (Outcome.REVERT, (), ("verdicts",))


@pytest.mark.parametrize(
    ("name", "problem", "mend"),
    [
        ("tip", "`tip` is neither a release nor an incident", _EITHER),
        ("//", "`//` is neither a release nor an incident", _EITHER),
        (
            f"{MODEL}/{ENVIRONMENT}/1",
            "the ledger has no incident 1 of tip in production",
            "name one of 2026-04-14-metric",
        ),
        ("tap/production/1", "the ledger has no incident 1 of tap", "slipway status tells which model has an incident"),
    ],
)
def test_a_misspelt_incident_is_answered_by_those_that_there_are(
    worse: Team, name: str, problem: str, mend: str
) -> None:
    """Its id is a date that nobody remembers."""
    look_twice(worse)

    with pytest.raises(BadFile) as caught:
        replay_of(worse, name)

    assert problem in caught.value.problem
    assert caught.value.mend == mend
