"""A runner like GitHub's, and a small repository that it has checked out."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.actions.actions import ROOT
from tests.actions.runner import Runner, git

_MODEL = """\
name: coin
summary: Will it be heads?
framework: tensorflow
source: source
owners: ["@coin-team"]
inputs: [{name: thrown, dtype: float32, meaning: How high}]
outputs: [{name: p_heads, dtype: float32, meaning: Probability of heads}]
decision: {output: p_heads, threshold: 0.5}
samples: {path: samples/held-out.parquet, time: time, label: heads}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A checked-out repository with one model, and its origin."""
    folder = tmp_path / "workspace"
    (folder / "models" / "coin").mkdir(parents=True)
    (folder / "models" / "coin" / "model.yaml").write_text(_MODEL)
    (folder / "slipway.yaml").write_text("image_registry: layout:.slipway/registry\n")
    (folder / ".gitignore").write_text(".slipway/\n")
    shutil.copytree(ROOT / "policies", folder / "policies")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Declare the model")
    git(folder, "push", "--quiet", "origin", "main")
    return folder


@pytest.fixture
def runner(workspace: Path, tmp_path: Path) -> Runner:
    """With `slipway` on its PATH, as actions/setup leaves it."""
    temporary, commands = tmp_path / "runner", tmp_path / "bin"
    temporary.mkdir()
    commands.mkdir()
    launcher = commands / "slipway"
    paths = [str(ROOT / "scripts"), str(ROOT)]
    launcher.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[:0] = {paths}\nfrom slipway.cli import main\nmain()\n"
    )
    launcher.chmod(0o755)
    return Runner(workspace=workspace, temporary=temporary, path=str(commands))
