"""The ledger after a run: every page once, in an order in which the newest counts."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from slipway.domain.identity import Identity
from slipway.domain.pages import Page
from slipway.domain.release import Attempt, JobResult, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.steps import record_pages

from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

TAG = ReleaseTag.parse("tip@v1.0.0")


def names(team: Team, under: str = "tip/v1.0.0") -> list[str]:
    return sorted(path.removeprefix(f"{under}/") for path in team.workplace.ledger.pages(under))


def test_a_run_is_one_commit_of_all_its_pages(team: Team) -> None:
    """Readers of the ledger see a release whole or not at all."""
    team.release(team.tag("tip@v1.0.0"))

    kinds = ("conversion", "evidence", "identity", "image", "issue", "proposal", "rehearsal", "verdicts")
    assert names(team) == [f"{kind}.1.json" for kind in kinds]
    head = team.workplace.forge.head("ledger")
    assert team.record_pages("tip@v1.0.0") == head


def test_nothing_to_record_is_no_commit(team: Team) -> None:
    """A run may end before its first page."""
    assert team.record_pages("tip@v1.0.0") is None
    assert team.workplace.forge.head("ledger") is None


def test_a_second_run_elsewhere_adds_nothing(team: Team) -> None:
    """The same findings with another host and another hour are the same findings."""
    team.release(team.tag("tip@v1.0.0"))
    before = names(team)
    other = team.clone("elsewhere")
    other.up_to_verdicts("tip@v1.0.0")

    other.record_pages("tip@v1.0.0")

    assert names(team) == before


def test_a_second_run_that_was_not_seeded_adds_nothing_either(team: Team) -> None:
    """Two machines may run one tag at the same time, and record one after the other."""
    team.tag("tip@v1.0.0")
    other = team.clone("elsewhere")
    team.up_to_verdicts("tip@v1.0.0")
    other.up_to_verdicts("tip@v1.0.0")

    team.record_pages("tip@v1.0.0")
    before = names(team)
    other.record_pages("tip@v1.0.0")

    assert names(team) == before


def test_pages_of_a_second_run_are_numbered_after_those_that_are_there(team: Team) -> None:
    """Both were true when they were written; the higher number is the later one."""
    team.tag("tip@v1.0.0")
    other = team.clone("elsewhere")
    other.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.99")
    team.up_to_verdicts("tip@v1.0.0")
    other.up_to_verdicts("tip@v1.0.0")

    team.record_pages("tip@v1.0.0")
    other.record_pages("tip@v1.0.0")

    verdicts = team.history.pages(TAG, Verdicts)
    assert [(page.number, page.body.verdict) for page in verdicts] == [(1, Verdict.PASS), (2, Verdict.FAIL)]
    assert [name for name in names(team) if not name.endswith(".1.json")] == ["verdicts.2.json"]


def test_a_policy_that_was_put_back_is_the_newest_in_the_ledger_too(team: Team) -> None:
    """The ledger decides what passed; left at the middle page, the release would stay failed for ever."""
    record = team.measure(team.tag("tip@v1.0.0"))
    for policy in ("0.75", "0.99", "0.75"):
        text = (team.root / "policies/metrics.yaml").read_text()
        team.write("policies/metrics.yaml", text.replace("0.99", "0.75").replace("0.75", policy))
        team.judge(record)
        team.record_pages("tip@v1.0.0")

    assert [page.number for page in team.history.pages(TAG, Verdicts)] == [1, 2, 3]
    assert team.history.passed(TAG)


def test_an_old_record_that_is_recorded_again_changes_nothing(team: Team) -> None:
    """Its pages are known already; they must not become the newest once more."""
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")
    team.record_pages("tip@v1.0.0")
    other = team.clone("elsewhere")
    other.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.99")
    other.up_to_verdicts("tip@v1.0.0")
    other.record_pages("tip@v1.0.0")

    team.record_pages("tip@v1.0.0")

    assert not team.history.passed(TAG)
    assert len(team.history.pages(TAG, Verdicts)) == 2


def test_runs_that_record_at_the_same_moment_lose_nothing(team: Team) -> None:
    """Each counts again when another took its numbers."""
    team.tag("tip@v1.0.0")
    teams = [team.clone(f"machine-{number}") for number in range(4)]
    for number, one in enumerate(teams):
        one.edit("policies/metrics.yaml", "positives: 100", f"positives: {10 + number}")
        one.up_to_verdicts("tip@v1.0.0")

    with ThreadPoolExecutor(len(teams)) as pool:
        list(pool.map(lambda one: one.record_pages("tip@v1.0.0"), teams))

    verdicts = team.history.pages(TAG, Verdicts)
    assert [page.number for page in verdicts] == [1, 2, 3, 4]
    assert len({page.key for page in verdicts}) == 4
    assert len(team.history.pages(TAG, Identity)) == 1


def test_a_window_is_a_line_and_an_incident_a_folder(live: Team) -> None:
    """A year of quiet weeks is twelve files; what was wrong has all its pages."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change={"bill": 1.0})
    live.look(date(2026, 3, 7))
    live.look(date(2026, 3, 14))

    month = live.workplace.ledger.read(f"{MODEL}/{ENVIRONMENT}/windows/2026-03.jsonl") or b""
    lines = [json.loads(line) for line in month.decode().splitlines()]
    assert [line["window"]["end"] for line in lines] == ["2026-03-07", "2026-03-14"]
    assert live.history.incidents(MODEL, ENVIRONMENT) == ["2026-03-14-drift"]
    folder = f"{MODEL}/{ENVIRONMENT}/incidents/2026-03-14-drift"
    assert names(live, folder) == ["incident-verdicts.1.json", "issue.1.json", "window.1.json"]


