"""A generated repository works: by its own Makefile, in its own environment, to its own open pull request."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.template.bench import GOOD, Bench, bench_with_our_caches, copy_of_the_template, lines_to_paste

pytestmark = pytest.mark.xdist_group("generated repository")  # one environment is enough for all of these

TAG = "flight-delay@v1.0.0"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path]:
    """A repository after the five lines that its generation printed were pasted, one after the other."""
    folder = tmp_path_factory.mktemp("team")
    bench = bench_with_our_caches(folder)
    told = bench.cookiecutter(copy_of_the_template(folder / "slipway"), into=folder).stdout
    lines = lines_to_paste(told)
    assert len(lines) == 5, told
    done = bench.run("bash", "-ec", "\n".join(lines))
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "said").write_text(done.stdout, encoding="utf-8")
    return bench, folder / GOOD["repo_slug"]


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


def test_five_pasted_lines_end_in_an_open_pull_request(repository: tuple[Bench, Path]) -> None:
    """The promise of a first run: no account, nothing to fill in, and something to merge at the end."""
    bench, folder = repository
    (pull,) = (bench.folder / f"{GOOD['repo_slug']}.forge" / "pulls").iterdir()
    said = (bench.folder / "said").read_text(encoding="utf-8")

    assert "\ntitle: 'flight-delay: v1.0.0 (first release), production'\n" in pull.read_text(encoding="utf-8")
    assert f"{TAG}: pull request #1: flight-delay: v1.0.0 (first release), production" in said.splitlines()
    assert f"refs/heads/release/production/{TAG.replace('@', '/')}" in bench.git(folder, "ls-remote", "origin")
    assert bench.git(folder, "status", "--porcelain") == ""


def test_the_third_line_says_why_there_is_no_runtime_image_to_merge(repository: tuple[Bench, Path]) -> None:
    """Else somebody on a laptop waits for a pull request that only a workflow of GitHub would open."""
    bench, _folder = repository
    said = (bench.folder / "said").read_text(encoding="utf-8")
    told = [line for line in said.splitlines() if "runtime image" in line]

    assert len(told) == 2 and told[0] == told[1]  # of the second line and of the third
    assert "none, and the engine `process` needs none" in told[0]


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
