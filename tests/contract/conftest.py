"""A real server process, and the clients that others wrote, in an environment of their own.

Their packages would not share the one of the tests: KServe's client brings its whole server with it. The environment is
made once a machine, from hashed requirements, as those of the converters are.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from slipway.adapters.processes import environments

from tests.unit.serving import graphs
from tests.unit.serving.processes import Server

ROOT = Path(__file__).parents[2]
Serve = Callable[..., Server]
Outcomes = dict[str, str | None]
MODEL = ["--name", "echo", "--model-version", "v1.0.0", "--compress-from-bytes", "100"]


@pytest.fixture(scope="session")
def their_python() -> Path:
    return environments.environment_for("contract", requirements=ROOT / "requirements" / "contract.txt")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start a server of the model that gives every datatype back."""
    directory = tmp_path_factory.mktemp("echo")
    graphs.write(graphs.echo(), directory)
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as controls:  # short paths, for the control sockets

        def run(*options: str) -> Server:
            arguments = ["--model-directory", str(directory), *MODEL, *options]
            servers.append(Server(Path(controls) / f"{len(servers)}", arguments))
            return servers[-1]

        yield run
        for server in servers:
            server.discard()


@pytest.fixture(scope="session")
def server(serve: Serve) -> Server:
    return serve()


@pytest.fixture(scope="session")
def ask_with(their_python: Path, server: Server) -> Callable[[str], Outcomes]:
    """Let a client of theirs do all that it can do; by name, what went wrong, or None."""

    def ask(client: str) -> Outcomes:
        host, port = server.address()
        command = [str(their_python), "-m", f"tests.contract.clients.{client}", f"{host}:{port}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        outcomes: Outcomes = json.loads(done.stdout.splitlines()[-1])
        return outcomes

    return ask
