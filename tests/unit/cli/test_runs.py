"""Whole runs: what `watch --all` and `reconcile --start` do where there is nothing to do, or nobody to do it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters.rollout.process import stop_all
from slipway.cli.engines import process_engine
from slipway.domain.release import Announcement
from slipway.domain.tag import ReleaseTag

from tests.team import Team, Tip, days_from
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("given", ["tip", "v1.0.0", "tip@v1"])
def test_a_release_of_what_is_no_tag_says_so_and_nothing_else(run: Run, given: str) -> None:
    """Who types the model alone must hear of the version that lacks, not of a watch that they never asked for."""
    said = run("release", given)

    assert said.code == 2
    assert said.err.startswith(f"`{given}` is no release tag")
    assert (said.out, "window" in said.err) == ("", False)


@pytest.mark.parametrize("words", [[], ["tip", "--all"], ["--all", "--environment", "production"]])
def test_a_watch_is_of_one_model_or_of_all(run: Run, words: list[str]) -> None:
    """Two answers to "which?" are one too many."""
    said = run("watch", *words)

    assert said.code == 2
    assert "name a model, or say --all" in said.err


def test_a_watch_of_all_ends_with_the_worst_of_them(team: Team, run: Run) -> None:
    """What could not be looked at must not hide behind what is well."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    image = f"name: another, newTag: latest, digest: sha256:{'0' * 64}"
    team.write("deploy/production/another/kustomization.yaml", f"images: [{{{image}}}]\n")
    team.commit("Deploy by hand")

    said = run("watch", "--all", "--until", "2026-03-07")

    assert "deployed: another in production\ndeployed: tip in production" in said.out
    assert "deploy/production/another/kustomization.yaml" in said.err
    assert said.code in {2, 11}  # the manifest's, or a young version's lack of days
    assert "v1.0.0, 2026-03-01 to 2026-03-07" in said.out
    assert team.history.windows("tip", "production", version="v1.0.0") != ()


def test_a_watch_leaves_a_report_of_each_window_and_a_summary_of_the_run(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one for who was sent there, the other for who looks at the run."""
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change={"bill": 1.0}, labelled=False)
    team.look(date(2026, 3, 7))

    run("watch", "--all", "--until", "2026-03-14")

    html = (team.window(date(2026, 3, 14)).folder / "report.html").read_text(encoding="utf-8")
    assert "Issue 2 was opened" in " ".join(html.split())
    assert "| tip | production | v1.0.0 | 2026-03-08 to 2026-03-14 |" in page.read_text(encoding="utf-8")
    assert "`bill`" in html or "<code>bill</code>" in html
    assert set(team.window(date(2026, 3, 14)).contents()) >= {"window.1.json", "issue.1.json"}
    head = team.workplace.forge.head("ledger")
    assert head is not None
    assert not [path for path in team.workplace.forge.list_files(head) if path.endswith(".html")]


def test_a_folder_starts_no_workflow_and_says_what_does(team: Team, run: Run) -> None:
    """`reconcile` tells what is due on a laptop as well; there a person runs it."""
    team.publish("tip@v1.1.0", Tip(weight=0.0201))

    said = run("reconcile", "--start")

    assert said.code == 2
    assert "no workflow `release.yml`" in said.err
    assert "mend: run it here: slipway release tip@v1.1.0" in said.err


def test_nothing_due_starts_nothing(rolling: Team, run: Run) -> None:
    """Most nights."""
    assert run("rollout", "--all").code == 0

    said = run("reconcile", "--start")

    assert said.code == 0, said.err
    assert "due: " not in said.out


def test_a_rollout_that_no_event_started_is_due_too_and_a_person_runs_it_here(team: Team, run: Run) -> None:
    """A folder starts nothing by itself, and says which command does."""
    said = run("reconcile", "--start")

    assert said.code == 2
    assert "to be rolled out: tip in production" in said.out
    assert "mend: run it here: slipway rollout tip --environment production" in said.err


@pytest.fixture
def rolling(team: Team) -> Iterator[Team]:
    """What it rolls out is stopped."""
    yield team
    stop_all(team.workplace.state / "rollout")


@pytest.mark.parametrize("words", [[], ["tip", "--all"]])
def test_a_rollout_is_of_one_model_or_of_all(run: Run, words: list[str]) -> None:
    """Two answers to "which?" are one too many."""
    assert "name a model, or say --all" in run("rollout", *words).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tipp"], "models/tipp/model.yaml does not exist"),
        (["--all", "--environment", "staging"], "`staging` is none of slipway.yaml's environments: production"),
    ],
)
def test_a_misspelt_rollout_is_refused(run: Run, words: list[str], said: str) -> None:
    """It would never be due, and that would look like success."""
    done = run("rollout", *words)
    assert done.code == 2
    assert said in done.err


def test_what_is_due_is_rolled_out_announced_and_recorded_once(rolling: Team, run: Run) -> None:
    """One command after each merge, on a laptop as in the workflow."""
    first = run("rollout", "--all")

    assert first.code == 0, first.err
    assert "due: tip in production" in first.out
    assert "tip in production: v1.0.0 is live, 50 of 50 golden answers" in first.out
    assert "v1.0.0 is announced, its notes: " in first.out
    assert rolling.history.page(ReleaseTag.parse("tip@v1.0.0"), Announcement) is not None
    again = run("rollout", "tip", "--environment", "production")
    assert (again.code, again.out) == (0, "nothing is due\n")


def test_one_rollout_that_fails_stops_no_other_and_ends_the_command(rolling: Team, run: Run) -> None:
    """Models share a workflow, not their fate; and a failure must stay one."""
    image = f"name: another, newTag: v1.0.0, digest: sha256:{'0' * 64}"
    rolling.write("deploy/production/another/kustomization.yaml", f"images: [{{{image}}}]\n")
    rolling.commit("Deploy by hand")

    said = run("rollout", "--all")

    assert said.code == 2
    assert "another@v1.0.0, which the manifest names, has no passing verdicts in the ledger" in said.err
    assert "v1.0.0 is announced" in said.out


def test_what_would_be_rolled_out_is_told_and_left(team: Team, run: Run) -> None:
    """Before the first merge that anybody trusts to a workflow."""
    said = run("rollout", "--all", "--dry-run")

    assert said.code == 0
    assert "due: tip in production" in said.out
    assert "nothing was written; it would be: tip in production: v1.0.0 is served from sha256:" in said.out
    assert not (team.workplace.state / "rollout").exists()
    assert team.history.page(ReleaseTag.parse("tip@v1.0.0"), Announcement) is None


def test_on_a_hosted_runner_it_is_said_that_nothing_stays(
    rolling: Team, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine is gone with the job; a deployment would be a lie."""
    monkeypatch.setenv("RUNNER_ENVIRONMENT", "github-hosted")

    said = run("rollout", "--all")

    assert "50 of 50 golden answers; it ends with this run, for a hosted runner keeps no server" in said.out
    assert rolling.workplace.forge.deployment("production/tip") is None


def test_a_runner_that_stays_finds_what_it_serves_though_its_checkout_was_emptied(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each job of GitHub cleans the workspace first; a server that is lost would serve beside the next one."""
    monkeypatch.setenv("RUNNER_ENVIRONMENT", "self-hosted")
    monkeypatch.setenv("GITHUB_REPOSITORY", "waiters/tips")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    state = process_engine(team.workplace).state

    assert state == tmp_path / "state" / "slipway" / "waiters" / "tips" / "rollout"
