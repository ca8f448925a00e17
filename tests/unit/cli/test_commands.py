"""What commands print, hand over and leave alone."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.trees import digest_of_tree
from slipway.domain.pages import Body
from slipway.domain.release import Image, Proposal, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.steps import resolve_tag

from tests.team import MODEL, Team, Tip, days_from
from tests.unit.cli.conftest import Run


def page_on_disk(team: Team, tag: str, kind: type[Body]) -> object:
    newest = team.record(tag).page(kind, written_by="its step")
    return json.loads((team.record(tag).folder / newest.file_name).read_bytes())


def everything(team: Team) -> str:
    """Checkout, state, registry, bare repository, pull requests, issues and ledger."""
    return digest_of_tree(team.root.parent)


# --- results ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "kind"), [("judge", Verdicts), ("build-image", Image), ("bump-manifest", Proposal)]
)
def test_json_is_the_page(team: Team, run: Run, command: str, kind: type[Body]) -> None:
    """A program that reads stdout and one that reads the record see the same."""
    team.measure(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    steps = ["judge", "build-image", "bump-manifest"]
    for step in steps[: steps.index(command)]:
        run(step, "tip@v1.1.0")

    said = run(command, "tip@v1.1.0", "--json")

    assert said.code == 0
    assert json.loads(said.out) == page_on_disk(team, "tip@v1.1.0", kind)


def test_status_is_a_table_or_json(run: Run) -> None:
    """The same rows for people and for programs."""
    assert "v1.0.0" in run("status").out
    assert [row["version"] for row in json.loads(run("status", "--json").out)["rows"]] == ["v1.0.0"]


@pytest.mark.parametrize(
    "words", [("tell-mlflow", MODEL), ("fetch-source", "tip@v1.0.0"), ("verify-rollout", MODEL, "--canary")]
)
def test_where_there_is_no_page_json_says_null(run: Run, words: tuple[str, ...]) -> None:
    """A program that is given a sentence in place of JSON ends with an error of its own."""
    said = run(*words, "--json")

    assert (said.code, json.loads(said.out)) == (0, None)


def test_an_environment_that_is_none_is_told_wherever_all_is_meant(run: Run) -> None:
    """A misspelt one would have nothing to tell for ever, and nobody would see it."""
    said = run("tell-mlflow", "--all", "--environment", "prodution")

    assert said.code == 2
    assert "`prodution` is none of slipway.yaml's environments: production" in said.err


def test_progress_goes_to_stderr_and_quiet_leaves_only_what_goes_wrong(team: Team, run: Run) -> None:
    """`slipway … --json | jq` must see JSON alone."""
    team.up_to_verdicts(team.publish("tip@v1.1.0", Tip(weight=0.0201)))

    loud = run("build-image", "tip@v1.1.0")
    quiet = run("--quiet", "build-image", "tip@v1.1.0")

    assert "slipway: appending a layer" in loud.err
    assert quiet.err == ""
    assert loud.out == quiet.out


def test_a_refused_release_reads_in_the_terminal_as_its_issue_says(team: Team, run: Run) -> None:
    """First what is wrong, then each problem with its mend."""
    team.measure(team.publish("tip@v1.1.0", Tip(inputs=("bill", "kitchen", "guests")), message="Count the guests"))

    said = run("judge", "tip@v1.1.0")

    assert said.code == 10
    assert said.out == (
        "tip@v1.1.0 breaks the promise of a minor version: fail\n"
        "  input `guests` (float32) is new; v1.0.0, the highest passed version, did not ask for it\n"
        "  mend: state the break in models/tip/README.md, commit, then\n"
        '        git tag -a tip@v2.0.0 -m "Count the guests" && git push origin tip@v2.0.0\n'
    )


def test_in_a_workflow_a_verdict_is_an_output_and_the_step_goes_on(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evidence must be recorded before the run fails; the last step fails it."""
    team.measure(team.publish("tip@v1.1.0", Tip(bias=-0.35)))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))

    said = run("judge", "tip@v1.1.0")

    assert said.code == 0
    name, value, end = (tmp_path / "outputs").read_text().splitlines()
    assert (name, value) == (f"verdict<<{end}", "fail")
    assert "is not good enough: fail" in (tmp_path / "summary").read_text()


