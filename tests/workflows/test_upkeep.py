"""What runs without a tag: manifests are checked, lost releases started, production watched and sent back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from slipway.adapters import git
from slipway.adapters.forge.github import GitHubForge
from slipway.domain.live import LiveRow, LiveState
from slipway.domain.release import Rollout
from slipway.reports.live import never_passed_issue, never_passed_title
from slipway.steps.compare_live import NEVER_PASSED
from slipway.steps.reconcile import STUCK

from tests.steps.conftest import WORSE
from tests.team import Team, Tip, days_from
from tests.workflows.conftest import Hosting
from tests.workflows.rig import APP_TOKEN, LABEL, TOKEN, Ran, assert_whole, expected_steps, workflow

MANIFEST = "deploy/production/tip/kustomization.yaml"
MARCH = days_from(date(2026, 3, 1), 31)


@pytest.fixture
def live(hosting: Hosting) -> Hosting:
    """v1.0.0 runs since the first of March, and an App speaks for the repository."""
    hosting.team.release(hosting.team.tag("tip@v1.0.0", "Begin"))
    hosting.team.go_live("tip@v1.0.0", on=MARCH[0])
    hosting.team.commit("Go on")
    return replace(hosting, rig=hosting.rig.with_app)


def _check(live: Hosting, *, branch: str = "main") -> Ran:
    ref = f"refs/heads/{branch}"
    if branch == "main":
        return live.rig.run("check-manifests.yml", "push", ref=ref)
    pull = {"pull_request": {"head": {"ref": branch}, "base": {"ref": "main"}}}
    return live.rig.run("check-manifests.yml", "pull_request", ref=ref, payload=pull)


@pytest.mark.needs_each_step("check-manifests.yml", but={"pass": {"Pass when all passed"}})
def test_what_was_released_and_merged_passes(live: Hosting) -> None:
    """`pass` is required of every pull request: red without a reason, it stops the whole team."""
    ran = _check(live)

    assert_whole(ran, "check-manifests.yml")
    assert "1 manifests name what passed" in ran.said


def _by_hand(live: Hosting) -> str:
    text = (live.team.root / MANIFEST).read_text()
    (digest,) = [line.split()[-1] for line in text.splitlines() if "digest:" in line]
    live.team.edit(MANIFEST, digest, f"sha256:{'0' * 64}")
    return "is not the image of tip@v1.0.0"


def _failed(live: Hosting) -> str:
    tag = live.team.publish("tip@v1.0.1", WORSE)
    assert live.team.up_to_verdicts(tag).body.verdict == "fail"
    live.team.record_pages(tag)
    live.team.edit(MANIFEST, "v1.0.0", "v1.0.1")
    return "tip@v1.0.1 failed: only what passed is deployed"


def _quarantined(live: Hosting) -> str:
    entry = "{model: tip, version: v1.0.0, reason: It tips at random, by: grace}"
    live.team.write("deploy/quarantine.yaml", f"entries:\n  - {entry}\n")
    return "tip@v1.0.0 is quarantined by grace: It tips at random"


@pytest.mark.needs_each_step("check-manifests.yml", only={"pass": {"Pass when all passed"}})
@pytest.mark.parametrize("spoil", [_by_hand, _failed, _quarantined])
def test_a_manifest_that_must_not_run_is_red_and_says_why(live: Hosting, spoil: object) -> None:
    """The last look before a merge; a person reads the sentence, not the colour alone."""
    assert callable(spoil)
    said = spoil(live)
    live.team.commit("Deploy", push=False)
    git.run("push", "--quiet", "origin", "HEAD:by-hand", cwd=live.team.root)

    ran = _check(live, branch="by-hand")

    assert ran.jobs == {"manifests": "failure", "pass": "failure"}
    assert said in ran.said and "mend: " in ran.said


def _reconcile(live: Hosting) -> Ran:
    return live.rig.run("reconcile.yml", "schedule", payload={"schedule": "47 4 * * *"})


@pytest.mark.needs_each_step("reconcile.yml")
def test_four_tags_pushed_at_once_are_all_released_lowest_first(live: Hosting) -> None:
    """GitHub makes no event of more than three tags in one push, and says nothing."""
    tags = [f"tip@v1.{minor}.0" for minor in (1, 2, 3, 10)]
    for number, tag in enumerate(tags):
        live.team.publish(tag, Tip(weight=0.0201 + number * 0.0001))

    ran = _reconcile(live)

    assert_whole(ran, "reconcile.yml")
    assert live.rig.dispatched() == [{"tag": tag, "model": "tip"} for tag in tags]
    assert live.ledger("_heartbeats/reconcile") == [f"{datetime.now(UTC):%Y-%m}.jsonl"]


def test_what_is_queued_is_not_started_again(live: Hosting) -> None:
    """The queue of a model keeps a hundred runs; a release that waits in it for a day would fill it."""
    for number, tag in enumerate(("tip@v1.1.0", "tip@v1.2.0")):
        live.team.publish(tag, Tip(weight=0.0201 + number * 0.0001))
    live.hosted.add_run("release.yml", title="release tip@v1.1.0")

    assert _reconcile(live).jobs == {"reconcile": "success"}

    assert [one["tag"] for one in live.rig.dispatched()] == ["tip@v1.2.0"]


def test_a_release_that_ends_in_errors_is_tried_thrice_again_and_then_told_once(live: Hosting) -> None:
    """A registry that is down for an hour heals by itself; what never heals must reach the owners, once."""
    tag = live.team.publish("tip@v1.1.0", Tip(weight=0.0201))
    for tries in range(1, 5):
        assert _reconcile(live).jobs == {"reconcile": "success"}
        assert len(live.rig.dispatched()) == tries
        live.team.break_off(tag, number=tries)
    _reconcile(live)
    _reconcile(live)

    assert len(live.rig.dispatched()) == 4
    (issue,) = [thread for thread in live.hosted.threads.values() if STUCK in thread.labels]
    assert "tip@v1.1.0 has no verdict" in issue.title and "fetch: failure" in (issue.body or "")


def _reconciled_today(live: Hosting) -> str:
    return live.file("ledger", f"_heartbeats/reconcile/{datetime.now(UTC):%Y-%m}.jsonl")


def test_what_needs_a_person_is_one_issue_that_closes_by_itself(live: Hosting) -> None:
    """A tag that was deleted is not mended by a night; when it is back, nobody has to tidy up."""
    live.team.note_rollout("tip@v1.0.0", on=datetime.now(UTC).date())  # so that no watch is late
    before = live.hosted.line("rev-parse", "refs/tags/tip@v1.0.0")
    live.hosted.git("update-ref", "-d", "refs/tags/tip@v1.0.0")
    _reconcile(live)
    _reconcile(live)
    (issue,) = live.hosted.threads.values()
    assert issue.state == "open" and "tip@v1.0.0" in (issue.body or "")

    live.hosted.git("update-ref", "refs/tags/tip@v1.0.0", before)
    ran = _reconcile(live)

    assert ran.jobs == {"reconcile": "success"}, ran.said
    assert [thread.state for thread in live.hosted.threads.values()] == ["closed"]
    assert len(_reconciled_today(live).splitlines()) == 1


def _watch(live: Hosting, until: date) -> Ran:
    return live.rig.run("watch.yml", "workflow_dispatch", payload={"inputs": {"until": until.isoformat()}})


WATCHED = dict.fromkeys(("plan", "watch 1", "record"), "success")


# What these do is seen where something is deployed, and something of it cannot be looked at.
LOOKING = {
    "watch": {step.split("@")[0] for step in expected_steps(workflow("watch.yml")["jobs"]["watch"])},
    "record": {"actions/download-artifact", "Fail what failed"},
}

COMPARING = {"live": {step.split("@")[0] for step in expected_steps(workflow("watch.yml")["jobs"]["live"])}}


@pytest.mark.needs_each_step("watch.yml", but={**LOOKING, **COMPARING})
def test_a_watch_without_anything_deployed_is_quiet(hosting: Hosting) -> None:
    """The first nights of a new repository must not be red."""
    ran = hosting.rig.with_app.run("watch.yml", "schedule", payload={"schedule": "17 5 * * *"})

    assert ran.jobs == {"plan": "success", "record": "success"}, ran.said
    assert "watch" not in ran.steps
    assert "no window was looked at" in ran.said
    assert ran.tokens("record") == {APP_TOKEN}
    assert hosting.ledger("") == [f"_heartbeats/watch/{datetime.now(UTC):%Y-%m}.jsonl"]


@pytest.mark.needs_each_step("watch.yml", only=COMPARING)
def test_where_a_runner_reaches_production_what_runs_there_is_compared(hosting: Hosting) -> None:
    """What never passed is gone from production, and so is its issue; no person has to look again."""
    row = LiveRow(
        model="ghost", environment="production", state=LiveState.NEVER_PASSED, digest=f"sha256:{'e' * 64}", called="v9"
    )
    GitHubForge(hosting.hosted.name, api=hosting.hosted.url, token=TOKEN).open_issue(
        title=never_passed_title(row), body=never_passed_issue(row, owners=[]), labels=(NEVER_PASSED,)
    )

    ran = hosting.rig.with_app.run("watch.yml", "schedule", variables={"SLIPWAY_RUNNER": LABEL})

    assert ran.jobs == dict.fromkeys(("plan", "live", "record"), "success"), ran.said
    assert ran.tokens("live") == {APP_TOKEN}
    assert "Nothing is deployed" in ran.summary
    assert [thread.state for thread in hosting.hosted.threads.values()] == ["closed"]


def _run_in_staging_too(team: Team, tag: str) -> None:
    """As production, since the same day."""
    there = MANIFEST.replace("production", "staging")
    team.write(there, (team.root / MANIFEST).read_text())
    team.edit("slipway.yaml", "environments: [", "environments: [{name: staging}, ")
    record = team.record(tag)
    rollout = record.page(Rollout, written_by="verify-rollout").body.model_copy(update={"environment": "staging"})
    record.once(Rollout, reads={"environment": "staging"}, make=lambda: rollout)
    team.record_pages(tag)


@pytest.mark.needs_each_step("watch.yml", only=LOOKING)
def test_shards_look_at_all_that_they_can_and_leave_one_commit(live: Hosting) -> None:
    """One team's broken manifest must not blind all others, and must not stay unseen."""
    _run_in_staging_too(live.team, "tip@v1.0.0")
    image = f"name: broken, newTag: latest, digest: sha256:{'0' * 64}"
    live.team.write("deploy/production/broken/kustomization.yaml", f"images: [{{{image}}}]\n")
    live.team.commit("Deploy by hand")
    live.team.serve("v1.0.0", MARCH[:14], change={"bill": 1.0}, labelled=False)
    served = live.team.workplace.served_log("tip", "production").rows_folder
    shutil.copytree(served, served.parents[1] / "staging" / "tip")
    live.team.look(MARCH[6])
    commits = int(live.hosted.line("rev-list", "--count", "ledger"))

    ran = _watch(live, MARCH[13])

    assert (ran.jobs["plan"], ran.jobs["record"]) == ("success", "failure"), ran.said
    assert r"[\"1/2\", \"2/2\"]" in ran.said
    assert ran.tokens("watch") == {APP_TOKEN}
    assert any("deploy/production/broken/kustomization.yaml" in error for error in ran.errors)
    (issue,) = live.hosted.threads.values()
    assert issue.branch == "" and "bill" in (issue.body or "")
    lines = live.file("ledger", "tip/production/windows/2026-03.jsonl").splitlines()
    assert [json.loads(line)["window"]["end"] for line in lines] == ["2026-03-07", "2026-03-14"]
    assert live.ledger("tip/staging/windows") == ["2026-03.jsonl"]
    assert live.ledger("_heartbeats/watch") == [f"{datetime.now(UTC):%Y-%m}.jsonl"]
    assert int(live.hosted.line("rev-list", "--count", "ledger")) == commits + 1


