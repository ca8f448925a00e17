"""`cruft update` over what a team edited: what merges, what conflicts, and how a person finds out.

cruft exits with 0 and prints "Good work!" over conflicts, so each test looks by the line that the guide prints, and
`slipway doctor` must find the same files.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.template.bench import GOOD, ROOT, Bench

CRON = '    - cron: "17 5 * * *" # yours to edit\n'
FLOOR = "f1: {floor: 0.75, drop: 0.05}"


@pytest.fixture
def team(template: Path, bench: Bench) -> Path:
    """A repository made from the version before, committed."""
    return bench.made_by_cruft(template)


def _edit(folder: Path, name: str, before: str, after: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after, 1), encoding="utf-8")


def _update(bench: Bench, template: Path, team: Path) -> str:
    bench.commit(template, "Improve")
    bench.git(team, "commit", "--quiet", "--all", "--allow-empty", "--message", "Make it ours")
    done = bench.cruft("update", "-y", cwd=team)
    assert done.returncode == 0, done.stderr
    assert "Good work!" in done.stdout
    found = _look(bench, team)
    assert _told_by_doctor(bench, team) == set(found.split())
    return found


def _look(bench: Bench, team: Path) -> str:
    """What the guide's own line prints."""
    guide = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^(git diff --diff-filter=U.*?) +#", guide, flags=re.MULTILINE)
    done = bench.run("bash", "-ec", line, cwd=team)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _told_by_doctor(bench: Bench, team: Path) -> set[str]:
    """The leftovers that it names. The command of this checkout: the team's own would be the same code, installed."""
    if not bench.git(team, "remote"):
        bench.git(bench.folder, "init", "--quiet", "--bare", "team.git")
        bench.git(team, "remote", "add", "origin", str(bench.folder / "team.git"))
    done = bench.run(Path(sys.executable).parent / "slipway", "doctor", "--json", cwd=team)
    assert done.returncode in (0, 2), done.stderr
    (left,) = [each for each in json.loads(done.stdout)["findings"] if each["name"] == "leftovers of an update"]
    return set(re.findall(r"(\S+) (?:is not merged|was not applied|has a conflict's marks)", left["text"]))


def _marked(team: Path) -> set[str]:
    """The files with a conflict's marker in them."""
    files = [path for path in team.rglob("*") if path.is_file() and ".git" not in path.relative_to(team).parts]
    return {str(path.relative_to(team)) for path in files if b"\n<<<<<<< " in path.read_bytes()}


def test_edits_to_policies_cron_and_workflows_survive_an_update(template: Path, team: Path, bench: Bench) -> None:
    """These are the files that a team is told to edit; an update that loses one is the last that they take."""
    _edit(team, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.60, drop: 0.05}")
    _edit(team, ".github/workflows/watch.yml", CRON, '    - cron: "5 */6 * * *" # every six hours\n')
    _edit(team, ".github/workflows/on-tag.yml", "timeout-minutes: 5", "timeout-minutes: 15")
    _edit(template, "policies/metrics.yaml", "train it better", "train it longer")
    _edit(template, ".github/workflows/watch.yml", "name: Watch this share\n", "name: Look at this share\n")
    _edit(template, ".github/workflows/on-tag.yml", "name: Hand over\n", "name: Hand it over\n")

    assert _update(bench, template, team) == ""

    assert _marked(team) == set()
    for name, theirs, ours in (
        ("policies/metrics.yaml", "floor: 0.60", "train it longer"),
        (".github/workflows/watch.yml", "every six hours", "name: Look at this share\n"),
        (".github/workflows/on-tag.yml", "timeout-minutes: 15", "name: Hand it over\n"),
    ):
        text = (team / name).read_text(encoding="utf-8")
        assert theirs in text and ours in text, name


