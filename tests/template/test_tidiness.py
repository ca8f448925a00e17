"""What lies around in a local template stays there, and what a person had is never deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.template.bench import GOOD, PROJECT, Bench, Tree, tree

LITTER = (
    ".env",
    "scripts/.env",
    "scripts/slipway/__pycache__/errors.cpython-311.pyc",
    "policies/.mypy_cache/3.11/cache.db",
    "deploy/.slipway/notes.txt",
    "models/flight-delay/.venv/bin/python",
    f"{PROJECT}/.env",
    f"{PROJECT}/.slipway/registry/index.json",
    f"{PROJECT}/tests/models/__pycache__/x.pyc",
)
UNTRACKED = ("models/flight-delay/notes.ipynb", "deploy/production/fraud/kustomization.yaml", f"{PROJECT}/draft.md")
MINE = (
    ".env",
    "data/rows.csv",
    "deploy/production/fraud/kustomization.yaml",
    "models/fraud/model.yaml",
    "models/flight-delay/notes.md",
    "policies/house-rules.md",
    "scripts/mine.py",
    "tests/unit/test_mine.py",
)


def _write(root: Path, names: tuple[str, ...], content: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _read(root: Path, names: tuple[str, ...]) -> dict[str, str]:
    return {name: (root / name).read_text(encoding="utf-8") for name in names if (root / name).exists()}


def test_what_git_does_not_track_never_travels(template: Path, bench: Bench, clean_tree: Tree) -> None:
    """A key in a forgotten .env would be pushed by somebody else."""
    _write(template, (*LITTER, *UNTRACKED), "secret")
    (template / "serving" / "empty").mkdir()

    assert tree(bench.generated(template, into=bench.folder / "out")) == clean_tree


def test_what_tools_leave_behind_does_not_travel_from_an_export(template: Path, bench: Bench, clean_tree: Tree) -> None:
    """An exported folder has no git to ask, but its tools leave the same things behind."""
    shutil.rmtree(template / ".git")
    _write(template, LITTER, "secret")

    assert tree(bench.generated(template, into=bench.folder / "out")) == clean_tree


def test_a_relative_path_to_the_template_is_as_good(template: Path, bench: Bench, clean_tree: Tree) -> None:
    """cookiecutter tells a hook the path as it was typed, and not where it was typed."""
    _write(template, LITTER, "secret")
    done = bench.cookiecutter("slipway", into=bench.folder / "out", cwd=template.parent)

    assert done.returncode == 0, done.stderr
    assert tree(bench.folder / "out" / GOOD["repo_slug"]) == clean_tree


def test_modes_are_kept(template: Path, bench: Bench) -> None:
    """A script that lost its x bit fails in the middle of a release."""
    script = template / "scripts" / "ship"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    bench.commit(template)
    repository = bench.generated(template, into=bench.folder / "out")

    assert (repository / "scripts" / "ship").stat().st_mode & 0o777 == 0o755
    assert not (repository / "README.md").stat().st_mode & 0o111


def test_generating_over_a_repository_deletes_nothing(template: Path, bench: Bench) -> None:
    """cookiecutter -f replaces linked folders as a whole: what a person had in them would be gone."""
    repository = bench.generated(template, into=bench.folder / "out")
    _write(repository, MINE, "mine")
    _write(template, LITTER, "secret")
    bench.generated(template, "--overwrite-if-exists", into=bench.folder / "out")

    assert _read(repository, MINE) == dict.fromkeys(MINE, "mine")
    assert b"secret" not in {content for _, content in tree(repository).values()}
    assert not (repository / ".slipway-generation").exists()


def test_generating_over_a_repository_leaves_what_runs_and_the_models_alone(pristine: Path, bench: Bench) -> None:
    """An emptied quarantine would let a version back in that was taken back for a reason."""
    repository = bench.generated(pristine, into=bench.folder / "out")
    edited = ("deploy/quarantine.yaml", "models/flight-delay/README.md", "policies/drift.yaml", "README.md")
    _write(repository, edited, "mine")
    bench.generated(pristine, "--overwrite-if-exists", into=bench.folder / "out")

    kept = [name for name, content in _read(repository, edited).items() if content == "mine"]
    assert kept == ["deploy/quarantine.yaml", "models/flight-delay/README.md"]


def test_generating_over_a_repository_without_the_example_keeps_ones_own_model_of_that_name(
    pristine: Path, bench: Bench
) -> None:
    """The example is taken out again after it was copied; a model of the same name must not go with it."""
    repository = bench.folder / "out" / GOOD["repo_slug"]
    _write(repository, ("models/flight-delay/model.yaml",), "mine")
    answers = {"include_example": "no"}
    bench.generated(pristine, "--overwrite-if-exists", into=bench.folder / "out", answers=answers)

    assert tree(repository / "models" / "flight-delay").keys() == {"model.yaml"}
    assert (repository / "models" / "flight-delay" / "model.yaml").read_text() == "mine"


def test_a_generation_that_stops_half_way_is_mended_by_the_next(template: Path, bench: Bench) -> None:
    """While it runs, a person's files lie aside: a crash at that moment must not lose them."""
    repository = bench.generated(template, into=bench.folder / "out")
    _write(repository, MINE, "mine")
    broken = template / PROJECT / "zz.md"
    broken.write_text("{{ cookiecutter.no_such_question }}")
    bench.commit(template)
    assert bench.cookiecutter(template, "--overwrite-if-exists", into=bench.folder / "out").returncode != 0
    assert "mine" in {content.decode(errors="replace") for _, content in tree(repository).values()}

    broken.unlink()
    bench.commit(template)
    bench.generated(template, "--overwrite-if-exists", into=bench.folder / "out")

    assert _read(repository, MINE) == dict.fromkeys(MINE, "mine")
    assert not (repository / ".slipway-generation").exists()


