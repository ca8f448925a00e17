"""What the workflows ask of the command line at night: shares, records of what ended how, and warnings."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from slipway.domain.release import Attempt
from slipway.domain.tag import ReleaseTag

from tests.team import Team, Tip, days_from
from tests.unit.cli.conftest import Run

NEEDS = {"fetch": {"result": "failure", "outputs": {}}, "convert": {"result": "skipped", "outputs": {}}}


def attempts(team: Team, tag: str) -> list[dict[str, str]]:
    return [dict(page.body.jobs) for page in team.history.pages(ReleaseTag.parse(tag), Attempt)]


def test_a_run_without_a_single_page_is_recorded_by_how_its_jobs_ended(team: Team, run: Run) -> None:
    """The first job failed: there is no artifact, and still somebody must be able to count it."""
    tag = team.publish("tip@v1.1.0", Tip(weight=0.0201))

    said = run("record-pages", f"--jobs={json.dumps(NEEDS, indent=2)}", "--", tag)

    assert said.code == 0, said.err
    assert attempts(team, tag) == [{"convert": "skipped", "fetch": "failure"}]


@pytest.mark.parametrize("subject", ["tip@1.0.0", "tip@v9.0.0", "a@b@v1.0.0"])
def test_a_run_of_what_is_no_tag_has_no_place_in_the_ledger(team: Team, run: Run, subject: str) -> None:
    """The run is red already; a second red step would hide why."""
    head = team.workplace.forge.head("ledger")

    said = run("record-pages", f"--jobs={json.dumps(NEEDS)}", "--", subject)

    assert said.code == 0 and "this run is not recorded: " in said.out
    assert team.workplace.forge.head("ledger") == head
    assert run("record-pages", "--", "tip@1.0.0").code == 2


@pytest.mark.parametrize("jobs", ["{", "[]", '{"fetch": {}}', '{"fetch": {"result": "sad"}}'])
def test_jobs_that_cannot_be_read_are_refused(run: Run, jobs: str) -> None:
    """A slip in the workflow must not be recorded as a run that went well."""
    said = run("record-pages", f"--jobs={jobs}", "--", "tip@v1.0.0")
    assert said.code == 2 and "toJSON(needs)" in said.err


def test_a_release_that_breaks_off_on_a_laptop_is_an_attempt(team: Team, run: Run) -> None:
    """As in the workflow."""
    tag = team.publish("tip@v1.1.0", Tip(weight=0.0201))  # its source is none that a framework reads

    assert run("release", tag).code == 2

    assert attempts(team, tag) == [{"release": "failure"}]


def test_the_plan_names_the_shards_that_have_something_to_look_at(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflow makes its matrix of it, and an empty matrix is an error."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))

    assert json.loads(run("watch", "--plan").out) == ["1/1"]
    written = (tmp_path / "output").read_text().splitlines()
    assert written[0].startswith("shards<<") and written[1] == "[1]"
    assert written[3].startswith("of<<") and written[4] == "1"
    assert written[6].startswith("elsewhere<<") and written[7] == "false"  # it serves on the machine that asks

    team.edit("slipway.yaml", "image_registry: layout:.slipway/registry", "image_registry: ghcr.io/waiters")
    team.edit("slipway.yaml", "environments:", "rollout_engine: flux\nenvironments:")
    run("watch", "--plan")
    assert (tmp_path / "output").read_text().splitlines()[-2] == "true"

    team.commit("Bring what was merged")
    (team.root / "deploy/production/tip/kustomization.yaml").unlink()
    team.commit("Deploy nothing")
    assert json.loads(run("watch", "--plan").out) == []


@pytest.mark.parametrize("words", [["--all", "--plan"], ["tip", "--shard", "1/2"], ["--all", "--shard", "3/2"]])
def test_a_share_is_one_of_all(run: Run, words: list[str]) -> None:
    """A share of one model, or the third of two, would look at nothing and say that all is well."""
    assert run("watch", *words).code == 2


def test_shards_record_nothing_and_the_last_job_does_it_at_once(team: Team, run: Run, tmp_path: Path) -> None:
    """The ledger has one writer a night."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    head = team.workplace.forge.head("ledger") or ""
    run("watch", "--all", "--shard", "1/1", "--until", "2026-03-07")
    assert team.workplace.forge.head("ledger") == head
    (tmp_path / "received").mkdir()
    (team.workplace.state / "windows").rename(tmp_path / "received" / "watched-0")

    said = run("record-watch", "--from", str(tmp_path / "received"))

    assert said.code == 0, said.err
    assert "received tip in production, window to 2026-03-07" in said.out
    assert len(team.workplace.forge.commits("ledger", beyond=head)) == 1
    assert len(team.history.windows("tip", "production", version="v1.0.0")) == 1
    assert team.history.heartbeat("watch") is not None


