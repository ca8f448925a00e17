"""The environment of requirements/mlflow-server.txt: a whole MLflow, which the product never gets."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs
import uv
from filelock import FileLock

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "mlflow-server.txt"


def mlflow_python() -> Path:
    """Made once a machine; not compiled ahead, for a server and one script import a small part of it."""
    cache = Path(os.environ.get("SLIPWAY_CACHE") or platformdirs.user_cache_dir("slipway")) / "environments"
    folder = cache / f"mlflow-server-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
            (folder / ".complete").touch()
    return folder / "bin" / "python"


def _install(folder: Path) -> None:
    run = [uv.find_uv_bin(), "--quiet"]
    sync = ["pip", "sync", "--require-hashes", "--no-build", "--python", str(folder / "bin" / "python")]
    subprocess.run([*run, "venv", "--no-project", "--python", sys.executable, str(folder)], check=True)
    subprocess.run([*run, *sync, str(REQUIREMENTS)], check=True, cwd=folder)


def variables(folder: Path, **more: str) -> dict[str, str]:
    """Of a process of MLflow's: nothing is told to its makers, nothing is read of the person who tests."""
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **quiet, **more}
