"""A clean clone of the template, and a bench to generate on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.template.bench import GIT_CONFIG, Bench, Tree, copy_of_the_template, tree


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(GIT_CONFIG, encoding="utf-8")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTEST_"))}
    return Bench(tmp_path, {**ours, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"})


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_template(tmp_path_factory.mktemp("pristine") / "slipway")


@pytest.fixture
def template(pristine: Path, bench: Bench) -> Path:
    """A clone that a test may change."""
    assert bench.run("git", "clone", "--quiet", pristine, "slipway").returncode == 0
    return bench.folder / "slipway"


@pytest.fixture(scope="session")
def clean_tree(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """What generation gives from a template in which nothing lies that git does not know."""
    bench = Bench(tmp_path_factory.mktemp("clean"), {**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))})
    return tree(bench.generated(pristine, into=bench.folder / "out"))
