"""A generated repository works: by its own Makefile, in its own environment, to its own open pull request."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.template.bench import GIT_CONFIG, GOOD, Bench, copy_of_the_template

pytestmark = pytest.mark.xdist_group("generated repository")  # one environment is enough for all of these

RELEASE = (
    *("resolve-tag", "convert-to-onnx", "measure-consistency", "rehearse-rollback", "judge", "build-image"),
    *("bump-manifest", "record-pages"),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path]:
    """A repository after the first three of the five steps that its generation printed."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTEST_", "PYTHONPATH"))}
    folder = tmp_path_factory.mktemp("team")
    (folder / "gitconfig").write_text(GIT_CONFIG, encoding="utf-8")
    bench = Bench(folder, {**ours, "GIT_CONFIG_GLOBAL": str(folder / "gitconfig")})  # with our caches of packages
    template = copy_of_the_template(folder / "slipway")
    notes = bench.folder / "cookiecutter.yaml"
    notes.write_text(f"replay_dir: {bench.folder / 'replay'}\ncookiecutters_dir: {bench.folder / 'clones'}\n")
    told = bench.cookiecutter(template, "--config-file", str(notes), into=bench.folder).stdout
    steps = re.findall(r"^  \d\. (.*)$", told, flags=re.MULTILINE)
    assert len(steps) == 5, told
    done = bench.run("bash", "-ec", "\n".join(steps[:3]))
    assert done.returncode == 0, done.stdout + done.stderr
    return bench, bench.folder / GOOD["repo_slug"]


def test_the_command_runs(repository: tuple[Bench, Path]) -> None:
    """It is the first thing that somebody tries."""
    bench, folder = repository
    done = bench.run(folder / ".venv" / "bin" / "slipway", "--help", cwd=folder)

    assert done.returncode == 0, done.stderr
    assert "A git tag releases a machine-learning model" in done.stdout


def test_nothing_is_installed_twice(repository: tuple[Bench, Path]) -> None:
    """Each `make` that installs again is a coffee."""
    bench, folder = repository
    assert "Nothing to be done" in bench.run("make", "setup", cwd=folder).stdout


def test_its_own_checks_pass(repository: tuple[Bench, Path]) -> None:
    """Lint, types and floors over all of it, tests over what guards a team's own files."""
    bench, folder = repository
    some = "tests/unit/test_generate_schemas.py tests/unit/adapters/test_git.py"
    done = bench.run("make", "test", f"TESTS={some}", cwd=folder)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)


def test_its_first_tag_ends_in_an_open_pull_request(repository: tuple[Bench, Path]) -> None:
    """The promise of a first run: five lines to paste, and the steps that the actions call."""
    bench, folder = repository
    slipway = folder / ".venv" / "bin" / "slipway"
    tag = "flight-delay@v1.0.0"
    bench.git(folder, "tag", "--annotate", tag, "--message", "First release")
    bench.git(folder, "push", "--quiet", "origin", tag)
    for step in RELEASE:
        done = bench.run(slipway, step, tag, cwd=folder)
        assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"

    branches = bench.git(folder, "ls-remote", "--heads", "origin")
    assert f"refs/heads/release/production/{tag.replace('@', '/')}" in branches
    assert bench.git(folder, "status", "--porcelain") == ""


def test_an_interpreter_too_old_is_refused_in_plain_words(tmp_path: Path, repository: tuple[Bench, Path]) -> None:
    """A traceback from inside of a package manager tells nobody to install another Python."""
    bench, folder = repository
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    done = bench.run("make", "--always-make", "setup", f"PYTHON={old}", cwd=folder)

    assert done.returncode != 0
    assert f"Slipway needs Python 3.11 or later; {old} here is Python 3.9.2." in done.stderr
    assert "mend: install Python 3.11" in done.stderr