def test_a_second_watch_of_a_day_changes_nothing(live: Hosting) -> None:
    """A run that was started again has not seen another week, nor found another incident."""
    live.team.serve("v1.0.0", MARCH[:14], change={"bill": 1.0}, labelled=False)
    live.team.look(MARCH[6])
    assert _watch(live, MARCH[13]).jobs == WATCHED
    ledger = live.hosted.line("rev-parse", "ledger")
    (before,) = [(thread.state, thread.body, list(thread.comments)) for thread in live.hosted.threads.values()]

    assert _watch(live, MARCH[13]).jobs == WATCHED

    assert live.hosted.line("rev-parse", "ledger") == ledger
    (after,) = [(thread.state, thread.body, list(thread.comments)) for thread in live.hosted.threads.values()]
    assert after == before


def test_a_watch_tells_that_reconcile_stopped(live: Hosting) -> None:
    """What stopped cannot say so itself."""
    live.team.note_heartbeat("reconcile", date(2026, 3, 1))

    _watch(live, MARCH[1])

    (issue,) = live.hosted.threads.values()
    assert "reconcile" in (issue.body or "") and "2026-03-01" in (issue.body or "")


def test_a_version_that_does_worse_twice_is_sent_back_by_pull_request(live: Hosting) -> None:
    """The whole way back, on GitHub's terms: a branch, one pull request with manifest and quarantine, and an issue."""
    team, april = live.team, days_from(date(2026, 4, 1), 14)
    team.release(team.publish("tip@v2.0.0", WORSE, breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=april[0])
    team.serve("v2.0.0", april, tip=WORSE, truth=Tip())
    assert _watch(live, april[6]).jobs == WATCHED

    ran = _watch(live, april[13])

    assert ran.jobs == WATCHED, ran.said
    (pull,) = [thread for thread in live.hosted.threads.values() if thread.branch]
    assert pull.branch == "revert/production/tip/v2.0.0-to-v1.0.0"
    assert "newTag: v1.0.0" in live.file(pull.branch, MANIFEST)
    assert "v2.0.0" in live.file(pull.branch, "deploy/quarantine.yaml")


@pytest.mark.needs_each_step("rollback.yml")
def test_a_person_sends_production_back_and_is_named(live: Hosting) -> None:
    """At night, by a form on a web page; its text is anybody's, and must stay text."""
    reason = '$(touch pwned) "; touch pwned; echo "::error::no'
    live.team.release(live.team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.team.go_live("tip@v1.1.0", on=MARCH[9])
    inputs = {"model": "tip", "to": "v1.0.0", "environment": "", "reason": reason}

    ran = live.rig.run("rollback.yml", "workflow_dispatch", payload={"inputs": inputs})

    assert_whole(ran, "rollback.yml")
    (pull,) = live.hosted.threads.values()
    quarantine = live.file(pull.branch, "deploy/quarantine.yaml")
    assert "by: ada" in quarantine and "$(touch pwned)" in quarantine
    assert "newTag: v1.0.0" in live.file(pull.branch, MANIFEST)
    (incident,) = live.ledger("tip/production/incidents")
    assert incident.endswith("-requested-v1.1.0-v1.0.0/reversion.1.json")
    assert not list(live.rig.folder.rglob("pwned"))
