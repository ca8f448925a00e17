"""A tracking server of MLflow as a team runs it, and servers that answer as a broken one does; all on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from tests.mlflow.environment import mlflow_python, variables

_PATIENCE = 240.0  # seconds; its first start makes a database of a hundred tables
_LOOKS_EACH = 0.2


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """The whole server, with SQLite and files of its own below `folder`; gives its address."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    options = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts"]
    listens = ["--serve-artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(mlflow_python()), "-m", "mlflow", "server", *options, *listens],
            cwd=folder,
            env=variables(folder, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false"),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it starts others, which end with it
        )
    try:
        _wait(process, address, folder / "log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{address}/health", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(_LOOKS_EACH)
    raise AssertionError(log.read_text())


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass
class Broken:
    """What came to it, and whether who came has left by now."""

    address: str
    came: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def silent() -> Iterator[Broken]:
    """It takes a request, and never says a word."""
    with _listening(lambda _: None) as broken:
        yield broken


@contextmanager
def dripping() -> Iterator[Broken]:
    """It begins an answer, and sends a byte of it each half second: no client's patience ever runs out."""
    with _listening(_drip) as broken:
        yield broken


def _drip(client: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
    try:
        client.sendall(head)
        while True:
            time.sleep(0.5)
            client.sendall(b" ")
    except OSError:  # who asked is gone
        return


@contextmanager
def _listening(answer: Callable[[socket.socket], None]) -> Iterator[Broken]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        broken = Broken(f"http://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=_serve, args=(listening, answer, broken), daemon=True).start()
        yield broken


def _serve(listening: socket.socket, answer: Callable[[socket.socket], None], broken: Broken) -> None:
    try:
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_meet, args=(client, answer, broken), daemon=True).start()
    except OSError:  # it was closed
        return


def _meet(client: socket.socket, answer: Callable[[socket.socket], None], broken: Broken) -> None:
    with client:
        client.recv(65536)
        broken.came.set()
        answer(client)
        try:
            while client.recv(65536):
                pass
        except OSError:
            pass
        broken.left.set()


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """It answers everything with a status, as what stands before a server does; gives its address."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"No way.")

        do_POST = do_PATCH = do_GET  # noqa: N815  # as the base class calls them

    with _served(Handler) as address:
        yield address


@contextmanager
def answering(answers: Mapping[str, object]) -> Iterator[str]:
    """It knows these paths, by how they end, and answers each with JSON; gives its address."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            known = next((answer for end, answer in answers.items() if path.endswith(end)), None)
            content = json.dumps(known if known is not None else {"error_code": "RESOURCE_DOES_NOT_EXIST"}).encode()
            self.send_response(200 if known is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with _served(Handler) as address:
        yield address


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *told: object) -> None:
        pass


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