def test_a_watch_of_all_on_a_laptop_is_one_commit(team: Team, run: Run) -> None:
    """As in the workflow; and a second one changes nothing."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    head = team.workplace.forge.head("ledger") or ""

    run("watch", "--all", "--until", "2026-03-07")
    run("watch", "--all", "--until", "2026-03-07")

    assert len(team.workplace.forge.commits("ledger", beyond=head)) == 1


def test_reconcile_without_start_only_tells(team: Team, run: Run) -> None:
    """A person who looks must not start what a schedule starts, nor open issues."""
    head = team.workplace.forge.head("ledger")

    said = run("reconcile", "--on", "2026-09-01")

    assert "not watched: tip in production, last never" in said.out
    assert team.workplace.forge.open_issues() == []
    assert team.workplace.forge.head("ledger") == head


def test_check_manifests_warns_of_a_schedule_that_stopped(
    team: Team, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on every pull request: a schedule that stopped is seen by whoever works here."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    today = datetime.now(UTC).date()
    team.note_heartbeat("watch", today - timedelta(days=9))
    team.note_heartbeat("reconcile", today)

    said = run("check-manifests")

    assert said.code == 0
    assert f"::warning::watch ran last on {today - timedelta(days=9)}" in said.err
    assert "reconcile" not in said.err


def test_the_watch_is_exported_to_a_file_that_node_exporter_reads(team: Team, run: Run, tmp_path: Path) -> None:
    """The same as is printed; it takes each file of the folder that ends in .prom, at any moment."""
    file = tmp_path / "slipway.prom"
    told = 'slipway_deployed{environment="production",model="tip",version="v1.0.0"} 1.0'

    assert told in run("export-watch").out
    assert run("export-watch", "--out", str(file)).code == 0
    assert told in file.read_text() and file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["slipway.txt", "no-such-folder/slipway.prom"])
def test_a_file_that_nobody_would_read_is_refused(team: Team, run: Run, tmp_path: Path, name: str) -> None:
    """Each night it would be written, and no alert would ever be told."""
    said = run("export-watch", "--out", str(tmp_path / name))
    assert said.code == 2 and "must end in .prom" in said.err


def test_a_gateway_that_nobody_reaches_is_an_error_of_its_own(team: Team, run: Run) -> None:
    """Not a verdict about a model; the next hour tries again."""
    assert run("export-watch", "--push-to", "http://127.0.0.1:1").code == 12


def test_what_runs_is_compared_by_exit_codes_that_tell_bad_from_unseen(team: Team, run: Run) -> None:
    """Whoever asks from a script acts on them: mend, or ask again."""
    said = run("status", "--live")
    assert said.code == 10 and "nothing runs" in said.out
    (row,) = json.loads(run("status", "--live", "--json").out)["rows"]
    assert (row["model"], row["wanted"], row["state"]) == ("tip", "v1.0.0", "nothing runs")

    place = team.workplace.state / "rollout" / "production" / "tip"
    place.mkdir(parents=True)
    (place / "live.json").write_text("[]")
    said = run("status", "--live")
    assert said.code == 12 and "could not look" in said.out and "mend: delete" in said.out


def test_on_a_hosted_runner_there_is_nothing_to_compare(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine is new each time: that nothing runs there says nothing."""
    monkeypatch.setenv("RUNNER_ENVIRONMENT", "github-hosted")
    said = run("status", "--live", "--issue")
    assert (said.code, said.out) == (0, "nothing to compare: what a hosted runner serves ends with its run\n")


def test_an_issue_is_about_what_runs(run: Run) -> None:
    """`status --issue` alone would seem to have looked."""
    said = run("status", "--issue")
    assert said.code == 2 and "say --live, too" in said.err
