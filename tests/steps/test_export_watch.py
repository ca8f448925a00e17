"""What Prometheus is told of the watch: the last word on each deployed model."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from slipway.domain.incident import Outcome
from slipway.domain.verdict import Verdict
from slipway.domain.watched import Watched, WatchExport
from slipway.errors import BadFile
from slipway.steps import export_watch

from tests.team import ENVIRONMENT, MODEL, Team, days_from

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
STUCK = {"bill": 1.0}  # the same value in each row


def exported(team: Team) -> WatchExport:
    return export_watch.run(now=NOW, workplace=team.workplace)


def only(team: Team) -> Watched:
    (one,) = exported(team).watched
    return one


def test_what_is_not_deployed_is_not_told(team: Team) -> None:
    """A model that nobody runs must alarm nobody for not being watched."""
    assert exported(team) == WatchExport(made_at=NOW, watched=(), heartbeats={})


def test_a_deployed_model_without_a_window_is_told(live: Team) -> None:
    """Else a watch that never began would look like a model that does not exist."""
    assert only(live) == Watched(model=MODEL, environment=ENVIRONMENT, version="v1.0.0")


def test_a_quiet_window_is_told_with_its_distances(live: Team) -> None:
    """A graph of what is still quiet shows where it is going."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 14))
    live.look(date(2026, 3, 7))
    window = live.look(date(2026, 3, 14))[0].body.window
    told = only(live)

    assert (told.outcome, told.findings) == (Outcome.QUIET, ())
    assert told.window == window
    assert window.end == date(2026, 3, 14) and window.drift


def test_each_input_is_told_with_what_the_watch_held_it_to(live: Team) -> None:
    """A distance without its limit says nothing; an edit of the policy moves both at once."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    judged = live.look(date(2026, 3, 7))[1].body.limits
    told = only(live).limits
    live.edit("policies/drift.yaml", "distance: 0.15", "distance: 0.9")

    assert told == judged
    assert told and all(one.distance >= 0.15 for one in told)
    assert {one.distance for one in only(live).limits} == {0.9}


def test_an_open_incident_is_told_until_it_is_closed(live: Team) -> None:
    """An alert must end when the issue does, and not before."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change=STUCK, labelled=False)
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 7))
    live.look(date(2026, 3, 7))
    verdicts = live.look(date(2026, 3, 14))[1].body
    told = only(live)

    assert (told.outcome, told.findings) == (verdicts.outcome, verdicts.findings)
    assert ("drift", Verdict.FAIL) in {(finding.gate, finding.verdict) for finding in told.findings}

    live.look(date(2026, 3, 21))
    assert (only(live).outcome, only(live).findings) == (Outcome.QUIET, ())


def test_the_days_on_which_the_schedules_ran_last_are_told(live: Team) -> None:
    """A schedule that stopped cannot say so itself."""
    for day in (date(2026, 3, 18), date(2026, 3, 19)):
        live.note_heartbeat("watch", day)

    assert exported(live).heartbeats == {"watch": date(2026, 3, 19)}


def test_a_manifest_that_cannot_be_read_is_an_error(live: Team) -> None:
    """Metrics that leave a model out say that it is not deployed."""
    live.write(f"deploy/{ENVIRONMENT}/broken/kustomization.yaml", "images: {}\n")
    live.commit()

    with pytest.raises(BadFile, match="broken"):
        exported(live)