def test_generating_twice_gives_the_same(pristine: Path, bench: Bench, clean_tree: Tree) -> None:
    """Whoever is unsure whether it worked runs it again."""
    bench.generated(pristine, into=bench.folder / "out")
    repository = bench.generated(pristine, "--overwrite-if-exists", into=bench.folder / "out")

    assert tree(repository) == clean_tree


def test_the_last_hook_alone_takes_nothing_out(template: Path, bench: Bench) -> None:
    """It deletes what the first hook has listed for it; without a list, everything that it sees is somebody's."""
    repository = bench.generated(template, into=bench.folder / "out")
    _write(repository, (*MINE, *LITTER[:-3]), "mine")
    before = tree(repository)
    bench.git(template, "rm", "-r", "--quiet", "--cached", PROJECT, "hooks/pre_gen_project.py")
    (template / "hooks" / "pre_gen_project.py").unlink()
    (template / PROJECT).rename(template / "elsewhere")
    (template / PROJECT).mkdir()  # nothing is generated, so only the last hook works
    bench.generated(template, "--overwrite-if-exists", into=bench.folder / "out")

    assert tree(repository) == before


def test_a_folder_that_is_there_is_refused(pristine: Path, bench: Bench) -> None:
    """Generating over something must be asked for."""
    _write(bench.folder / "out" / GOOD["repo_slug"], ("data/rows.csv",), "mine")
    done = bench.cookiecutter(pristine, into=bench.folder / "out")

    assert done.returncode != 0
    assert "already exists" in done.stderr + done.stdout
    assert tree(bench.folder / "out").keys() == {f"{GOOD['repo_slug']}/data/rows.csv"}


@pytest.mark.parametrize("damage", ["removed", "corrupt"])
def test_a_checkout_that_git_cannot_read_is_refused(damage: str, template: Path, bench: Bench) -> None:
    """Without git's list nobody knows what would travel."""
    head = template / ".git" / "HEAD"
    head.unlink() if damage == "removed" else head.write_bytes(b"\0")
    done = bench.cookiecutter(template, into=bench.folder / "out")

    assert done.returncode != 0
    assert "git cannot list the template" in done.stderr
    assert list((bench.folder / "out").iterdir()) == []
