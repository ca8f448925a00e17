"""The pull request of a release: one a version, updated in place, and never over somebody else's work."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters import deploy_tree, git, manifests
from slipway.adapters.forge import PullState
from slipway.domain.identity import Identity
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Image, Proposal
from slipway.errors import ForgeRefused, NotReleasable
from slipway.steps import bump_manifest, file_issue

from tests.team import ENVIRONMENT, Team, Tip, samples_table


def bump(team: Team, tag: str) -> Proposal:
    return bump_manifest.run(team.record(tag), environment=ENVIRONMENT, workplace=team.workplace).body


def open_numbers(team: Team) -> list[int]:
    return [pull.number for pull in team.workplace.forge.open_pulls()]


def deployed(team: Team) -> str | None:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model="tip")
    return live.tag if live else None


def test_a_release_that_passed_is_proposed(team: Team) -> None:
    """The reviewer finds one pull request that changes one manifest."""
    proposal = team.release(team.tag("tip@v1.0.0")).body

    assert proposal.pull is not None
    pull = team.workplace.forge.pull(proposal.pull)
    image = team.record("tip@v1.0.0").page(Image, written_by="build-image").body
    manifest = team.workplace.forge.read(pull.head, "deploy/production/tip/kustomization.yaml") or b""
    assert (pull.branch, pull.base, pull.draft) == ("release/production/tip/v1.0.0", "main", False)
    assert (proposal.replaces, deployed(team)) == (None, None)
    assert image.digest.encode() in manifest
    assert b"newTag: v1.0.0" in manifest


def test_merging_it_deploys_the_version(team: Team) -> None:
    """What the default branch says is what should run."""
    team.release(team.tag("tip@v1.0.0"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))

    assert deployed(team) == "v1.0.0"


def test_run_twice_there_is_one_pull_request(team: Team) -> None:
    """A second one would have to be read, and closed, by a person."""
    first = team.release(team.tag("tip@v1.0.0")).body
    again = bump(team, "tip@v1.0.0")

    assert again == first
    assert open_numbers(team) == [first.pull]


def test_a_run_in_another_checkout_updates_the_same_pull_request(team: Team) -> None:
    """The record of the first machine may be gone; the forge still knows."""
    first = team.release(team.tag("tip@v1.0.0")).body
    other = team.clone("elsewhere")
    other.up_to_verdicts("tip@v1.0.0")

    again = other.propose("tip@v1.0.0").body

    assert again.pull == first.pull
    assert open_numbers(team) == [first.pull]


def test_a_newer_version_closes_the_older_pull_request_with_a_link(live: Team) -> None:
    """Two open proposals for one manifest could only conflict."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    older = live.release("tip@v1.1.0").body.pull
    live.publish("tip@v1.2.0", Tip(weight=0.0199))
    newer = live.release("tip@v1.2.0").body.pull

    assert older is not None
    assert newer is not None
    forge = live.workplace.forge
    assert open_numbers(live) == [newer]
    assert forge.pull(older).state is PullState.CLOSED
    assert list(forge.comments(older)) == [f"Superseded by #{newer}: {forge.pull(newer).title}"]
    assert f" Supersedes #{older} (v1.1.0), closed." in forge.pull(newer).body


