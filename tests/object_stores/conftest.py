"""Stores for the served log, and servers that write to them."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.object_stores.stores import GoogleStorage, Store, Swift
from tests.unit.serving import graphs
from tests.unit.serving.processes import Server
from tests.unit.serving.traffic import Traffic

_STORES: dict[str, type[Store]] = {"s3": Swift, "gs": GoogleStorage}
Serve = Callable[..., Server]


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Store]]:
    """One of each kind, started when the first test asks for it."""
    started = {name: kind(tmp_path_factory.mktemp(name)) for name, kind in _STORES.items()}
    yield started
    for store in started.values():
        store.kill()


@pytest.fixture(params=_STORES)
def store(request: pytest.FixtureRequest, stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A running one with an empty bucket; what a client has to know stands in the environment."""
    running = stores[request.param]
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    running.start()
    running.bucket = f"flights-{uuid.uuid4().hex[:8]}"
    running.client().mkdir(running.bucket)
    yield running
    running.go_on()


@pytest.fixture
def model_directory(tmp_path: Path) -> Path:
    graphs.write(graphs.LATE, tmp_path)
    return tmp_path


@pytest.fixture
def serve(store: Store, model_directory: Path) -> Iterator[Serve]:
    """A server whose log goes to the store."""
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as directory:  # short paths, for the control sockets
        model = ["--model-directory", str(model_directory), "--name", "flight-delay", "--model-version", "v1.1.0"]

        def run(*options: str) -> Server:
            log = ["--served-log", f"{store.scheme}://{store.bucket}/served"]
            servers.append(Server(Path(directory) / f"{len(servers)}", [*model, *log, *options]))
            return servers[-1]

        yield run
        for server in servers:
            server.discard()


@pytest.fixture
def traffic_to() -> Iterator[Callable[[Server], Traffic]]:
    with contextlib.ExitStack() as opened:
        yield lambda server: opened.enter_context(contextlib.closing(Traffic(server)))
