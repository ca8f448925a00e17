"""A team with one tiny model, and the commands that it runs.

    <world>/flights/        the checkout in which commands run
    <world>/flights.git     its origin
    <world>/flights.forge/  pull requests and issues

Every path inside is relative, so that a world can be copied and the copy killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.parser
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.processes import environments
from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.process import ProcessRollout
from slipway.domain.labels import SLIPWAY

from tests.e2e.kills import commands
from tests.e2e.kills.commands import Command
from tests.e2e.late_flights import declaration, flights

ROOT = Path(__file__).resolve().parents[3]
MODEL = "late"
RUNS = "runs.onnx"  # beside the files of the checkout
PROGRAMS = "programs"  # of the cache: those that are not as on this machine
FRAMEWORKS = ("onnx", "tensorflow")
REQUIREMENTS = "# nothing: see stand_in_for\n"
_SAMPLE_ROWS = 400
_ROWS_A_DAY = 120
_DATES = "2024-01-05T12:00:00+00:00"  # of every commit: its id is then the same in a run that was killed
_ONNX = """
<ir_version: 9, opset_import: ["" : 17]>
answer (float[N,1] hour, float[N,1] delay) => (float[N,1] p_late)
<float[1] a = {HOUR}, float[1] b = {DELAY}, float[1] c = {BIAS}>
{
    from_hour = Mul (hour, a)
    from_delay = Mul (delay, b)
    score = Sum (from_hour, from_delay, c)
    p_late = Sigmoid (score)
}
"""
WEIGHTS = {"timetable": (0.5, 0.0, -6.0), "delay": (0.25, 0.2, -5.0)}  # hour, delay, bias
_STAND_IN = """#!{python}
import json, os, shutil, sys, threading
from pathlib import Path
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()  # ends with its parent
import onnxruntime
from slipway.converters.batches import read_batch, write_batch
job = json.loads(Path(sys.argv[-1]).read_text())
out = Path(job["out"])
source = Path(job["source"])
shutil.copyfile(source if source.is_file() else source / "model.onnx", out / "model.onnx")
session = onnxruntime.InferenceSession(out / "model.onnx")
for rows in ("samples", "edges"):
    write_batch(out / f"outputs-{{rows}}.npz", {{"p_late": session.run(None, read_batch(Path(job[rows])))[0]}})
told = {{"noise_floor": {{"p_late": 0.0}}}}
if "again" not in job:
    told |= {{"tools": {{"stand-in": "1"}}, "edges_that_raised": []}}
Path(job["result"]).write_text(json.dumps(told))
"""


def start(world: Path, cache: Path, *words: str, **more: str) -> Command:
    """What it prints lies beside the world, of which it is no part."""
    printed = world.with_name(f"{world.name}.printed")
    return commands.start(
        ["--quiet", *words], folder=world / "flights", variables=variables(cache, **more), printed=printed
    )


def variables(cache: Path, **more: str) -> dict[str, str]:
    """What a command of the team sees: the framework's environment of `cache`, and one day in January."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "GITHUB_"))}
    python_path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    dates = {"GIT_AUTHOR_DATE": _DATES, "GIT_COMMITTER_DATE": _DATES}
    path = os.pathsep.join([str(cache / PROGRAMS), ours["PATH"]])
    return {**ours, **dates, "PATH": path, "PYTHONPATH": python_path, "SLIPWAY_CACHE": str(cache), **more}


