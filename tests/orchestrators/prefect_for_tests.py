"""Prefect as a team would run it on one machine: its server, and a process that serves a flow."""

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


@dataclass(frozen=True, slots=True)
class Prefect:
    python: Path
    home: Path

    def variables(self, **more: str) -> dict[str, str]:
        """Nothing is told to anybody."""
        quiet = {"PREFECT_HOME": str(self.home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        return team.variables({**quiet, **more})

    def run_flow(self, checkout: Path) -> dict[str, Any]:
        """How the flow of a checkout ends by itself: its state, and those of its tasks."""
        done = subprocess.run(
            [str(self.python), str(team.ROOT / "tests/orchestrators/run_flow.py"), "flows/prefect/flight_late.py"],
            cwd=checkout,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    @contextmanager
    def server(self, checkout: Path) -> Iterator[str]:
        """The address of its API; of its services none is asked for here."""
        port, log = processes.free_port(), checkout.parent / "prefect.log"
        command = [str(self.python), "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with processes.running(
            [*command, "--no-ui", "--no-services"], folder=checkout, variables=self.variables(), log=log
        ):
            processes.wait_for(f"http://127.0.0.1:{port}/api/health", log)
            yield f"http://127.0.0.1:{port}/api"

    @contextmanager
    def serving(self, checkout: Path, url: str) -> Iterator[Path]:
        """The flow's file, run as a program, which waits for runs of its deployment; its log."""
        log = checkout.parent / "serving.log"
        with processes.running(
            [str(self.python), "flows/prefect/flight_late.py"],
            folder=checkout,
            variables=self.variables(PREFECT_API_URL=url, PREFECT_RUNNER_POLL_FREQUENCY="1"),
            log=log,
        ):
            processes.wait_for_line(r"(Your flow .* is being served)", log)
            yield log

    def runs(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.post(f"{url}/flow_runs/filter", json={}).raise_for_status().json()
        return found
