"""The commands that an orchestrator runs, as a person types them."""

from __future__ import annotations

import json

import pytest
from slipway.adapters import git
from slipway.steps import resolve_tag

from tests.team import MODEL, Team, Tip
from tests.unit.cli.conftest import Run


@pytest.fixture
def checked(team: Team, run: Run) -> str:
    """A minor version is committed, pushed and checked; what the check printed."""
    team.write_model(Tip(weight=0.0201))
    team.commit("Learn from April")
    resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace)
    team.convert(team.workplace.check(MODEL))  # no framework is started in these tests
    said = run("check", MODEL)
    assert said.code == 0
    return said.out


def test_the_tag_that_is_made_is_the_one_that_check_printed(team: Team, run: Run, checked: str) -> None:
    """Two ways to one tag: to paste it, and to let it be made."""
    assert "  git tag -a tip@v1.1.0 -m " in checked

    said = run("tag", MODEL, "--push", "--json")

    assert said.code == 0
    told = json.loads(said.out)
    assert told == {
        "tag": "tip@v1.1.0",
        "commit": git.head_commit(team.root),
        "message": "Learn from April",
        "made": True,
        "pushed": True,
    }
    assert git.resolve_tag(team.bare, "tip@v1.1.0").commit == told["commit"]


def test_what_is_left_to_do_is_told(team: Team, run: Run, checked: str) -> None:
    """A tag that lies on one machine releases nothing."""
    commit = git.head_commit(team.root)[:12]

    assert run("tag", MODEL, "--dry-run").out == (
        f"dry run, nothing was written; it would be: tip@v1.1.0 of commit {commit} is not pushed yet: "
        "git push origin tip@v1.1.0\n"
    )
    assert git.run("tag", "--list", "tip@v1.1*", cwd=team.root) == b""
    first, again = run("tag", MODEL), run("tag", MODEL, "--push")
    assert first.out == f"tip@v1.1.0 of commit {commit} is not pushed yet: git push origin tip@v1.1.0\n"
    assert again.out == f"tip@v1.1.0 of commit {commit} was there already, and is pushed\n"


def test_what_is_refused_is_told_with_its_mend(team: Team, run: Run) -> None:
    """And with the code for what can be mended in the repository."""
    said = run("tag", MODEL)

    assert said.code == 2
    assert "mend: run `slipway check tip` first" in said.err


def test_a_flow_is_planned_then_laid_down_once(team: Team, run: Run) -> None:
    """Each file by name."""
    team.write(f"models/{MODEL}/train.py", "print('trained')\n")

    planned = run("flow", "prefect", MODEL, "--receiver", "--dry-run").out
    written = run("flow", "prefect", MODEL, "--receiver").out

    assert planned.splitlines() == ["would write flows/prefect/tip.py", "would write flows/receivers/prefect_tip.py"]
    assert written == planned.replace("would write", "wrote")
    assert run("flow", "prefect", MODEL).out == "all of it is there already\n"


def test_options_behind_the_model_are_those_of_its_script(
    team: Team, run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--dry-run` and `--help` may mean something to it."""
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path_factory.getbasetemp() / "of-training"))
    told = "import sys, pathlib; pathlib.Path('told').write_text(' '.join(sys.argv[1:]))\n"
    team.write(f"models/{MODEL}/train.py", told)

    assert "models/tip/train.py runs with the packages of tensorflow.txt" in run("train", "--dry-run", MODEL).out
    assert not (team.root / "told").exists()
    assert run("train", MODEL, "--through", "2013-06", "--dry-run", "-h").code == 0
    assert (team.root / "told").read_text() == "--through 2013-06 --dry-run -h"
