"""What should have happened: computed from tags, ledger and manifests."""

from __future__ import annotations

from datetime import date

from slipway.adapters import deploy_tree, git
from slipway.domain.upkeep import Reconciliation
from slipway.steps import reconcile

from tests.team import Team, Tip, days_from


def due(team: Team, today: date = date(2026, 3, 2)) -> Reconciliation:
    return reconcile.run(today=today, workplace=team.workplace)


def test_a_tag_whose_run_was_lost_is_due(live: Team) -> None:
    """A webhook that never came must not lose a release."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.publish("tip@v1.2.0", Tip(weight=0.0199))

    assert due(live).due == ("tip@v1.1.0", "tip@v1.2.0")


def test_what_was_judged_is_not_due_whatever_the_verdict(live: Team) -> None:
    """A version that failed stays failed; running it each night would change nothing."""
    live.publish("tip@v1.1.0", Tip(bias=-0.35))
    live.up_to_verdicts("tip@v1.1.0")
    live.record_pages("tip@v1.1.0")

    assert due(live).due == ()


def test_a_tag_from_before_the_first_release_is_listed_and_left(live: Team) -> None:
    """A team that adopts Slipway has years of tags."""
    live.write_model(Tip(weight=0.03))
    live.commit("Long ago")
    live.tag("tip@v0.1.0")

    found = due(live)

    assert (found.too_old, found.due) == (("tip@v0.1.0",), ())


def test_tags_that_would_be_refused_do_not_stand_in_the_way(live: Team) -> None:
    """Five of them would fill the list for ever, and hide the one that can be released."""
    for number in range(1, 4):
        live.write_model(Tip(weight=0.02 + number / 1e4))
        live.commit(f"Try {number}")
        live.tag(f"tip@v1.{number}.0", annotated=False)
    path = live.root / deploy_tree.QUARANTINE
    path.write_text("entries:\n  - {model: tip, version: v1.4.0, reason: a leak, by: Ada}\n")
    live.commit("Hold v1.4.0")
    live.tag("tip@v1.4.0")
    live.write_model(Tip(weight=0.03))
    live.commit("Not merged", push=False)
    live.tag("tip@v1.5.0")
    git.run("reset", "--quiet", "--hard", "origin/main", cwd=live.root)
    live.publish("tip@v1.6.0", Tip(weight=0.0201))

    assert due(live).due == ("tip@v1.6.0",)


def test_tags_of_undeclared_models_are_none_of_our_business(live: Team) -> None:
    """Another tool may tag in the same form."""
    live.tag("other@v1.0.0")

    assert due(live).due == ()


def test_a_moved_and_a_deleted_tag_are_told(newer: Team) -> None:
    """The ledger still knows what was released under these names."""
    newer.tag("tip@v1.0.0", "Moved")
    git.run("tag", "--delete", "tip@v1.1.0", cwd=newer.root)
    git.run("push", "--quiet", "--delete", "origin", "tip@v1.1.0", cwd=newer.root)

    found = due(newer)

    assert [one.tag for one in found.moved] == ["tip@v1.0.0"]
    assert found.moved[0].recorded != found.moved[0].now
    assert found.deleted == ("tip@v1.1.0",)


def test_a_version_that_nobody_watches_is_told_after_two_windows(live: Team) -> None:
    """GitHub switches schedules off in silence; on the day of the rollout nothing is late yet."""
    assert due(live, date(2026, 3, 1)).missed == ()
    assert due(live, date(2026, 3, 15)).missed == ()

    missed = due(live, date(2026, 3, 16)).missed

    assert [(one.model, one.environment, one.last) for one in missed] == [("tip", "production", None)]


def test_a_watch_that_stopped_is_told_with_its_last_day(live: Team) -> None:
    """So that whoever reads it knows how much was not seen."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look(date(2026, 3, 7))

    assert due(live, date(2026, 3, 21)).missed == ()
    assert [one.last for one in due(live, date(2026, 3, 22)).missed] == [date(2026, 3, 7)]


def test_a_repository_without_releases_has_nothing_due(team: Team) -> None:
    """The first night of a new repository."""
    found = due(team)

    assert found == Reconciliation(due=(), moved=(), deleted=(), too_old=(), missed=())
