"""A team whose model is trained in a moment: its checkout, a bare repository that it pushes to, and v1.0.0 live.

<world>/flights/     the checkout that an orchestrator works beside
<world>/flights.git  its origin
<world>/*.npz        what the model is trained on, which lies in no repository
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.e2e.late_flights import declaration, flights

ROOT = Path(__file__).resolve().parents[2]
MODEL = "flight-late"
SLIPWAY = Path(sys.executable).with_name("slipway")
_ROWS = 600
_LAST_DAY = datetime(2026, 3, 31, 12, tzinfo=UTC)
_LIMITS: dict[str, dict[str, object]] = {
    "fidelity": {"rows": 400},
    "metrics": {"f1": {"floor": 0.8, "drop": 0.2}, "positives": 50},
}


def found(world: Path) -> Path:
    """Lay down the repository, push it, and release and merge v1.0.0; returns the checkout."""
    checkout = world / "flights"
    for name in ("serving", "policies", "requirements"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / ".gitignore", checkout / ".gitignore")
    (checkout / "slipway.yaml").write_text(
        "image_registry: layout:.slipway/registry\nenvironments: [{name: production}]\n"
    )
    for name, limit in _LIMITS.items():
        _edit_limit(checkout / "policies" / f"{name}.yaml", limit)
    _write_flights(world / "march.npz", seed=3, noise=10.0)  # of clocks that April no longer has
    _write_flights(world / "april.npz", seed=6)
    _write_flights(world / "mislabelled.npz", seed=4, upside_down=True)
    _write_model(checkout / "models" / MODEL)
    git(world, "init", "--quiet", "--bare", "--initial-branch", "main", "flights.git")
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    git(checkout, "remote", "add", "origin", "../flights.git")
    slipway(checkout, "train", MODEL, "--flights", str(world / "march.npz"))
    commit(checkout, "Begin")
    slipway(checkout, "check", MODEL)
    slipway(checkout, "tag", MODEL, "--push")
    slipway(checkout, "release", f"{MODEL}@v1.0.0")
    slipway(checkout, "merge", "1")
    return checkout


def copy_of(world: Path, to: Path) -> Path:
    """The same team somewhere else; returns its checkout."""
    shutil.copytree(world, to, symlinks=True)
    return to / "flights"


def learn_from(checkout: Path, flow: str, data: str) -> None:
    """Say in a flow's file what to train on, as its owner does, and push it."""
    path = checkout / flow
    text = path.read_text()
    given = f'TRAIN_WITH: tuple[str, ...] = ("--flights", "{checkout.parent / data}")'
    assert "TRAIN_WITH: tuple[str, ...] = ()" in text
    path.write_text(text.replace("TRAIN_WITH: tuple[str, ...] = ()", given))
    commit(checkout, "Train by an orchestrator")


def tags(checkout: Path) -> set[str]:
    """Those that the remote has."""
    lines = git(checkout, "ls-remote", "--tags", "--refs", "origin").splitlines()
    return {line.rpartition("refs/tags/")[2] for line in lines}


def commit(checkout: Path, message: str) -> None:
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", message)
    if git(checkout, "ls-remote", "--heads", "origin", "main"):
        git(checkout, "pull", "--quiet", "--rebase", "origin", "main")
    git(checkout, "push", "--quiet", "origin", "HEAD:main")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, env=variables(), check=True, capture_output=True, text=True
    ).stdout.strip()


def slipway(checkout: Path, *words: str, expect: int = 0) -> str:
    """A command as it is typed; what it says on both streams."""
    done = subprocess.run(
        [str(SLIPWAY), *words], cwd=checkout, env=variables(), capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a machine where an orchestrator runs, and where git knows who works there."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "AIRFLOW", "PREFECT"))}
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _WHO.items()}
    return {**ours, **who, "SLIPWAY_COMMAND": str(SLIPWAY), "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}


_WHO = {"NAME": "Release robot of the team", "EMAIL": "robot@flights.invalid"}


def _edit_limit(path: Path, limit: Mapping[str, object]) -> None:
    policy = yaml.safe_load(path.read_text())
    policy["limit"] = {**policy["limit"], **limit}
    path.write_text(yaml.safe_dump({**policy, "models": {}}))


def _write_model(folder: Path) -> None:
    declared = declaration(MODEL, framework="onnx")
    (folder / "samples").mkdir(parents=True)
    (folder / "model.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
    (folder / "README.md").write_text(f"# {MODEL}\n\nA line, and what is above it.\n")
    shutil.copyfile(Path(__file__).with_name("train_for_tests.py"), folder / "train.py")
    inputs, late = flights(_ROWS, seed=2024)
    times = [_LAST_DAY - timedelta(days=row % 28) for row in range(_ROWS)]
    table = pa.table({**inputs, "late": late, "time": times})
    pq.write_table(table, folder / "samples" / "held-out.parquet")


def _write_flights(path: Path, *, seed: int, noise: float = 0.0, upside_down: bool = False) -> None:
    """`noise` is the standard deviation, in minutes, by which delays are measured wrongly."""
    inputs, late = flights(_ROWS, seed=seed)
    delay = inputs["delay"]
    measured = delay + np.random.default_rng(seed).normal(0, noise, len(delay)).astype(np.float32)
    np.savez(path, hour=inputs["hour"], delay=measured, late=~late if upside_down else late)