def test_conflicts_are_found_by_the_guides_look_and_nothing_of_the_team_is_lost(
    template: Path, team: Path, bench: Bench
) -> None:
    """Both changed the same lines: a person has to choose, and must hear of it although cruft is content."""
    _edit(team, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.60, drop: 0.05}")
    _edit(team, ".github/workflows/watch.yml", CRON, '    - cron: "5 */6 * * *" # every six hours\n')
    _edit(template, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.80, drop: 0.05}")
    _edit(template, ".github/workflows/watch.yml", CRON, '    - cron: "30 3 * * *" # yours to edit\n')
    conflicts = {"policies/metrics.yaml", ".github/workflows/watch.yml"}

    assert set(_update(bench, template, team).split()) == conflicts

    assert _marked(team) == conflicts
    assert "floor: 0.60" in (team / "policies/metrics.yaml").read_text()
    assert "floor: 0.80" in (team / "policies/metrics.yaml").read_text()
    assert "every six hours" in (team / ".github/workflows/watch.yml").read_text()


def test_marks_that_somebody_committed_are_told_by_doctor(template: Path, team: Path, bench: Bench) -> None:
    """Once `git add` was said, git takes the conflict for solved, and the guide's line prints nothing any more."""
    _edit(team, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.60, drop: 0.05}")
    _edit(template, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.80, drop: 0.05}")
    _update(bench, template, team)
    bench.commit(team, "Update Slipway")

    assert _look(bench, team) == ""
    assert _told_by_doctor(bench, team) == {"policies/metrics.yaml"}


def test_a_conflict_solved_in_the_file_is_not_asked_again(template: Path, team: Path, bench: Bench) -> None:
    """The update is over once its conflicts are: the next one begins where this one ended."""
    _edit(team, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.60, drop: 0.05}")
    _edit(template, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.80, drop: 0.05}")
    assert _update(bench, template, team).split() == ["policies/metrics.yaml"]
    policy = team / "policies" / "metrics.yaml"
    mine = re.sub(r"<<<<<<< .*\n(.*\n)=======\n.*\n>>>>>>> .*\n", r"\1", policy.read_text())
    policy.write_text(mine)
    bench.commit(team, "Update Slipway")

    again = bench.cruft("update", "-y", cwd=team)

    assert again.returncode == 0, again.stderr
    assert _told_by_doctor(bench, team) == set()
    assert bench.git(team, "status", "--porcelain") == ""
    assert "floor: 0.60" in policy.read_text() and "<<<<<<<" not in policy.read_text()


def test_a_file_that_was_reformatted_before_its_first_commit_leaves_a_reject(template: Path, bench: Bench) -> None:
    """Then git knows no common version, all of the update is applied as plain patches, and what fails is laid aside."""
    done = bench.create(template, into=bench.folder / "team")
    assert done.returncode == 0, done.stderr
    team = bench.folder / "team" / GOOD["repo_slug"]
    policy = team / "policies" / "metrics.yaml"
    policy.write_text(policy.read_text().replace(f"  {FLOOR}", f"    {FLOOR}").replace("  positives", "    positives"))
    bench.git(team, "init", "--quiet")
    bench.commit(team, "Generate, as our formatter likes it")
    _edit(template, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.80, drop: 0.05}")

    assert _update(bench, template, team).split() == ["policies/metrics.yaml.rej"]

    assert "floor: 0.75" in policy.read_text()


def test_a_file_that_the_team_deleted_stays_deleted(template: Path, team: Path, bench: Bench) -> None:
    """Whoever has no schedule at night took the file out on purpose."""
    (team / ".github" / "workflows" / "rollback.yml").unlink()
    _edit(template, ".github/workflows/rollback.yml", "name: Roll back\n", "name: Go back\n")

    _update(bench, template, team)

    assert not (team / ".github" / "workflows" / "rollback.yml").exists()


def test_an_update_over_uncommitted_work_changes_nothing(template: Path, team: Path, bench: Bench) -> None:
    """Merged into work that no commit holds, it could not be taken back."""
    _edit(template, "policies/metrics.yaml", "train it better", "train it longer")
    bench.commit(template)
    _edit(team, "policies/metrics.yaml", FLOOR, "f1: {floor: 0.60, drop: 0.05}")

    bench.cruft("update", "-y", cwd=team)

    assert bench.git(team, "status", "--porcelain").split() == ["M", "policies/metrics.yaml"]
    assert "train it better" in (team / "policies/metrics.yaml").read_text()