def test_a_window_that_is_recorded_twice_is_one_line(live: Team) -> None:
    """A scheduled job that ran twice has not seen two weeks."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look(date(2026, 3, 7))
    live.look(date(2026, 3, 7))

    record_pages.run_on_windows([live.window(date(2026, 3, 7))], ledger=live.workplace.ledger)

    assert len(live.history.windows(MODEL, ENVIRONMENT, version="v1.0.0")) == 1
    month = live.workplace.ledger.read(f"{MODEL}/{ENVIRONMENT}/windows/2026-03.jsonl") or b""
    assert len(month.splitlines()) == 1


def test_late_labels_are_a_second_line_and_the_newest_counts(live: Team) -> None:
    """Labels come days after the rows; the week is measured again, and counts once."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7), labelled=False)
    live.look(date(2026, 3, 7))
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look(date(2026, 3, 7))

    windows = live.history.windows(MODEL, ENVIRONMENT, version="v1.0.0")
    assert [window.labelled for window in windows] == [840]


def test_a_failed_release_is_recorded_too(team: Team) -> None:
    """The next number is compared with what passed, and reconcile must not try this one for ever."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    team.up_to_verdicts("tip@v1.0.0")
    team.record_pages("tip@v1.0.0")

    assert not team.history.passed(TAG)
    assert list(team.history.passed_versions(MODEL)) == []


def test_a_run_that_broke_off_is_an_attempt_each_time(team: Team) -> None:
    """How often it was tried, and under which policies, decides whether it is tried again."""
    tag = team.tag("tip@v1.0.0")
    for number in (1, 2, 2):
        team.break_off(tag, number=number)

    attempts = team.history.pages(TAG, Attempt)
    assert [page.body.jobs["fetch"] for page in attempts] == ["failure", "failure"]
    assert [page.reads["run"] for page in attempts] == ["1", "2"]
    assert names(team) == ["attempt.1.json", "attempt.2.json"]


def test_a_run_that_came_to_its_end_is_no_attempt(team: Team) -> None:
    """Neither with a pull request nor with a refusal."""
    all_well = {"fetch": JobResult.SUCCESS, "examine": JobResult.SUCCESS}
    team.release(team.tag("tip@v1.0.0"))
    team.up_to_verdicts(team.publish("tip@v1.0.1", Tip(bias=-0.35)))

    assert _note(team, "tip@v1.0.0", all_well) is None
    assert _note(team, "tip@v1.0.1", all_well) is None
    assert _note(team, "tip@v1.0.1", {**all_well, "examine": JobResult.FAILURE}) is not None


def test_a_verdict_without_a_pull_request_is_an_attempt(team: Team) -> None:
    """All jobs before the last one went well, and the last one could not push the image."""
    team.up_to_verdicts(team.tag("tip@v1.0.0"))
    assert _note(team, "tip@v1.0.0", {"examine": JobResult.SUCCESS}) is not None


def test_broken_policies_do_not_keep_an_attempt_from_being_recorded(team: Team) -> None:
    """They may be why the run broke off."""
    team.write("policies/metrics.yaml", "limit: {f1: none}\n")
    team.break_off(team.tag("tip@v1.0.0"))
    assert names(team) == ["attempt.1.json"]


def test_windows_and_a_heartbeat_are_one_commit_and_once_a_day(live: Team) -> None:
    """The ledger's history is read by people; and a second run of a day has seen nothing more."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look_only(date(2026, 3, 7))
    ledger, beat = live.workplace.ledger, record_pages.Heartbeat("watch", date(2026, 3, 8), "https://example.org/1")
    before = live.workplace.forge.head("ledger")

    first = record_pages.run_on_windows([live.window(date(2026, 3, 7))], ledger=ledger, beat=beat)
    again = record_pages.run_on_windows([live.window(date(2026, 3, 7))], ledger=ledger, beat=beat)

    assert first == again and before is not None
    assert len(live.workplace.forge.commits("ledger", beyond=before)) == 1
    assert live.history.heartbeat("watch") == date(2026, 3, 8)
    assert len(live.history.windows(MODEL, ENVIRONMENT, version="v1.0.0")) == 1
    assert live.history.models() == [MODEL]


def test_another_machine_on_the_same_day_finds_the_same_incident(live: Team) -> None:
    """A shard that is started again has an empty disk; what was found and done before lies in the ledger."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change={"bill": 1.0})
    live.look(date(2026, 3, 7))
    live.look(date(2026, 3, 14))
    head = live.workplace.forge.head("ledger")
    shutil.rmtree(live.workplace.state / "windows")

    live.look(date(2026, 3, 14))

    assert live.workplace.forge.head("ledger") == head


def _note(team: Team, tag: str, jobs: dict[str, JobResult]) -> Page[Attempt] | None:
    of = record_pages.Run(id="7", attempt="1")
    return record_pages.note_attempt(
        ReleaseTag.parse(tag), jobs=jobs, of=of, today=date(2026, 6, 1), workplace=team.workplace
    )
