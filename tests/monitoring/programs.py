"""Prometheus and what stands around it, each as a real process on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

PATIENCE = 30.0


class Program:
    """A process that is ready once `path` of its port answers; what it says lies in the folder."""

    def __init__(self, name: str, *options: str, folder: Path, port: int, ready: str) -> None:
        if shutil.which(name) is None:
            pytest.fail(f"{name} is not installed\n  mend: apt-get install {name}")
        self.url = f"http://127.0.0.1:{port}"
        self._ready = ready
        self._said = folder / f"{name}.log"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen([name, *options], stdout=said, stderr=said, cwd=folder)

    def wait(self) -> Self:
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.end()
                pytest.fail(f"it did not start: {self._said.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url + self._ready).is_success
        except httpx.TransportError:
            return False


class Prometheus(Program):
    def __init__(self, config: Path, *, port: int) -> None:
        super().__init__(
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={config.parent / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            folder=config.parent,
            port=port,
            ready="/-/ready",
        )

    def ask(self, promql: str) -> list[dict[str, Any]]:
        """The samples of a query now; one that is no PromQL fails the test."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": promql})
        assert answer.is_success, f"{promql}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def ask_until_found(self, promql: str) -> list[dict[str, Any]]:
        """Scrapes and rules take their time; what never comes is an empty list."""
        end = time.monotonic() + PATIENCE / 2
        while not (found := self.ask(promql)) and time.monotonic() < end:
            time.sleep(0.2)
        return found

    def values_of(self, label: str, *, of: str) -> list[str]:
        found: list[str] = httpx.get(f"{self.url}/api/v1/label/{label}/values", params={"match[]": of}).json()["data"]
        return found


def free_ports(number: int) -> list[int]:
    """All open at once, so that no two are the same."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
