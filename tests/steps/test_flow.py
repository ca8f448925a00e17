"""What an orchestrator is given to run: laid down once, and a team's from then on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.trees import digest_of_tree
from slipway.errors import NotReleasable, UnknownModel
from slipway.reports.flows import Orchestrator, flow_files
from slipway.steps import flow

from tests.team import MODEL, ROOT, Team

_BOTH = pytest.mark.parametrize("orchestrator", Orchestrator)


@pytest.fixture
def trained(team: Team) -> Team:
    """Its model has a script that trains it."""
    team.write(f"models/{MODEL}/train.py", "print('trained')\n")
    return team


def lay_down(team: Team, orchestrator: Orchestrator, *, receiver: bool = False) -> list[str]:
    written = flow.run(orchestrator, MODEL, receiver=receiver, repository=team.workplace.repository)
    return [path.relative_to(team.root).as_posix() for path in written]


@_BOTH
def test_a_flow_is_one_file_and_its_receiver_another(trained: Team, orchestrator: Orchestrator) -> None:
    """Each orchestrator looks into a folder of its own, in which nothing else lies."""
    assert lay_down(trained, orchestrator) == [f"flows/{orchestrator}/{MODEL}.py"]
    assert lay_down(trained, orchestrator, receiver=True) == [f"flows/receivers/{orchestrator}_{MODEL}.py"]
    assert lay_down(trained, orchestrator, receiver=True) == []


@_BOTH
def test_what_a_team_edited_is_not_written_over(trained: Team, orchestrator: Orchestrator) -> None:
    """What its training is given stands in it; a receiver that is asked for later is laid down beside it."""
    [name] = lay_down(trained, orchestrator)
    trained.edit(name, "TRAIN_WITH: tuple[str, ...] = ()", 'TRAIN_WITH: tuple[str, ...] = ("--through", "2013-06")')

    with pytest.raises(NotReleasable, match=rf"^flows/{orchestrator}/{MODEL}\.py is there already") as refused:
        lay_down(trained, orchestrator)
    assert f"mv {name} {name}.old" in refused.value.mend
    assert lay_down(trained, orchestrator, receiver=True) == [f"flows/receivers/{orchestrator}_{MODEL}.py"]
    assert "2013-06" in (trained.root / name).read_text()


@pytest.mark.parametrize("name", ["flows", "flows/airflow", f"flows/airflow/{MODEL}.py/"])
def test_what_stands_in_the_way_is_named_and_nothing_is_written(trained: Team, name: str) -> None:
    """A file where a folder is to be, or a folder where the file is to be, is somebody's, and no defect of ours."""
    if name.endswith("/"):
        (trained.root / name).mkdir(parents=True)
    else:
        trained.write(name, "Notes on flows.\n")
    before = digest_of_tree(trained.root)

    with pytest.raises(NotReleasable) as refused:
        lay_down(trained, Orchestrator.AIRFLOW)

    assert f"mv {name.rstrip('/')} {name.rstrip('/')}.old" in refused.value.mend
    assert digest_of_tree(trained.root) == before


def test_a_plan_writes_nothing(trained: Team) -> None:
    """`--dry-run` shows it."""
    planned = flow.plan(Orchestrator.AIRFLOW, MODEL, receiver=True, repository=trained.workplace.repository)

    assert len(planned) == 2
    assert not (trained.root / "flows").exists()


def test_a_model_without_a_script_gets_no_flow(team: Team) -> None:
    """It would fail at its first task, at night."""
    with pytest.raises(UnknownModel, match=r"models/tip/train\.py is not there"):
        lay_down(team, Orchestrator.PREFECT)


def test_a_model_that_is_not_there_gets_no_flow(team: Team) -> None:
    """A misspelt name is told at once."""
    with pytest.raises(UnknownModel, match="tipp"):
        flow.run(Orchestrator.PREFECT, "tipp", receiver=False, repository=team.workplace.repository)


@pytest.mark.parametrize("model", ["tip", "flight-delay", "9", "a" * 63])
def test_what_is_laid_down_passes_the_lint_of_the_repository_it_lies_in(model: str, tmp_path: Path) -> None:
    """A team's first commit of it must not turn its checks red, whatever the model is called."""
    for orchestrator in Orchestrator:
        for name, text in flow_files(orchestrator, model, receiver=True).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            ast.parse(text, feature_version=(3, 11))
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    for words in (["check", *settings], ["format", "--check", *settings]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@_BOTH
def test_a_flow_logs_no_password_of_an_address(orchestrator: Orchestrator) -> None:
    """`origin` of a machine often holds a token, and everybody who sees the orchestrator reads its logs."""
    tree = ast.parse(flow_files(orchestrator, MODEL, receiver=False)[f"flows/{orchestrator}/{MODEL}.py"])
    [shown] = [part for part in tree.body if isinstance(part, ast.FunctionDef) and part.name == "_shown"]
    [run] = [part for part in tree.body if isinstance(part, ast.FunctionDef) and part.name == "_run"]
    names: dict[str, Any] = {"re": re}
    exec(compile(ast.Module([shown], []), "flow", "exec"), names)  # the rest needs an orchestrator

    assert (
        names["_shown"]("git clone https://ada:t0ken@git.example/a.git x")
        == "git clone https://***@git.example/a.git x"
    )
    told = [ast.unparse(each) for each in ast.walk(run) if isinstance(each, ast.Call)]
    assert all("_shown(" in each for each in told if each.startswith("log.info("))
