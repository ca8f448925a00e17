"""flight-delay, released for real up to its image: TensorFlow converts it, in a process of its own.

<world>/flights/      the checkout, with the tooling of that commit under scripts/
<world>/flights.git   its origin
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from slipway.adapters.records import Record
from slipway.domain.tag import ReleaseTag

ROOT = Path(__file__).resolve().parents[2]
TAG = ReleaseTag.parse("flight-delay@v1.0.0")
STEPS = ("resolve-tag", "convert-to-onnx", "measure-consistency", "rehearse-rollback", "judge", "build-image")
_COPIED = ("scripts", "serving", "policies", "requirements", "models")
_AUTHOR = {"user.name": "A. Developer", "user.email": "developer@flights.invalid"}
_NO_SCRAPS = shutil.ignore_patterns("__pycache__")


def found(world: Path) -> Path:
    """A repository with the example model, tagged and pushed; returns the checkout."""
    checkout = world / "flights"
    for name in _COPIED:
        shutil.copytree(ROOT / name, checkout / name, ignore=_NO_SCRAPS)
    for name in ("slipway.yaml", ".gitignore"):
        shutil.copyfile(ROOT / name, checkout / name)
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    git(checkout, "init", "--quiet", "--bare", "--initial-branch", "main", str(world / "flights.git"))
    git(checkout, "remote", "add", "origin", "../flights.git")
    introduce(checkout)
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Start")
    git(checkout, "tag", "--annotate", str(TAG), "--message", "Late or not, from the timetable")
    git(checkout, "push", "--quiet", "origin", "main", str(TAG))
    return checkout


def introduce(checkout: Path) -> None:
    for name, value in _AUTHOR.items():
        git(checkout, "config", name, value)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def variables(checkout: Path, *python_path: Path, **more: str) -> dict[str, str]:
    """The tooling of the checkout itself; other folders may come before it on the path."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    path = os.pathsep.join(str(folder) for folder in (*python_path, checkout / "scripts", checkout))
    return {**ours, "PYTHONPATH": path, **more}


def release(checkout: Path, environment: dict[str, str], *, steps: tuple[str, ...] = STEPS) -> None:
    for step in steps:
        command = [sys.executable, "-c", "from slipway.cli import main; main()", "--quiet", step, str(TAG)]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{step}: {done.returncode}\n{done.stdout}\n{done.stderr}"


def record_of(checkout: Path) -> Record:
    return Record(checkout / ".slipway" / "releases" / TAG.model / TAG.image_tag, subject=str(TAG))


def circumstances(checkout: Path, kind: str) -> dict[str, str]:
    page = json.loads((record_of(checkout).folder / f"{kind}.1.json").read_bytes())
    return dict(page["circumstances"])
