"""What runs where, since when, and how it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from slipway.adapters import git, manifests
from slipway.domain.baseline import Baseline
from slipway.domain.release import Image
from slipway.domain.settings import RolloutEngine
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import LastWindow, StatusRow
from slipway.domain.verdict import Verdict
from slipway.errors import GitRefused
from slipway.reports.status import let_in_by, status_text
from slipway.steps import record_pages, status

from tests import pages
from tests.fleet import whole_page
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

    page = worse.go_back("v1.0.0")
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


def test_who_let_it_in_and_on_what_evidence_is_told(live: Team) -> None:
    """Asked at night, "who approved this?" must not begin with a search in git."""
    told = row(live)

    assert told.approved is not None
    assert (told.approved.by, told.approved.pull) == ("Slipway", 1)  # the forge in a folder merges by itself
    assert told.verdict is Verdict.PASS
    assert told.passed == told.findings
    assert told.window is None


def test_of_a_squashed_request_its_author_is_told_and_that_it_was_squashed(newer: Team) -> None:
    """GitHub can merge in three ways; of this one git does not know who pressed the button."""
    git.run("pull", "--quiet", "origin", "main", cwd=newer.root)
    path = f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml"
    newer.edit(path, "newTag: v1.1.0", "newTag: v1.0.0")
    newer.edit(path, digest_of(newer, "v1.1.0"), digest_of(newer, "v1.0.0"))
    newer.commit("Go back to v1.0.0 (#77)")

    told = row(newer)

    assert told.approved is not None
    assert (told.version, told.approved.by, told.approved.pull) == ("v1.0.0", "Ada", 77)
    assert let_in_by(told).startswith("Ada (#77, squashed), ")


def digest_of(team: Team, version: str) -> str:
    image = team.history.page(ReleaseTag.parse(f"{MODEL}@{version}"), Image)
    assert image is not None
    return image.body.digest


def test_the_last_window_is_that_of_the_version_that_runs(live: Team) -> None:
    """Another version's drift says nothing about this one."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 14))
    for day in (7, 14):
        live.look(date(2026, 3, day))

    window = row(live).window

    assert window is not None
    assert (window.start, window.end, window.rows) == (date(2026, 3, 8), date(2026, 3, 14), 840)
    assert window.drift is not None and 0 <= window.drift < 0.15


def test_a_window_tells_its_largest_drift_and_its_foremost_metric() -> None:
    """The smaller ones are in the report; one number each is what fits a table."""
    told = LastWindow.of(pages.window(2))
    unlabelled = LastWindow.of(pages.window(f1=None, drift=()))

    assert (told.feature, told.drift, told.metric, told.value) == ("dest", 0.072, "f1", 0.48)
    assert (unlabelled.feature, unlabelled.drift, unlabelled.metric, unlabelled.value) == (None, None, None, None)


def test_a_day_that_is_over_is_told_as_it_was(live: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks into an incident of last month must not be shown what was merged since."""
    later = datetime.now(UTC).date() + timedelta(days=3)
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{later.isoformat()}T12:00:00+00:00")
    monkeypatch.setenv("GIT_AUTHOR_DATE", f"{later.isoformat()}T12:00:00+00:00")
    live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.go_live("tip@v1.1.0", on=later)
    live.note_heartbeat("watch", later)

    before = status.look(workplace=live.workplace, on=later - timedelta(days=1))
    after = status.look(workplace=live.workplace, on=later)
    never = status.look(workplace=live.workplace, on=date(2001, 1, 1))

    assert [(one.version, one.since) for one in before.rows] == [("v1.0.0", "2026-03-01")]
    assert [(one.version, one.since) for one in after.rows] == [("v1.1.0", later.isoformat())]
    assert (before.heartbeats, after.heartbeats) == ({}, {"watch": later})
    assert never.rows == ()


def test_a_clone_without_history_names_nobody_and_refuses_days_that_are_over(live: Team) -> None:
    """The commit at which a shallow history ends seems to have brought everything: its author approved nothing."""
    git.run("pull", "--quiet", "origin", "main", cwd=live.root)
    live.commit("Go on")
    shallow = Team(live.root.with_name("shallow"), live.bare)
    git.run("clone", "--quiet", "--depth=1", f"file://{live.bare}", str(shallow.root), cwd=live.bare)

    told = row(shallow)

    assert (told.version, told.approved) == ("v1.0.0", None)
    with pytest.raises(GitRefused, match="without its history"):
        status.look(workplace=shallow.workplace, on=date(2026, 3, 1))


def test_what_was_adopted_is_told_by_whom(team: Team) -> None:
    """A baseline stands in place of verdicts and must not pass for them."""
    digest = f"sha256:{'1' * 64}"
    page = Baseline(
        model=MODEL,
        version="v0.9.0",
        environment=ENVIRONMENT,
        image=digest,
        onnx=None,
        by="Grace",
        when="2026-02-01T09:00:00+00:00",
        note="It has run since 2024",
        commit="0" * 40,
    )
    written = whole_page(page, subject=f"{MODEL}@v0.9.0")
    team.workplace.ledger.append({f"{MODEL}/v0.9.0/baseline.1.json": written}, message="Adopt\n")
    empty = manifests.new_manifest(MODEL, environment=ENVIRONMENT, engine=RolloutEngine.PROCESS)
    manifest = manifests.set_image(empty, name=MODEL, new_name=MODEL, tag="v0.9.0", digest=digest)
    team.write(f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml", manifest.decode())
    team.commit("Adopt what runs")

    told = row(team)

    assert (told.verdict, told.since) == (None, "2026-02-01")
    assert told.adopted is not None and told.adopted.by == "Grace"
    assert "adopted 2026-02-01, no verdict" in status_text(status.look(workplace=team.workplace))


def test_heartbeats_are_told_and_late_ones_are_marked(live: Team) -> None:
    """A watch that stopped says of everything that it is quiet."""
    live.note_heartbeat("watch", date(2026, 3, 1))
    live.note_heartbeat("reconcile", date(2026, 3, 8))

    told = status.look(workplace=live.workplace, now=datetime(2026, 3, 9, tzinfo=UTC))

    assert (told.heartbeats, told.stopped) == ({"reconcile": date(2026, 3, 8), "watch": date(2026, 3, 1)}, ("watch",))
    assert "Ran last: reconcile 2026-03-08; watch 2026-03-01, and is late." in status_text(told)
