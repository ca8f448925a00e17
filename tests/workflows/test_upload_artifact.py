"""The stand-in for actions/upload-artifact lays files out as the real one does: see its src/shared/search.ts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.rig import ROOT

UPLOAD = ROOT / "tests" / "workflows" / "stand_ins" / "upload-artifact" / "upload.py"
FILES = (".s/r/m/v1/a.1.json", ".s/r/m/v1/blobs/x", ".s/r/m/v1/blobs/.hidden", ".s/r/m/v2/a.1.json", "b/c.txt")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / "workspace" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "workspace" / name).write_text(name)
    return tmp_path / "workspace"


def upload(workspace: Path, *paths: str, name: str = "kept", hidden: bool = True, overwrite: bool = False) -> str:
    """What was said; empty where it went well."""
    given = {"NAME": name, "PATHS": "\n".join(paths), "HIDDEN": str(hidden).lower(), "WHEN_EMPTY": "error"}
    where = {
        "RIG_ARTIFACTS": str(workspace.parent / "artifacts"),
        "OVERWRITE": str(overwrite).lower(),
        "GITHUB_JOB": "x",
    }
    done = subprocess.run(
        [sys.executable, UPLOAD], cwd=workspace, env={**os.environ, **given, **where}, capture_output=True, check=False
    )
    return done.stderr.decode().strip()


def kept(workspace: Path) -> list[str]:
    folder = workspace.parent / "artifacts" / "kept"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        ((".s/r",), ["m/v1/a.1.json", "m/v1/blobs/.hidden", "m/v1/blobs/x", "m/v2/a.1.json"]),
        ((".s/r/m/v1/a.*.json", ".s/r/m/v1/blobs"), ["a.1.json", "blobs/.hidden", "blobs/x"]),
        ((".s/r/*/*/a.*.json",), ["m/v1/a.1.json", "m/v2/a.1.json"]),  # the root ends before the first wildcard
        ((".s/r/m/v1/blobs", "b"), [".s/r/m/v1/blobs/.hidden", ".s/r/m/v1/blobs/x", "b/c.txt"]),
        (("b/c.txt",), ["c.txt"]),
    ],
)
def test_the_root_is_what_the_search_paths_have_in_common(workspace: Path, paths: list[str], files: list[str]) -> None:
    """One folder too deep, and the next job finds nothing."""
    assert upload(workspace, *paths) == ""
    assert kept(workspace) == files


def test_what_the_real_one_refuses_is_refused(workspace: Path) -> None:
    """Else a release would pass here and stop on GitHub."""
    (workspace / "b" / "a:b").touch()
    assert "is not valid" in upload(workspace, "b")
    assert "is not valid" in upload(workspace, "b/c.txt", name="m/v1")
    assert "No files were found" in upload(workspace, ".s/r", hidden=False)


def test_a_name_is_used_once_but_where_it_is_replaced(workspace: Path) -> None:
    """A second attempt of a job uploads again, and what the first one left must be gone."""
    assert upload(workspace, ".s/r") == ""
    assert "(409) Conflict" in upload(workspace, "b")
    assert upload(workspace, "b", overwrite=True) == ""
    assert kept(workspace) == ["c.txt"]