def test_a_lower_version_leaves_the_newer_pull_request_open(live: Team) -> None:
    """A late run of an old tag must not close what a reviewer is reading."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.up_to_verdicts("tip@v1.1.0")
    live.publish("tip@v1.2.0", Tip(weight=0.0199))
    newer = live.release("tip@v1.2.0").body.pull

    live.propose("tip@v1.1.0")

    assert newer in open_numbers(live)


def test_a_branch_with_somebody_elses_commit_is_never_overwritten(live: Team) -> None:
    """A reviewer who corrected something on the branch must not lose it to a rerun."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    branch = live.release("tip@v1.1.0").body.branch
    git.run("fetch", "--quiet", "origin", branch, cwd=live.root)
    git.run("checkout", "--quiet", "-B", "mine", "FETCH_HEAD", cwd=live.root)
    live.write("deploy/production/tip/replicas.yaml", "replicas: 3\n")
    git.run("add", "--all", cwd=live.root)
    git.run("commit", "--quiet", "--message", "Three of them", cwd=live.root)
    git.run("push", "--quiet", "origin", f"HEAD:{branch}", cwd=live.root)
    git.run("checkout", "--quiet", "main", cwd=live.root)
    theirs = live.workplace.forge.head(branch)
    live.write("README.md", "main moved on\n")
    live.commit("Move on")
    live.edit("policies/metrics.yaml", "positives: 100", "positives: 99")  # another verdict, so it is proposed again
    live.judge(live.record("tip@v1.1.0"))

    with pytest.raises(ForgeRefused, match="holds a commit of Ada") as caught:
        bump(live, "tip@v1.1.0")

    assert caught.value.mend.startswith("merge or close its pull request")
    assert live.workplace.forge.head(branch) == theirs


def test_what_is_merged_already_is_not_proposed_again(live: Team) -> None:
    """And the page still tells what ran before, since the watch goes back to it."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.release("tip@v1.1.0")
    live.go_live("tip@v1.1.0", on=date(2026, 4, 1))

    again = bump(live, "tip@v1.1.0")

    assert (again.pull, again.replaces) == (None, "v1.0.0")
    assert open_numbers(live) == []


def test_what_it_superseded_is_told_by_a_later_run_too(live: Team) -> None:
    """By then the older one is closed, and only the text knows of it."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    older = live.release("tip@v1.1.0").body.pull
    live.publish("tip@v1.2.0", Tip(weight=0.0199))
    newer = live.release("tip@v1.2.0").body.pull
    assert newer is not None
    live.edit("policies/metrics.yaml", "positives: 100", "positives: 99")
    live.judge(live.record("tip@v1.2.0"))

    again = bump(live, "tip@v1.2.0")

    assert again.pull == newer
    assert f" Supersedes #{older} (v1.1.0), closed." in live.workplace.forge.pull(newer).body


def close_by_hand(team: Team, number: int | None) -> int:
    assert number is not None
    team.workplace.forge.close_pull(number)
    return number


def test_what_a_person_closed_is_not_opened_again(live: Team, caplog: pytest.LogCaptureFixture) -> None:
    """A reviewer said no; a reconcile at night must not ask again, and says whose word it keeps."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    closed = close_by_hand(live, live.release("tip@v1.1.0").body.pull)
    shutil.rmtree(live.record("tip@v1.1.0").folder)  # as on the next runner
    live.up_to_verdicts("tip@v1.1.0")

    again = live.propose("tip@v1.1.0").body

    assert (again.pull, again.decided, again.replaces) == (None, closed, "v1.0.0")
    assert open_numbers(live) == []
    assert f"nothing is proposed: pull request #{closed} of tip@v1.1.0 was closed" in caplog.text
    assert bump(live, "tip@v1.1.0") == again


def test_one_that_a_person_opens_again_is_kept_up_to_date(live: Team) -> None:
    """Whoever changes the mind needs one button, and no new tag."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    first = live.release("tip@v1.1.0").body.pull
    closed = close_by_hand(live, first)
    bump(live, "tip@v1.1.0")
    reopened = live.workplace.forge.open_pull(
        branch="release/production/tip/v1.1.0", base="main", title="Again", body="I was wrong."
    )

    again = bump(live, "tip@v1.1.0")

    assert closed != reopened.number == again.pull
    assert live.workplace.forge.pull(reopened.number).body.startswith("**Safe to merge")


