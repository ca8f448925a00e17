"""Airflow and Prefect, each in an environment of its own, and a team whose model they train."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from slipway.adapters.processes import environments

from tests.orchestrators import world as team
from tests.orchestrators.airflow_for_tests import Airflow
from tests.orchestrators.prefect_for_tests import Prefect


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world in which v1.0.0 is merged; each test works in a copy."""
    folder = tmp_path_factory.mktemp("orchestrators") / "world"
    folder.mkdir()
    team.found(folder)
    return folder


@pytest.fixture
def checkout(released: Path, tmp_path: Path) -> Path:
    return team.copy_of(released, tmp_path / "world")


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """With a database of its own, in which one user may start DAGs."""
    python = environments.environment_for("airflow", requirements=team.ROOT / "requirements" / "airflow.txt")
    home = tmp_path_factory.mktemp("airflow")
    made = Airflow(python, home)
    subprocess.run([*made.command, "db", "migrate"], env=made.variables(home), check=True, capture_output=True)
    return made


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Prefect:
    python = environments.environment_for("prefect", requirements=team.ROOT / "requirements" / "prefect.txt")
    return Prefect(python, tmp_path_factory.mktemp("prefect"))
