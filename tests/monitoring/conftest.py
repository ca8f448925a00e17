"""All of monitoring/ at once: two servers, two exports of a watch, and Prometheus that tells Alertmanager."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipway.adapters import atomic, pushgateway
from slipway.domain.incident import Outcome

from tests.monitoring import served, watched
from tests.monitoring.configurations import write_alertmanager, write_prometheus
from tests.monitoring.programs import Program, Prometheus, free_ports
from tests.monitoring.receiver import Pager, pager
from tests.unit.serving.processes import Server

PUSHED_BY = "waiters/tips"


@dataclass(frozen=True)
class Site:
    """What a team has once it runs prometheus.yml."""

    prometheus: Prometheus
    manager: Program
    gateway: Program
    leaving: Server  # what a test may end
    pager: Pager


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """One for all tests; a short path, for the control sockets."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as open_ones:
        yield _started(Path(directory), open_ones)


def _started(folder: Path, open_ones: ExitStack) -> Site:
    well, leaving = served.start_well(folder / "well"), served.start_well(folder / "leaving")
    crowded = served.start_crowded(folder / "crowded")
    for server in (well, crowded, leaving):
        open_ones.callback(server.discard)
    manager_port, gateway_port, exporter_port, prometheus_port = free_ports(4)
    told = open_ones.enter_context(pager())
    manager = _alertmanager(folder, port=manager_port, webhook=told.url)
    gateway, exporter = _pushgateway(folder, port=gateway_port), _node_exporter(folder, port=exporter_port)
    targets = {
        "slipway-server": [_target(well, "production"), _target(crowded, "staging"), _target(leaving, "old")],
        "slipway-watch": [{"targets": [f"127.0.0.1:{exporter_port}"]}],
        "pushgateway": [{"targets": [f"127.0.0.1:{gateway_port}"]}],
    }
    config = write_prometheus(folder, targets=targets, alertmanager=f"127.0.0.1:{manager_port}")
    prometheus = Prometheus(config, port=prometheus_port)
    for program in (manager, gateway, exporter, prometheus):
        open_ones.callback(program.end)
    for program in (manager, gateway, exporter, prometheus):
        program.wait()
    found = watched.text_of(watched.DRIFTED, *watched.FINDINGS, outcome=Outcome.RETRAIN)
    atomic.write(folder / "textfiles" / "slipway.prom", found)
    pushgateway.push(watched.text_of("tip"), to=gateway.url, instance=PUSHED_BY)
    open_ones.enter_context(_asked_all_the_time(well, crowded))
    return Site(prometheus, manager, gateway, leaving, told)


def _target(server: Server, environment: str) -> dict[str, Any]:
    host, port = server.address()
    return {"targets": [f"{host}:{port}"], "labels": {"environment": environment}}


def _alertmanager(folder: Path, *, port: int, webhook: str) -> Program:
    return Program(
        "prometheus-alertmanager",
        f"--config.file={write_alertmanager(folder, webhook=webhook)}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        folder=folder,
        port=port,
        ready="/-/ready",
    )


def _pushgateway(folder: Path, *, port: int) -> Program:
    address = f"--web.listen-address=127.0.0.1:{port}"
    return Program("prometheus-pushgateway", address, folder=folder, port=port, ready="/-/ready")


def _node_exporter(folder: Path, *, port: int) -> Program:
    (folder / "textfiles").mkdir()
    return Program(
        "prometheus-node-exporter",
        f"--collector.textfile.directory={folder / 'textfiles'}",
        f"--web.listen-address=127.0.0.1:{port}",
        folder=folder,
        port=port,
        ready="/",
    )


@contextmanager
def _asked_all_the_time(well: Server, crowded: Server) -> Iterator[None]:
    """Rates need requests that go on."""
    over = threading.Event()

    def ask(asking: Any, server: Server) -> None:
        with httpx.Client() as client:
            while not over.wait(0.1):
                asking(client, server)

    threads = [
        threading.Thread(target=ask, args=(asking, server))
        for asking, server in ((served.ask_well, well), (served.ask_crowded, crowded))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
