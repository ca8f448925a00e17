"""Somebody has a digest or a number at night, and asks what it is, who let it through, and how to get rid of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from slipway.adapters import deploy_tree, git
from slipway.adapters.adopted import Adoption
from slipway.domain.conversion import Conversion
from slipway.domain.explanation import Explanation, FoundAs, Moment, Standing
from slipway.domain.incident import IncidentKind, Outcome
from slipway.domain.release import Image, JobResult
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.steps import adopt, explain, file_issue, record_pages

from tests.steps.test_canary import on_a_cluster, with_canary
from tests.steps.test_failed_rollouts import fail, follow
from tests.steps.test_verify_rollout import merge_all, merged
from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

_MANIFEST = deploy_tree.manifest_path(ENVIRONMENT, MODEL)


def told(team: Team, text: str, *, now: datetime | None = None) -> Explanation:
    return explain.run(text, folder=team.root, now=now or datetime.now(UTC))


def image_of(team: Team, tag: str) -> Image:
    return team.record(tag).page(Image, written_by="build-image").body


def go_back(team: Team, *, to: str) -> None:
    page = team.go_back(to, reason="guests complain")
    record_pages.run_on_reversion(page, ledger=team.workplace.ledger)
    team.workplace.forge.merge_pull(page.body.pull or 0)


# --- what can be asked for ----------------------------------------------------------------------------------


def test_every_name_of_a_release_leads_to_the_same_story(live: Team) -> None:
    """Nobody chooses which of its names stands in the log that they read at night."""
    image = image_of(live, "tip@v1.0.0")
    onnx = live.record("tip@v1.0.0").page(Conversion, written_by="convert-to-onnx").body.onnx
    named = {
        "tip@v1.0.0": FoundAs.TAG,
        "v1.0.0": FoundAs.TAG,
        image.digest: FoundAs.IMAGE,
        image.digest.removeprefix("sha256:"): FoundAs.IMAGE,
        image.digest[:15]: FoundAs.IMAGE,
        f"registry.example:5000/waiters/tip@{image.digest}": FoundAs.IMAGE,
        "registry.example:5000/waiters/tip:v1.0.0": FoundAs.TAG,
        image.layer_digest: FoundAs.LAYER,
        onnx.sha256[:8]: FoundAs.ONNX,
        "#1": FoundAs.PULL,
        "1": FoundAs.PULL,
        live.workplace.forge.pull(1).url: FoundAs.PULL,
        "https://github.com/waiters/tip/pull/1/files": FoundAs.PULL,
        "https://github.com/waiters/tip/releases/tag/tip%40v1.0.0": FoundAs.TAG,
    }

    stories = {text: told(live, text) for text in named}

    assert {text: one.asked.found_as for text, one in stories.items()} == named
    assert (
        len({one.model_copy(update={"asked": stories["1"].asked}).model_dump_json() for one in stories.values()}) == 1
    )


def test_what_runs_is_told_with_who_did_what_and_from_which_bytes(newer: Team) -> None:
    """The five questions of the person on duty, and those of the auditor who comes a year later."""
    one = told(newer, "tip@v1.1.0")

    (place,) = one.places
    assert (place.standing, place.instead_of, place.runs_now) == (Standing.RUNS, "v1.0.0", "v1.1.0")
    assert [(stay.since, stay.until) for stay in place.stays] == [(date(2026, 4, 1), None)]
    assert [way.command for way in one.ways] == ["slipway rollback tip --environment production --to v1.0.0"]
    assert one.tag is not None
    assert one.tag.by == "Ada <ada@example.org>"
    assert one.tag.at is not None
    assert one.code is not None
    assert one.code.commit == git.commit_of(newer.root, "tip@v1.1.0")
    assert one.code.tooling is not None
    assert one.data is not None
    assert one.data.samples.name == "samples.parquet"
    assert one.judged is not None
    assert one.judged.verdict is Verdict.PASS
    assert {finding.gate for finding in one.judged.findings} >= {"fidelity", "metrics", "way_back"}
    assert [event.what for event in one.story] == [
        Moment.TAGGED,
        Moment.JUDGED,
        Moment.PROPOSED,
        Moment.MERGED,
        Moment.WENT_LIVE,
    ]
    assert (one.incidents, one.quarantine, one.unknown, one.ledger.stale) == ((), (), (), ())


def test_what_was_replaced_is_told_with_its_last_day_and_its_successor(newer: Team) -> None:
    """What answered on the day of a complaint is asked long after it left."""
    one = told(newer, "tip@v1.0.0")

    (place,) = one.places
    (stay,) = place.stays
    assert place.standing is Standing.RAN
    assert (stay.since, stay.until, stay.followed_by) == (date(2026, 3, 1), date(2026, 4, 1), "v1.1.0")
    assert one.ways[0].command == "slipway rollback tip --environment production --to v1.0.0"


# --- who merged ---------------------------------------------------------------------------------------------


def test_a_merge_names_who_merged_and_a_squash_only_who_wrote(live: Team) -> None:
    """Of a squash git keeps no word of who pressed the button, and a guess would accuse somebody."""
    proposal = live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201))).body
    git.run("fetch", "--quiet", "origin", cwd=live.root)
    git.run("config", "user.name", "Grace", cwd=live.root)
    git.run("merge", "--quiet", "--no-ff", "--message", "Merge #2", f"origin/{proposal.branch}", cwd=live.root)
    git.run("push", "--quiet", "origin", "HEAD:main", cwd=live.root)
    (merge,) = told(live, "#2").places[0].merges
    assert (merge.is_merge, merge.by, merge.by_slipway) == (True, "Grace <ada@example.org>", False)

    later = live.release(live.publish("tip@v1.2.0", Tip(weight=0.0202))).body
    git.run("fetch", "--quiet", "origin", cwd=live.root)
    git.run("merge", "--quiet", "--squash", f"origin/{later.branch}", cwd=live.root)
    live.commit("Deploy tip v1.2.0 (#3)")
    (squash,) = told(live, "#3").places[0].merges
    assert (squash.is_merge, squash.subject) == (False, "Deploy tip v1.2.0 (#3)")


def test_merged_and_not_verified_is_no_more_than_that(live: Team) -> None:
    """Who reads that it runs stops looking."""
    one = told(merged(live), "tip@v1.1.0")

    assert one.places[0].standing is Standing.MERGED
    assert one.places[0].stays == ()
    assert "is to run v1.1.0" in one.ledger.stale[0]


# --- what did not go well -----------------------------------------------------------------------------------


def test_a_refused_release_tells_its_gates_and_that_it_runs_nowhere(live: Team) -> None:
    """Its tagger asks why, with the number of the issue in hand."""
    live.up_to_verdicts(live.publish("tip@v2.0.0", Tip(bias=0.9), breaks="v2.0.0"))
    issue = issue_of(live, "tip@v2.0.0")

    one = told(live, f"#{issue}")

    assert (one.asked.found_as, one.release, one.places, one.image) == (FoundAs.ISSUE, "tip@v2.0.0", (), None)
    assert one.judged is not None
    assert one.judged.verdict is Verdict.FAIL
    assert "metrics" in {finding.gate for finding in one.judged.open_findings}
    assert [event.what for event in one.story] == [Moment.TAGGED, Moment.JUDGED, Moment.ISSUE]


def issue_of(team: Team, tag: str) -> int:
    filed = file_issue.run_on_release(team.record(tag), forge=team.workplace.forge).body
    team.record_pages(tag)
    assert filed.number is not None
    return filed.number


def test_a_run_that_broke_off_is_told_with_its_jobs(live: Team) -> None:
    """There is no verdict, which is another thing than a bad one."""
    live.break_off(live.publish("tip@v1.1.0", Tip(weight=0.0201)))

    one = told(live, "tip@v1.1.0")

    assert (one.judged, one.attempts) == (None, ({"fetch": JobResult.FAILURE, "convert": JobResult.SKIPPED},))
    assert one.story[-1].said == "fetch failure"


def test_a_version_that_was_left_tells_why_and_that_it_is_held(worse: Team) -> None:
    """Somebody will propose to bring it back."""
    go_back(worse, to="v1.0.0")

    one = told(worse, "tip@v2.0.0")

    (way,) = one.ways
    assert one.places[0].standing is Standing.RAN
    assert (way.command, way.why_not) == ("", "v2.0.0 is quarantined by Ada: guests complain")
    assert [(entry.version, entry.by) for entry in one.quarantine] == [("v2.0.0", "Ada")]
    assert [(incident.about, incident.is_open) for incident in one.incidents] == [(IncidentKind.REQUESTED, False)]
    assert [event.what for event in one.story][-2:] == [Moment.WAY_BACK, Moment.TAKEN_OUT]
    assert told(worse, "#3").asked.found_as is FoundAs.WAY_BACK


def test_an_incident_stays_that_of_the_version_that_it_began_with(worse: Team) -> None:
    """Windows of the version that came back are written beside it until it is over, and accuse nobody."""
    worse.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=Tip(bias=0.1))
    worse.look(date(2026, 4, 7))
    number = worse.look(date(2026, 4, 14))[2].body.number
    go_back(worse, to="v1.0.0")
    worse.note_rollout("tip@v1.0.0", on=date(2026, 4, 15))
    worse.serve("v1.0.0", days_from(date(2026, 4, 15), 14))
    worse.look(date(2026, 4, 21))
    worse.look(date(2026, 4, 28))

    found = [one for one in told(worse, f"#{number}").incidents if one.about is IncidentKind.METRIC]

    assert told(worse, f"#{number}").release == "tip@v2.0.0"
    assert [(one.outcome, one.issue) for one in found] == [(Outcome.REVERT, number)]
    assert "v1.0.0 would have had" in found[0].problem
    assert told(worse, "tip@v1.0.0").incidents == ()


def test_a_version_that_comes_back_is_merged_again_until_it_is_verified(worse: Team) -> None:
    """It runs by the manifest, and nobody has seen it run since."""
    go_back(worse, to="v1.0.0")
    assert told(worse, "tip@v1.0.0").places[0].standing is Standing.MERGED

    worse.note_rollout("tip@v1.0.0", on=date(2026, 4, 16))

    (place,) = told(worse, "tip@v1.0.0").places
    assert place.standing is Standing.RUNS
    assert [stay.since for stay in place.stays] == [date(2026, 3, 1), date(2026, 4, 16)]


def test_a_rollout_that_failed_is_told_with_its_incident(live: Team) -> None:
    """Its digest stands in a manifest, so somebody will take it for what runs."""
    merged(live)
    record = fail(live)
    follow(live, record)

    one = told(live, "tip@v1.1.0")

    assert one.places[0].standing is Standing.FAILED
    (incident,) = one.open_incidents
    assert (incident.about, incident.back_to) == (IncidentKind.ROLLOUT_FAILED, "v1.0.0")
    assert incident.problem
    assert told(live, f"#{incident.issue}").release == "tip@v1.1.0"

    merge_all(live)
    assert told(live, "tip@v1.1.0").places[0].standing is Standing.WAS_FAILED


def test_a_canary_is_told_as_one_with_the_way_to_withdraw_it(live: Team, tmp_path: Path) -> None:
    """It answers a share of the requests, and what has the rest is what remains."""
    team = with_canary(on_a_cluster(live, tmp_path / "cluster"), "tip@v1.1.0", Tip(weight=0.0201))

    one = told(team, "tip@v1.1.0")

    (place,) = one.places
    assert (place.standing, place.runs_now, place.stays[0].canary) == (Standing.CANARY, "v1.0.0", True)
    assert one.ways[0].command == "slipway rollback tip --environment production --to v1.0.0"


def test_what_was_adopted_is_told_by_whom_in_place_of_verdicts(team: Team) -> None:
    """Nobody judged it, and a reader must not take a person's word for a gate's."""
    digest = f"sha256:{'7' * 64}"
    asked = Adoption(
        ReleaseTag.parse("tip@v1.2.3"),
        ENVIRONMENT,
        by="Ada",
        now=datetime(2026, 2, 1, tzinfo=UTC),
        image=digest,
        image_name="registry.example.org/tip",
    )
    record_pages.run_on_baseline(adopt.run(asked, workplace=team.workplace), ledger=team.workplace.ledger)
    team.commit("Say what runs")

    one = told(team, digest)

    assert one.adopted is not None
    assert (one.release, one.judged, one.adopted.by) == ("tip@v1.2.3", None, "Ada")
    assert one.places[0].standing is Standing.RUNS
