"""From a training's run in MLflow to what serves, and back into MLflow: with the commands that a developer types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters.rollout.process import stop_all
from slipway.domain.identity import Identity
from slipway.domain.tag import ReleaseTag
from slipway.domain.write_back import WriteBack

from tests.guides.blocks import Block, blocks_of, first_missing
from tests.mlflow.conftest import MLflow
from tests.team import ROOT, Team, new_team

pytestmark = pytest.mark.xdist_group("mlflow")
_MODEL = """\
name: tip
summary: Will a table leave a tip?
framework: scikit-learn
source: models:/tip@ALIAS
owners: ["@waiters"]
inputs:
  - {name: bill, dtype: float32, meaning: Sum on the bill}
  - {name: guests, dtype: float32, meaning: People at the table}
outputs:
  - {name: score, dtype: float32, meaning: How likely a tip is}
decision: {output: score, threshold: 0.5}
samples: {path: samples/tables.parquet, time: time, label: tip}
"""


@pytest.fixture
def team(mlflow: MLflow, tmp_path: Path) -> Iterator[Team]:
    """Its model lies in MLflow, and nothing but its address in git."""
    team = new_team(tmp_path / "world")
    for name in ("scikit-learn", "sources"):
        shutil.copy(ROOT / "requirements" / f"{name}.txt", team.root / "requirements")
    (team.root / ".venv").symlink_to(Path(sys.prefix))
    yield team
    stop_all(team.workplace.state / "rollout")


def _name(team: Team, alias: str) -> None:
    team.write("models/tip/model.yaml", _MODEL.replace("ALIAS", alias))
    team.commit("Name where the model lies")


def _slipway(team: Team, mlflow: MLflow, *words: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from slipway.cli import main; main()", "--quiet", *words],
        cwd=team.root,
        env={**os.environ, "MLFLOW_TRACKING_URI": mlflow.address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_run_becomes_a_release_that_knows_it_and_mlflow_knows_the_release(mlflow: MLflow, team: Team) -> None:
    """Whoever begins at either end finds the other: the point of keeping both. By the commands of docs/mlflow.md."""
    team.write("models/tip/model.yaml", _MODEL.replace("models:/tip@ALIAS", "source"))
    team.commit("Declare what will come from MLflow")
    follow, again = blocks_of(ROOT / "docs" / "mlflow.md")

    printed = _pasted(team, mlflow, follow)

    assert (missing := first_missing(follow.prints, printed)) is None, f"`{missing}` is not in:\n{printed}"
    tag = ReleaseTag.parse("tip@v1.0.0")
    identity = team.record(str(tag)).page(Identity, written_by="resolve-tag").body
    assert identity.origin is not None
    training = identity.origin.training
    assert (identity.origin.address, identity.origin.resolved) == ("models:/tip@champion", "models:/tip/1")
    assert training is not None
    assert (training.run_id, training.experiment, training.commit) == (mlflow.runs["tip"][0], "tips", "4b1d" * 10)
    assert ([one.name for one in training.datasets], training.metrics) == (["tables"], {"f1": 0.75})
    read = team.workplace.forge.pull(1).body or ""
    assert f"| Trained by | run `{training.run_id}` of `tips`, `127.0.0.1` |" in read
    assert f"| Trained on | `tables` `{training.datasets[0].digest}` |" in read
    assert f"run {training.run_id}, tips, 127.0.0.1" in _slipway(team, mlflow, "explain", str(tag))
    told = mlflow.tags("tip", 1)
    assert mlflow.aliases("tip")["production"] == "1"
    assert (told["slipway.release"], told["slipway.commit"]) == (str(tag), identity.commit)
    page = team.history.page(tag, WriteBack)
    assert page is not None and page.body.telling.tags == told

    ledger = team.workplace.forge.head("ledger")
    _pasted(team, mlflow, again)
    assert team.workplace.forge.head("ledger") == ledger


def _pasted(team: Team, mlflow: MLflow, block: Block) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.commands],
        cwd=team.root,
        env={**os.environ, "MLFLOW_TRACKING_URI": mlflow.address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_an_alias_that_moved_under_a_tag_is_refused_on_another_machine(mlflow: MLflow, team: Team) -> None:
    """A version is what it was when it was tagged, wherever its release is run again."""
    mlflow.point("tip", "moving", to=1)
    _name(team, "moving")
    tag = team.tag("tip@v1.0.0", "Begin")
    assert "models:/tip/1" in _slipway(team, mlflow, "fetch-source", tag)
    team.record_pages(tag)
    mlflow.point("tip", "moving", to=2)
    other = team.clone("another-machine")

    said = _slipway(other, mlflow, "fetch-source", tag, expect=2)

    assert "models:/tip@moving changed under tip@v1.0.0" in said
    assert "mend: tag a new version" in said
    assert json.loads(team.history.pages_of(ReleaseTag.parse(tag))["source.1.json"])["body"]["origin"]["resolved"] == (
        "models:/tip/1"
    )


def test_a_check_on_a_laptop_takes_what_the_alias_names_now(mlflow: MLflow, team: Team) -> None:
    """A developer who trained anew sees at once what a release of it would say."""
    mlflow.point("tip", "tried", to=1)
    _name(team, "tried")
    assert "fetched models:/tip/1" in _slipway(team, mlflow, "check", "tip", "--only", "source")
    mlflow.point("tip", "tried", to=2)
    assert "fetched models:/tip/2" in _slipway(team, mlflow, "check", "tip", "--only", "source")
