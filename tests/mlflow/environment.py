"""The environment of requirements/mlflow-server.txt: a whole MLflow, which the product never gets."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.adapters.processes import environments

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "mlflow-server.txt"


def mlflow_python() -> Path:
    return environments.environment_for("mlflow-server", requirements=REQUIREMENTS)


def variables(folder: Path, **more: str) -> dict[str, str]:
    """Of a process of MLflow's: nothing is told to its makers, nothing is read of the person who tests."""
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **quiet, **more}
