"""One MLflow server for all of these tests, with what a team's training logged there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.mlflow.environment import mlflow_python, variables
from tests.mlflow.servers import tracking_server
from tests.tip import DAYS, FIRST_DAY, days_from, guests_of


@dataclass(frozen=True)
class MLflow:
    """Its address, and by the name of each registered model the runs of its versions, 1 first.

    It is looked at by its REST interface, which Slipway's client is not needed for.
    """

    address: str
    runs: Mapping[str, Sequence[str]]

    def tags(self, name: str, version: int) -> dict[str, str]:
        told = self._ask("model-versions/get", name=name, version=str(version))["model_version"]
        return {tag["key"]: tag["value"] for tag in told.get("tags", [])}

    def aliases(self, name: str) -> dict[str, str]:
        told = self._ask("registered-models/get", name=name)["registered_model"]
        return {one["alias"]: one["version"] for one in told.get("aliases", [])}

    def point(self, name: str, alias: str, *, to: int) -> None:
        """As a person does in MLflow's own pages."""
        told = {"name": name, "alias": alias, "version": str(to)}
        httpx.post(f"{self.address}/api/2.0/mlflow/registered-models/alias", json=told).raise_for_status()

    def _ask(self, what: str, **about: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.address}/api/2.0/mlflow/{what}", params=about).raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflow]:
    folder = tmp_path_factory.mktemp("mlflow")
    with tracking_server(folder) as address:
        _train(folder, address)
        yield MLflow(address, json.loads((folder / "runs.json").read_text()))


def _train(folder: Path, address: str) -> None:
    days = [guests_of(day) for day in days_from(FIRST_DAY, DAYS)]
    columns = [np.concatenate([day[name] for day in days]) for name in ("bill", "guests", "tip")]
    np.savez(folder / "tables.npz", inputs=np.stack(columns[:2], axis=1), label=columns[2])
    done = subprocess.run(
        [str(mlflow_python()), str(Path(__file__).with_name("train.py")), str(folder)],
        cwd=folder,
        env=variables(folder, MLFLOW_TRACKING_URI=address, GIT_PYTHON_REFRESH="quiet"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
