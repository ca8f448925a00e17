"""The models of the tests, and servers of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.inference import Model
from tests.unit.serving import graphs
from tests.unit.serving.processes import Server

Write = Callable[..., Path]
Start = Callable[..., Server]


@pytest.fixture(scope="session")
def write_model(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a graph as `model.onnx` into a folder of its own."""

    def write(graph: str) -> Path:
        directory = tmp_path_factory.mktemp("model")
        graphs.write(graph, directory)
        return directory

    return write


@pytest.fixture(scope="session")
def late_directory(write_model: Write) -> Path:
    return write_model(graphs.LATE)


@pytest.fixture(scope="session")
def late(late_directory: Path) -> Model:
    """`p_late` = 0.125 for AA, 0.25 for HA, 0 for others, plus the hour; and the carrier as it came."""
    return Model.load(late_directory, name="flight-delay", version="v1.1.0")


@pytest.fixture(scope="session")
def echo(write_model: Write) -> Model:
    """Gives every datatype back as it came."""
    return Model.load(write_model(graphs.echo()), name="echo", version="v1.0.0")


@pytest.fixture
def start(late_directory: Path) -> Iterator[Start]:
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as directory:  # short paths, for the control sockets

        def run(*options: str) -> Server:
            model = ["--model-directory", str(late_directory), "--name", "flight-delay", "--model-version", "v1.1.0"]
            servers.append(Server(Path(directory) / f"{len(servers)}", [*model, *options]))
            return servers[-1]

        yield run
        for server in servers:
            server.discard()