def git(world: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=world / "flights", env=variables(world), check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def stand_in_for(framework: str, cache: Path, requirements: Path) -> None:
    """An environment whose process answers in a fraction of a second, where TensorFlow's takes ten.

    Slipway's side of it is real; a real TensorFlow is killed in a test of its own.
    """
    os.environ["SLIPWAY_CACHE"] = str(cache)
    try:
        python = environments.environment_for(framework, requirements=requirements)
    finally:
        del os.environ["SLIPWAY_CACHE"]
    python.unlink()
    python.write_text(_STAND_IN.format(python=sys.executable))
    python.chmod(0o755)


def found(world: Path) -> None:
    """Lay down the repository with its origin, and push it."""
    folder = world / "flights"
    for name in ("serving", "policies"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("slipway.yaml", ".gitignore"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "requirements").mkdir()
    for framework in FRAMEWORKS:
        (folder / "requirements" / f"{framework}.txt").write_text(REQUIREMENTS)
    _loosen_policies(folder / "policies")
    _write_model(folder / "models" / MODEL)
    git(world, "init", "--quiet", "--template=", "--initial-branch", "main")
    git(world, "init", "--quiet", "--template=", "--bare", "--initial-branch", "main", str(world / "flights.git"))
    for name, value in {"user.name": "A. Developer", "user.email": "developer@flights.invalid"}.items():
        git(world, "config", name, value)
    git(world, "remote", "add", "origin", "../flights.git")
    commit(world, "Start")


def commit(world: Path, message: str) -> None:
    git(world, "add", "--all")
    git(world, "commit", "--quiet", "--allow-empty", "--message", message)
    if git(world, "ls-remote", "--heads", "origin", "main"):
        git(world, "pull", "--quiet", "--rebase", "origin", "main")
    git(world, "push", "--quiet", "origin", "HEAD:main")


def tag(world: Path, version: str, *, weights: str) -> None:
    """Commit what a version is made of, and tag it."""
    train(world, version, weights=weights)
    git(world, "tag", "--annotate", f"{MODEL}@{version}", "--message", version)
    git(world, "push", "--quiet", "origin", f"{MODEL}@{version}")


def train(world: Path, version: str, *, weights: str) -> None:
    """Commit what a version is made of."""
    folder = world / "flights" / "models" / MODEL
    hour, delay, bias = (str(weight) for weight in WEIGHTS[weights])
    text = _ONNX.replace("HOUR", hour).replace("DELAY", delay).replace("BIAS", bias)
    (folder / "source").mkdir(exist_ok=True)
    onnx.save(onnx.parser.parse_model(text), folder / "source" / "model.onnx")
    (folder / "README.md").write_text(f"# {MODEL}\n\n{version}\n")
    commit(world, f"Train {version}")


def runs_elsewhere(world: Path) -> None:
    """By other means, and as one ONNX file."""
    hour, delay, bias = (str(weight) for weight in WEIGHTS["timetable"])
    text = _ONNX.replace("HOUR", hour).replace("DELAY", delay).replace("BIAS", bias)
    onnx.save(onnx.parser.parse_model(text), world / "flights" / RUNS)


def serve(
    world: Path, version: str, *, first: date, days: int, weights: str, stuck: bool, named: str = "of", nan: int = 0
) -> None:
    """Write the log and the labels of some days; where `stuck`, the model was told no delay but 0.

    Requests of a day are `named` apart from those of another server; of so many of a day's answers `nan` is told.
    """
    state = world / "flights" / ".slipway"
    for number in range(days):
        day = first + timedelta(days=number)
        inputs, late = flights(_ROWS_A_DAY, seed=number)
        asked = {**inputs, "delay": np.zeros_like(inputs["delay"])} if stuck else inputs
        keys = {"request_id": [f"{named}-{day}"] * _ROWS_A_DAY, "row": np.arange(_ROWS_A_DAY, dtype=np.int32)}
        times = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC)] * _ROWS_A_DAY
        told = {
            "time": pa.array(times, pa.timestamp("us", tz="UTC")),
            "version": [version] * _ROWS_A_DAY,
            "p_late": np.where(np.arange(_ROWS_A_DAY) < nan, np.float32(np.nan), _answers(asked, WEIGHTS[weights])),
        }
        served, labels = (state / kind / "production" / MODEL / f"date={day}" for kind in ("served", "labels"))
        _write(served / f"{named}.parquet", {**keys, **told, **asked})
        _write(labels / f"{named}.parquet", {**keys, "label": late})


def run_by_hand(world: Path) -> None:
    """Somebody serves a model that was never released, in place of the one that git names."""
    state = world / "flights" / ".slipway"
    (onnx_file, *_) = sorted((state / "layers").rglob("model.onnx"))
    ProcessRollout(state=state / "rollout").apply(
        Deployment(
            model=MODEL,
            environment="production",
            version="v9.9.9",
            digest=f"sha256:{'e' * 64}",
            image="",
            commit="",
            model_directory=onnx_file.parent,
            served_log=None,
        )
    )


def close_issues(world: Path) -> None:
    """As a person does, who thinks that it is over."""
    forge = LocalForge(world / "flights.git")
    for issue in forge.open_issues(SLIPWAY.name):
        forge.close_issue(issue.number)


def edit_policy(world: Path, name: str, **limit: Any) -> None:
    path = world / "flights" / "policies" / f"{name}.yaml"
    policy = yaml.safe_load(path.read_text())
    policy["limit"].update(limit)
    path.write_text(yaml.safe_dump({**policy, "models": {}}))


def _loosen_policies(folder: Path) -> None:
    """A tiny model has few rows, and one bad window is enough."""
    world = folder.parent.parent
    edit_policy(world, "fidelity", rows=_SAMPLE_ROWS)
    edit_policy(world, "metrics", f1={"floor": 0.5, "drop": 0.2}, positives=50, window_days=7, windows=1)
    edit_policy(world, "previous-version", windows=1)
    edit_policy(world, "drift", windows=1, of_last=1)


def _write_model(folder: Path) -> None:
    declared = declaration(MODEL, framework="tensorflow")
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
    inputs, late = flights(_SAMPLE_ROWS, seed=2024)
    times = [datetime(2023, 12, 1, tzinfo=UTC) + timedelta(days=row % 28) for row in range(_SAMPLE_ROWS)]
    _write(folder / "samples" / "held-out.parquet", {**inputs, "late": late, "time": times})


def _answers(inputs: dict[str, npt.NDArray[np.float32]], weights: tuple[float, ...]) -> npt.NDArray[np.float32]:
    score = weights[0] * inputs["hour"] + weights[1] * inputs["delay"] + weights[2]
    return (1 / (1 + np.exp(-score))).astype(np.float32)


def _write(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
