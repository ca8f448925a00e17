"""What should have happened: computed from tags, ledger and manifests."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from slipway.adapters import deploy_tree, git
from slipway.domain.upkeep import Reconciliation
from slipway.errors import ForgeRefused
from slipway.steps import reconcile

from tests.team import TODAY, Team, Tip, days_from


def _declare(team: Team, name: str) -> None:
    """Another model, as far as tags and folders go."""
    shutil.copytree(team.folder, team.root / "models" / name)
    team.edit(f"models/{name}/model.yaml", "name: tip", f"name: {name}")
    team.commit(f"Declare {name}")


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


def test_a_failure_is_tried_again_once_its_policies_change(live: Team) -> None:
    """Who eased a limit did it for this version; and what did not change gives no other verdict tomorrow."""
    live.publish("tip@v1.1.0", Tip(bias=-0.35))
    live.up_to_verdicts("tip@v1.1.0")
    live.record_pages("tip@v1.1.0")
    live.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.05")
    assert due(live).due == ("tip@v1.1.0",)

    live.up_to_verdicts("tip@v1.1.0")
    live.record_pages("tip@v1.1.0")

    assert due(live, TODAY).due == ()


def test_a_pass_stays_whatever_becomes_of_the_policies(live: Team) -> None:
    """What is released is released; what is deployed is judged again by check-models."""
    live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.76")

    assert due(live).due == ()


def test_a_verdict_that_led_to_no_pull_request_is_no_end(live: Team) -> None:
    """A registry that was down when the image was pushed leaves a version that passed, and that nobody can merge."""
    live.up_to_verdicts(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.record_pages("tip@v1.1.0")

    assert due(live).due == ("tip@v1.1.0",)


def test_an_error_is_tried_three_times_again_and_anew_once_something_changed(live: Team) -> None:
    """The first hour heals most; what four runs did not do, the fifth does not do either."""
    tag = live.publish("tip@v1.1.0", Tip(weight=0.0201))
    for number in range(1, 5):
        assert due(live).due == (tag,)
        live.break_off(tag, number=number)

    assert (due(live).due, due(live).stuck) == ((), (tag,))
    live.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.74")
    assert (due(live).due, due(live).stuck) == ((tag,), ())


def test_a_stuck_release_is_told_once_and_closed_by_its_verdict(live: Team) -> None:
    """Each night one more issue, or one that stays when all is well, is an inbox that nobody reads."""
    tag = live.publish("tip@v1.1.0", Tip(weight=0.0201))
    for number in range(4):
        live.break_off(tag, number=number)
    for _ in range(2):
        reconcile.tell(due(live), workplace=live.workplace)
    (issue,) = live.workplace.forge.open_issues(reconcile.STUCK)
    assert tag in issue.title and "| fetch: failure |" in issue.body and "@" in issue.body

    live.release(tag)
    reconcile.tell(due(live), workplace=live.workplace)

    assert live.workplace.forge.open_issues(reconcile.STUCK) == []
    assert list(live.workplace.forge.comments(issue.number)) == [
        f"{tag} is not waited for any more: its verdict is `pass`."
    ]


def test_five_releases_are_shared_out_among_the_models(live: Team) -> None:
    """A model with a flood of tags must not keep the others waiting for days; its own come in their order."""
    tags = [live.publish(f"tip@v1.{number}.0", Tip(weight=0.02 + number / 1e4)) for number in range(1, 7)]
    _declare(live, "zebra")
    live.tag("zebra@v1.0.0")

    found = due(live)

    assert found.due == (*tags[:4], "zebra@v1.0.0")
    assert found.waiting == tuple(tags[4:])


def test_what_cannot_be_looked_at_stops_nothing_else(live: Team) -> None:
    """A page that somebody broke, or a manifest written by hand, is one team's; the night is everybody's."""
    live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.publish("tip@v1.2.0", Tip(weight=0.0202))
    live.workplace.ledger.append({"tip/v1.1.0/verdicts.2.json": b"{}"}, message="Break it")
    image = f"{{name: broken, newTag: latest, digest: sha256:{'0' * 64}}}"
    live.write("deploy/production/broken/kustomization.yaml", f"images: [{image}]\n")
    live.commit("Deploy by hand")

    found = due(live)

    assert found.due == ("tip@v1.2.0",)
    assert [one.subject for one in found.unknown] == ["tip@v1.1.0", "broken in production"]


def test_a_model_that_was_deleted_is_left_and_the_rest_goes_on(live: Team) -> None:
    """Its tags stay in git for ever."""
    _declare(live, "zebra")
    live.tag("zebra@v1.0.0")
    shutil.rmtree(live.root / "models" / "zebra")
    live.commit("Take zebra out")
    live.publish("tip@v1.1.0", Tip(weight=0.0201))

    found = due(live)

    assert (found.due, found.unknown) == (("tip@v1.1.0",), ())


def test_a_run_of_a_tag_that_is_none_leaves_nothing(live: Team) -> None:
    """Whoever starts release.yml by hand may misspell it; a first version of 9.0.0 would make all others too old."""
    with pytest.raises(ForgeRefused, match=r"tip@v9\.0\.0"):
        live.break_off("tip@v9.0.0")
    assert due(live).deleted == ()


def test_a_page_that_was_rewritten_is_told(live: Team) -> None:
    """The ledger decides what may run."""
    forge = live.workplace.forge
    path, head = "tip/v1.0.0/verdicts.1.json", forge.head("ledger")
    assert head is not None
    content = (forge.read(head, path) or b"").replace(b'"pass"', b'"fail"')
    commit = forge.commit("ledger", onto=head, changes={path: content}, message="Improve")

    assert [(one.path, one.commit) for one in due(live).rewritten] == [(path, commit)]


def test_a_schedule_that_stopped_is_told_after_three_days(live: Team) -> None:
    """GitHub switches schedules off in silence; a repository whose watch never ran has another problem."""
    assert due(live).stopped == ()
    live.note_heartbeat("watch", date(2026, 3, 2))

    assert due(live, date(2026, 3, 5)).stopped == ()
    assert [(one.workflow, one.last) for one in due(live, date(2026, 3, 6)).stopped] == [("watch", date(2026, 3, 2))]


def test_what_needs_a_person_is_one_issue_that_follows_what_is_found(live: Team) -> None:
    """It says what is, not what was; and is gone when all is well."""
    forge = live.workplace.forge
    one = Reconciliation(deleted=("tip@v1.0.0",))
    for found in (one, one, Reconciliation(deleted=("tip@v1.1.0",))):
        reconcile.tell(found, workplace=live.workplace)
    (issue,) = forge.open_issues(reconcile.UPKEEP)
    assert "tip@v1.1.0" in issue.body and "tip@v1.0.0" not in issue.body

    reconcile.tell(Reconciliation(due=("tip@v1.2.0",)), workplace=live.workplace)

    assert forge.open_issues(reconcile.UPKEEP) == []


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