def test_a_window_is_judged_in_lines_that_fit_a_log(team: Team, run: Run) -> None:
    """A row a question, with its answer."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    run("measure-drift", MODEL, "--until", "2026-03-07")

    said = run("judge", MODEL, "--until", "2026-03-07")

    assert said.code == 11
    title, *rows = said.out.splitlines()
    assert title == "tip, production: v1.0.0 is quiet"
    *asked, last = rows
    assert [row.partition("?")[0].strip() for row in asked] == [
        "F1 worse than allowed",
        "Would a version before do better, same rows",
        "Did inputs drift",
        "Can the watch be trusted",
    ]
    assert last.startswith("  report: ") and last.endswith("/report.html")


# --- dry runs -----------------------------------------------------------------------------------------------


def test_dry_runs_of_a_release_write_nothing_and_say_what_they_would(team: Team, run: Run) -> None:
    """Forge, registry, ledger and state are the same to the byte."""
    team.up_to_verdicts(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    before = everything(team)
    image = run("build-image", "tip@v1.1.0", "--dry-run")
    record = run("record-pages", "tip@v1.1.0", "--dry-run")
    assert everything(team) == before
    run("build-image", "tip@v1.1.0")
    before = everything(team)

    bump = run("bump-manifest", "tip@v1.1.0", "--dry-run")
    issue = run("file-issue", "tip@v1.1.0", "--dry-run")

    assert everything(team) == before
    assert [said.code for said in (image, record, bump, issue)] == [0, 0, 0, 0]
    assert "dry run: would push the image tip:v1.1.0 as sha256:" in image.err
    assert image.out.startswith("dry run, nothing was written; it would be: tip@v1.1.0: image sha256:")
    assert "dry run: would commit to `ledger`: tip/v1.1.0/conversion.1.json" in record.err
    assert "dry run: would open a pull request of `release/production/tip/v1.1.0` into `main`" in bump.err
    assert "it would be: tip@v1.1.0: pull request (new): " in bump.out
    assert "dry run: would mark commit" in issue.err


def test_the_digest_of_a_dry_run_is_the_one_that_is_pushed(team: Team, run: Run) -> None:
    """A dry run that computed something else would be worth nothing."""
    team.up_to_verdicts(team.publish("tip@v1.1.0", Tip(weight=0.0201)))

    dry = json.loads(run("build-image", "tip@v1.1.0", "--dry-run", "--json").out)
    real = json.loads(run("build-image", "tip@v1.1.0", "--json").out)

    assert dry["body"] == real["body"]


def test_a_dry_run_hands_nothing_to_the_workflow(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step after it would work on a pull request 0."""
    team.up_to_verdicts(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    run("build-image", "tip@v1.1.0")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))

    run("bump-manifest", "tip@v1.1.0", "--dry-run")

    assert not (tmp_path / "outputs").exists()


def test_a_merge_is_told_and_not_made(team: Team, run: Run) -> None:
    """And then made."""
    pull = team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201))).body.pull
    before = everything(team)

    said = run("merge", str(pull), "--dry-run")

    assert everything(team) == before
    assert said.out.startswith(f"dry run, nothing was written; it would be: merged #{pull}")
    assert run("merge", str(pull)).out.startswith(f"merged #{pull} as ")


def test_dry_runs_of_the_watch_write_nothing(team: Team, run: Run) -> None:
    """Two weeks in which the version before would have done better."""
    team.release(team.publish("tip@v2.0.0", Tip(bias=0.1), breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=date(2026, 4, 1))
    team.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=Tip(bias=0.1))
    team.look(date(2026, 4, 7))
    team.look_only(date(2026, 4, 14))
    window = (MODEL, "--until", "2026-04-14", "--dry-run")
    before = everything(team)

    revert, issue, record = (run(step, *window) for step in ("revert-manifest", "file-issue", "record-pages"))
    rollback = run("rollback", MODEL, "--to", "v1.0.0", "--dry-run")

    assert everything(team) == before
    assert "dry run: would open a pull request of `revert/production/tip/v2.0.0-to-v1.0.0`" in revert.err
    assert "dry run: would open an issue: tip, production: go back from v2.0.0 to v1.0.0" in issue.err
    assert "dry run: would commit to `ledger`: " in record.err
    assert rollback.out == "dry run, nothing was written; it would be: pull request (new): tip back to v1.0.0\n"


def test_a_new_model_is_planned_and_not_laid_down(team: Team, run: Run) -> None:
    """Each file by name."""
    before = everything(team)

    said = run("new-model", "late-fee", "--dry-run")

    assert everything(team) == before
    assert len([line for line in said.out.splitlines() if line.startswith("would write ")]) == 4


# --- check --------------------------------------------------------------------------------------------------


def prepare(team: Team) -> None:
    """Convert the working tree beforehand: no framework is started in these tests."""
    resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace)
    team.convert(team.workplace.check(MODEL))


def test_check_writes_nothing_outside_of_its_folder(team: Team, run: Run) -> None:
    """It runs on what a developer is in the middle of."""
    team.write_model(Tip(weight=0.0201))
    prepare(team)
    (team.root / "untracked.txt").write_text("mine")

    def outside() -> list[object]:
        status = git.run("status", "--short", cwd=team.root)  # first, since it writes git's index anew
        places = [team.bare, *(path for path in sorted(team.root.iterdir()) if path.name != ".slipway")]
        return [status, *map(digest_of_tree, places)]

    before = outside()
    said = run("check", MODEL)

    assert said.code == 0
    assert outside() == before