def test_what_was_merged_and_taken_back_is_not_proposed_again(live: Team) -> None:
    """Somebody reverted it, with a reason that no rerun knows; the next number is proposed as ever."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    first = live.release("tip@v1.1.0").body
    live.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    bump(live, "tip@v1.1.0")
    git.run("pull", "--quiet", "--rebase", "origin", "main", cwd=live.root)
    git.run("revert", "--mainline", "1", "--no-edit", "HEAD", cwd=live.root)
    git.run("push", "--quiet", "origin", "HEAD:main", cwd=live.root)
    assert deployed(live) == "v1.0.0"

    again = bump(live, "tip@v1.1.0")

    assert (again.pull, again.decided) == (None, first.pull)
    assert open_numbers(live) == []
    live.publish("tip@v1.2.0", Tip(weight=0.0199))
    following = live.release("tip@v1.2.0").body.pull
    assert open_numbers(live) == [following]


def test_a_closed_request_of_another_tag_object_decides_nothing(live: Team) -> None:
    """A tag that was set anew, before anything of it was recorded, is another release."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.up_to_verdicts("tip@v1.1.0")
    closed = close_by_hand(live, live.propose("tip@v1.1.0").body.pull)
    forge = live.workplace.forge
    object_id = live.record("tip@v1.1.0").page(Identity, written_by="resolve-tag").body.tag_object
    forge.update_pull(closed, body=forge.pull(closed).body.replace(object_id, "0" * 40))
    shutil.rmtree(live.record("tip@v1.1.0").folder)
    live.up_to_verdicts("tip@v1.1.0")

    again = live.propose("tip@v1.1.0").body

    assert again.decided is None
    assert again.pull is not None
    assert again.pull > closed


def test_reviewers_and_labels_come_from_the_model_and_its_bump(live: Team) -> None:
    """Who owns the model is asked, and can filter for it."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    number = live.release("tip@v1.1.0").body.pull
    assert number is not None

    pull = live.workplace.forge.pull(number)

    assert set(pull.labels) == {"slipway", "model: tip", "release: minor"}
    assert "@waiters" in Path(pull.url).read_text(encoding="utf-8")


def test_without_enough_evidence_it_is_a_draft_until_it_passes(team: Team) -> None:
    """Nobody merges by mistake what nobody could judge; a waiver makes the same pull request ready."""
    team.write_model(samples=samples_table(days=4))
    team.commit("Few samples")
    first = team.release(team.tag("tip@v1.0.0")).body
    assert first.pull is not None
    assert (first.draft, team.workplace.forge.pull(first.pull).draft) == (True, True)

    team.edit("policies/fidelity.yaml", "rows: 1000", "rows: 100")
    team.judge(team.record("tip@v1.0.0"))
    again = bump(team, "tip@v1.0.0")

    assert (again.pull, again.draft) == (first.pull, False)
    assert not team.workplace.forge.pull(first.pull).draft


def test_what_failed_is_proposed_nowhere_but_told_once(team: Team) -> None:
    """No image, no pull request: one issue to the tagger, and a mark on the commit."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    team.up_to_verdicts("tip@v1.0.0")

    with pytest.raises(NotReleasable, match="failed"):
        team.propose("tip@v1.0.0")
    for _ in range(2):
        file_issue.run_on_release(team.record("tip@v1.0.0"), forge=team.workplace.forge)

    forge = team.workplace.forge
    assert open_numbers(team) == []
    assert forge.head("release/production/tip/v1.0.0") is None
    assert [issue.title for issue in forge.open_issues()] == ["tip@v1.0.0 is refused: it is not good enough"]
    assert {mark.state for mark in forge.statuses(git.head_commit(team.root)).values()} == {"failure"}


def test_a_version_that_was_quarantined_meanwhile_is_not_proposed(live: Team) -> None:
    """Between the tag and the pull request an owner may have said no."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.up_to_verdicts("tip@v1.1.0")
    entry = QuarantineEntry(model="tip", version="v1.1.0", reason="trained on a leak", by="Ada")
    path = live.root / "deploy" / "quarantine.yaml"
    path.write_bytes(manifests.add_entry(path.read_bytes(), entry))
    live.commit("Hold it back")

    with pytest.raises(NotReleasable) as caught:
        live.propose("tip@v1.1.0")

    assert caught.value.problem == "tip@v1.1.0 is quarantined by Ada: trained on a leak"
    assert caught.value.mend == "let an owner take the entry out of deploy/quarantine.yaml"
