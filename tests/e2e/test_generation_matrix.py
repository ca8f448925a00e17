"""Every answer that changes a file makes a repository that passes its own tests, by its own Makefile."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.template.bench import GOOD, MATRIX, ROOT, bench_with_our_caches, copy_of_the_template, tree

pytestmark = pytest.mark.xdist_group("generation matrix")  # one after the other: each uses two workers of its own
DEFAULTS = "the defaults"
# What these tests read, no answer changes (tests/conftest.py sees to it); so this run of them is theirs as well.
_ROOMS = {path.name for path in (ROOT / "tests/unit").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
THE_SAME_ANYWHERE = {"tests/github_stand_in", "tests/steps", *(f"tests/unit/{room}" for room in _ROOMS)}
RENDERED = {".gitattributes", ".slipway-files.sha256", "CODEOWNERS", "README.md", "models/README.md"}


def test_every_question_is_answered_in_more_than_one_way() -> None:
    """An answer that nobody tried is where the first team stumbles."""
    questions = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    for name, default in questions.items():
        given = {str(answers.get(name, GOOD.get(name, default))).lower() for answers in MATRIX.values()}
        assert len(given) == 2 or name.startswith("_") or name == "rollout_engine", name  # each: tests/template


def test_this_repository_is_the_one_of_the_defaults(tmp_path: Path) -> None:
    """So its own tests, of which this is one, are the tests of that case; they need not run twice."""
    bench = bench_with_our_caches(tmp_path)
    template = copy_of_the_template(tmp_path / "slipway")
    repository = bench.generated(template, into=tmp_path / "out", answers=MATRIX[DEFAULTS])
    generated, ours = tree(repository), tree(template)

    assert {name for name in generated if generated[name] != ours.get(name)} == RENDERED


@pytest.mark.parametrize("case", [case for case in MATRIX if case != DEFAULTS])
def test_a_generated_repository_passes_its_own_tests(case: str, tmp_path: Path) -> None:
    """What a team runs first is `make test`: red there, it is red for a reason that is not theirs."""
    mypy = str(ROOT / ".mypy_cache")  # known by content: equal files
    bench = bench_with_our_caches(tmp_path, MYPY_CACHE_DIR=mypy, COMPILED="")  # most of what is installed is not used
    template = copy_of_the_template(tmp_path / "slipway")
    repository = bench.generated(template, into=tmp_path / "out", answers=MATRIX[case])
    bench.git(repository, "init", "--quiet")
    bench.commit(repository, "Generate")

    done = bench.run("make", "test", f"TESTS={' '.join(_tests_to_run(repository))}", cwd=repository)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d{3,} passed", done.stdout) and "skipped" not in done.stdout.splitlines()[-1]
    found = bench.run(
        *(".venv/bin/python", "-m", "pytest", "-q", "--collect-only", "--snapshot-warn-unused"),
        *sorted(THE_SAME_ANYWHERE),
        cwd=repository,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert bench.git(repository, "status", "--porcelain") == ""


def _tests_to_run(repository: Path) -> list[str]:
    folders = (folder for folder in (repository / "tests").iterdir() if folder.name != "unit")
    names = [path.relative_to(repository).as_posix() for path in (*folders, *(repository / "tests" / "unit").iterdir())]
    return [name for name in sorted(names) if name not in THE_SAME_ANYWHERE and _holds_tests(repository / name)]


def _holds_tests(path: Path) -> bool:
    return path.name.startswith("test_") or any(path.rglob("test_*.py"))
