"""What runs where, since when, and how it is."""

from __future__ import annotations

from datetime import date

from slipway.domain.upkeep import StatusRow
from slipway.steps import record_pages, revert_manifest, status

from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from


def row(team: Team) -> StatusRow:
    (only,) = status.run(workplace=team.workplace)
    return only


def test_before_the_first_release_nothing_runs(team: Team) -> None:
    """A declared model is listed all the same: it is waiting for somebody."""
    assert row(team) == StatusRow(
        model=MODEL, environment=ENVIRONMENT, version=None, digest=None, since=None, outcome=None, incident=None
    )


def test_a_live_version_is_told_with_its_day(live: Team) -> None:
    """The first question of the person on duty."""
    told = row(live)

    assert (told.version, told.since, told.outcome) == ("v1.0.0", "2026-03-01", None)


def test_a_quiet_watch_is_told_with_its_last_day(live: Team) -> None:
    """Quiet since long ago is not quiet."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look(date(2026, 3, 7))

    assert row(live).outcome == "quiet, to 2026-03-07"


def test_an_open_incident_is_told_with_its_issue(worse: Team) -> None:
    """Until it is closed, also behind a way back that somebody asked for."""
    worse.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=Tip(bias=0.1))
    worse.look(date(2026, 4, 7))
    issue = worse.look(date(2026, 4, 14))[2].body
    assert (row(worse).outcome, row(worse).incident) == ("revert", issue.number)

    page = revert_manifest.run_on_request(
        MODEL,
        environment=ENVIRONMENT,
        back_to="v1.0.0",
        reason="by hand",
        by="Ada",
        day="2026-04-15",
        workplace=worse.workplace,
    )
    record_pages.run_on_reversion(page, ledger=worse.workplace.ledger)
    assert (row(worse).outcome, row(worse).incident) == ("revert", issue.number)

    worse.workplace.forge.merge_pull(page.body.pull or 0)
    assert (row(worse).version, row(worse).quarantined) == ("v1.0.0", ("v2.0.0",))


def test_a_closed_incident_is_told_no_more(live: Team) -> None:
    """The table shows what is, the ledger what was."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change={"bill": 1.0}, labelled=False)
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 7))
    for day in (7, 14, 21):
        live.look(date(2026, 3, day))

    assert (row(live).outcome, row(live).incident) == ("quiet, to 2026-03-21", None)
