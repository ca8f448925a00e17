"""`slipway doctor` in a generated repository: it knows each file of the template, and what was done to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import template_files
from slipway.domain.checkup.seen import SeenFiles
from slipway.domain.checkup.work_tree import LISTED

from tests.template.bench import Bench

YOURS = {
    "policies/drift.yaml",
    "monitoring/rules.yml",
    "deploy/quarantine.yaml",
    "models/flight-delay/model.yaml",
    "tests/models/flight-delay/test_scores.py",
    ".github/rulesets/ledger.json",
    "slipway.yaml",
    "README.md",
    "CODEOWNERS",
}


@pytest.fixture
def team(template: Path, bench: Bench) -> Path:
    """A repository made by cruft, committed."""
    return bench.made_by_cruft(template)


def _append(folder: Path, name: str) -> None:
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write("# ours\n")


def test_a_fresh_repository_has_nothing_to_tell(template: Path, team: Path, bench: Bench) -> None:
    """The hook that writes the list and the adapter that reads it are two programs: they must mean the same bytes."""
    commit = bench.git(template, "rev-parse", "HEAD").strip()

    assert template_files.look(team) == SeenFiles(template=commit, changed={})


def test_the_list_holds_all_that_is_ours_and_nothing_that_is_yours(team: Path, bench: Bench) -> None:
    """A file that is missing in it can be edited without a word; one too many is told to a team for its own work."""
    listed = {line.split("  ", 1)[1] for line in (team / LISTED).read_text().splitlines()}
    tracked = set(bench.git(team, "ls-files").splitlines())

    assert not listed & YOURS and tracked >= YOURS
    rest = {name for name in tracked - listed if Path(name).parts[0] not in ("deploy", "models", "policies")}
    written = {".cruft.json", ".gitattributes", ".gitignore", LISTED, "CODEOWNERS", "README.md", "slipway.yaml"}
    theirs = (".github/rulesets/", "tests/models/", "monitoring/")
    assert {name for name in rest if not name.startswith(theirs)} == written
    assert "monitoring/grafana/slipway.json" in listed  # generated from what is ours
    assert any(name.startswith("policies/schemas/") for name in listed)


def test_edits_deletions_and_leftovers_of_a_generated_repository_are_seen(team: Path) -> None:
    """What a person planted is found by name; an edit of a schedule, or of what is yours, is not told."""
    for name in ("Makefile", ".github/workflows/release.yml", *YOURS):
        _append(team, name)
    workflow = team / ".github/workflows/watch.yml"
    workflow.write_text(workflow.read_text().replace('cron: "17 5 * * *"', 'cron: "1 1 * * *"'))
    (team / "actions/judge/action.yml").unlink()
    (team / "serving/server.py.rej").write_text("@@ -1 +1 @@\n")
    (team / "policies/metrics.yaml").write_text("<<<<<<< ours\n=======\n>>>>>>> theirs\n")

    seen = template_files.look(team)

    expected = {"Makefile": "edited", ".github/workflows/release.yml": "edited", "actions/judge/action.yml": "deleted"}
    assert seen.changed == expected
    assert (seen.marked, seen.rejected) == (("policies/metrics.yaml",), ("serving/server.py.rej",))


def test_an_update_brings_its_own_list(template: Path, team: Path, bench: Bench) -> None:
    """Else each file that the template improves would be told as an edit of the team's."""
    _append(template, "zizmor.yml")
    bench.commit(template, "Improve")
    _append(team, "Makefile")
    bench.commit(team, "Make it ours")

    done = bench.cruft("update", "-y", cwd=team)

    assert done.returncode == 0, done.stderr
    assert (team / "zizmor.yml").read_text().endswith("# ours\n")
    assert template_files.look(team).changed == {"Makefile": "edited"}


def test_generation_over_a_repository_lists_none_of_a_persons_files(template: Path, team: Path, bench: Bench) -> None:
    """They come back into linked folders, and are theirs."""
    (team / "tests/unit/test_of_ours.py").write_text("def test_it() -> None: ...\n")
    bench.generated(template, "-f", into=team.parent)

    assert (team / "tests/unit/test_of_ours.py").is_file()
    assert "test_of_ours" not in (team / LISTED).read_text()
    assert template_files.look(team).changed == {}
