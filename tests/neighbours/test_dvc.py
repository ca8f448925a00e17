"""A source that DVC tracks: git has its `.dvc` file alone, and the files lie in a remote of DVC's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from slipway.adapters import git

from tests.neighbours.conftest import Tool
from tests.team import MODEL, ROOT, Team, Tip


@pytest.fixture
def tracked(team: Team, dvc: Tool, tmp_path: Path) -> Team:
    """models/tip/source is a folder of DVC's, pushed to its remote, and not on disk."""
    for name in ("dvc", "onnx"):
        shutil.copy(ROOT / "requirements" / f"{name}.txt", team.root / "requirements" / f"{name}.txt")
    team.edit(f"models/{MODEL}/model.yaml", "framework: tensorflow", "framework: onnx")
    git.run("rm", "-r", "--quiet", f"models/{MODEL}/source", cwd=team.root)
    (team.folder / "source").mkdir()
    (team.folder / "source" / "model.onnx").write_bytes(Tip().onnx())
    dvc("init", "--quiet", cwd=team.root)
    dvc("remote", "add", "--default", "elsewhere", str(tmp_path / "remote"), cwd=team.root)
    dvc("add", "--quiet", "source", cwd=team.folder)
    dvc("push", "--quiet", cwd=team.root)
    team.commit("Let DVC keep the model")
    shutil.rmtree(team.folder / "source")
    shutil.rmtree(team.root / ".dvc" / "cache")
    return team


def _check(team: Team) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from slipway.cli import main; main()", "check", MODEL],
        cwd=team.root,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_source_that_dvc_tracks_goes_through_a_check(tracked: Team) -> None:
    """Nobody should have to take a model out of DVC to release it, nor to pull it by hand before."""
    done = _check(tracked)

    assert done.returncode in (0, 11), done.stdout + done.stderr  # so small a model may lack rows
    assert f"{MODEL} v1.0.0 (first release)" in done.stdout
    assert not (tracked.folder / "source").exists(), "the working tree is a person's"


def test_a_remote_that_lost_the_files_is_told(tracked: Team, tmp_path: Path) -> None:
    """A remote that was emptied gives no model, and says so before anything is converted."""
    shutil.rmtree(tmp_path / "remote")

    done = _check(tracked)

    assert done.returncode in (2, 12)
    assert "source" in done.stderr and "mend:" in done.stderr
