"""Airflow as a team would run it on one machine, but for its scheduler."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.orchestrators import processes
from tests.orchestrators import world as team

USER, PASSWORD = "receiver", "of-these-tests-alone"


@dataclass(frozen=True, slots=True)
class Airflow:
    python: Path
    home: Path

    @property
    def command(self) -> list[str]:
        return [str(self.python), "-m", "airflow"]

    def variables(self, checkout: Path) -> dict[str, str]:
        """Nothing is told to anybody, and DAGs are those of a checkout."""
        (self.home / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
        return team.variables(
            {
                "AIRFLOW_HOME": str(self.home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(checkout / "flows" / "airflow"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:user",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
                "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            }
        )

    def run_dag(self, checkout: Path) -> dict[str, Any]:
        """How the DAG of a checkout ends by `dag.test()`: its state, those of its tasks, and all that was printed."""
        done = subprocess.run(
            [str(self.python), str(team.ROOT / "tests/orchestrators/run_dag.py"), "flows/airflow/flight_late.py"],
            cwd=checkout,
            env=self.variables(checkout),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return {**json.loads(done.stdout.splitlines()[-1]), "said": done.stdout}

    @contextmanager
    def server(self, checkout: Path) -> Iterator[str]:
        """Its API, which knows the DAG of a checkout."""
        variables, port = self.variables(checkout), processes.free_port()
        subprocess.run([*self.command, "dags", "reserialize"], env=variables, check=True, capture_output=True)
        words = ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--apps", "core"]
        log = checkout.parent / "airflow.log"
        with processes.running([*self.command, *words], folder=checkout, variables=variables, log=log):
            processes.wait_for(f"http://127.0.0.1:{port}/api/v2/monitor/health", log)
            yield f"http://127.0.0.1:{port}"

    def runs(self, url: str, dag: str) -> list[dict[str, Any]]:
        user = {"username": USER, "password": PASSWORD}
        token = httpx.post(f"{url}/auth/token", json=user).raise_for_status().json()["access_token"]
        answer = httpx.get(f"{url}/api/v2/dags/{dag}/dagRuns", headers={"authorization": f"Bearer {token}"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["dag_runs"]
        return found