def test_check_names_the_smallest_bump_and_the_two_lines_to_paste(team: Team, run: Run) -> None:
    """And where the text of the pull request lies."""
    team.write_model(Tip(weight=0.0201))
    prepare(team)

    said = run("check", MODEL)

    *_, smallest, _paste, tag, push, _empty, text = said.out.splitlines()
    assert smallest == "The smallest bump that passes: minor, v1.1.0."
    assert tag.startswith("  git tag -a tip@v1.1.0 -m ")
    assert push == "  git push origin tip@v1.1.0"
    assert Path(text.removeprefix("The pull request would read: ")).read_text().startswith("**")


def test_check_offers_no_number_that_is_tagged(team: Team, run: Run) -> None:
    """The pasted line would end with `tag already exists`."""
    team.publish("tip@v1.1.0", Tip(weight=0.05))
    team.write_model(Tip(weight=0.0201))
    prepare(team)

    said = run("check", MODEL)

    assert "The smallest bump that passes: minor, v1.2.0." in said.out


def test_check_run_twice_says_the_same(team: Team, run: Run) -> None:
    """Its pages are found again, whichever promise was judged last."""
    team.write_model(Tip(weight=0.0201))
    prepare(team)

    first, again = run("check", MODEL), run("check", MODEL)

    assert (again.code, again.out) == (first.code, first.out)
    assert again.err == ""  # nothing was measured again


def test_the_parts_of_a_check_say_in_jobs_of_their_own_what_the_whole_says(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull request is checked in three jobs; the one that examines has no token, so forge and registry are gone."""
    team.write_model(Tip(weight=0.0201))
    prepare(team)
    whole = run("check", MODEL)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))

    fetched, converted = run("check", "--only", "fetch", MODEL), run("check", "--only", "convert", MODEL)
    team.bare.rename(tmp_path / "gone")
    git.run("init", "--quiet", "--bare", "--initial-branch=main", str(team.bare), cwd=tmp_path)
    team.lose_images()
    examined = run("check", "--only", "examine", MODEL)

    assert fetched.out == "tip: to be compared with v1.0.0\n"
    assert converted.out.startswith("tip: model.onnx, ")
    assert examined.out == whole.out
    assert [said.code for said in (fetched, converted, examined)] == [0, 0, 0]
    name, value, end = (tmp_path / "outputs").read_text().splitlines()
    assert (name, value) == (f"verdict<<{end}", "pass")
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("### `tip` v1.0.0 → v1.1.0 (minor): pass\n")
    assert (team.workplace.check(MODEL).folder / "pull-request.md").read_text() in summary


def test_a_check_that_fails_hands_its_verdict_over(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step of its job fails by it, after the summary was written."""
    team.write_model(Tip(bias=-0.35))
    prepare(team)
    assert run("check", MODEL).code == 10
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))

    assert run("check", "--only", "examine", MODEL).code == 0
    assert (tmp_path / "outputs").read_text().splitlines()[1] == "fail"


def test_what_another_job_converted_is_received_for_a_check(team: Team, run: Run, tmp_path: Path) -> None:
    """By the name of the model: nothing is tagged yet."""
    prepare(team)
    record = team.workplace.check(MODEL)
    received = tmp_path / "received"
    received.mkdir()
    (record.folder / "conversion.1.json").rename(received / "conversion.1.json")
    shutil.copytree(record.folder / "blobs", received / "blobs")

    said = run("receive-pages", "--from", str(received), "--kind", "conversion", MODEL)

    assert said.out == "tip: received conversion.1.json\n"
    assert run("check", "--only", "examine", MODEL).code == 0


# --- whole runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_a_workflow", [False, True])
def test_a_whole_release_that_fails_ends_with_an_issue_and_its_pages(
    team: Team, run: Run, monkeypatch: pytest.MonkeyPatch, in_a_workflow: bool
) -> None:
    """In a workflow a verdict's exit code is 0; the page decides that there is no image."""
    if in_a_workflow:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    team.publish("tip@v1.1.0", Tip(bias=-0.35))
    resolve_tag.run("tip@v1.1.0", workplace=team.workplace)
    team.convert(team.record("tip@v1.1.0"))

    said = run("release", "tip@v1.1.0")

    assert said.code == (0 if in_a_workflow else 10)
    assert "tip@v1.1.0 is refused" in said.out
    assert team.record("tip@v1.1.0").latest(Image) is None
    assert len(team.workplace.forge.open_issues()) == 1
    assert "verdicts.1.json" in team.history.pages_of(ReleaseTag.parse("tip@v1.1.0"))


def test_a_whole_release_that_passes_ends_with_a_pull_request(team: Team, run: Run) -> None:
    """One command on a laptop does what four jobs do in a workflow."""
    team.publish("tip@v1.1.0", Tip(weight=0.0201))
    resolve_tag.run("tip@v1.1.0", workplace=team.workplace)
    team.convert(team.record("tip@v1.1.0"))

    said = run("release", "tip@v1.1.0")

    assert said.code == 0
    assert [pull.branch for pull in team.workplace.forge.open_pulls()] == ["release/production/tip/v1.1.0"]
    assert "proposal.1.json" in team.history.pages_of(ReleaseTag.parse("tip@v1.1.0"))
