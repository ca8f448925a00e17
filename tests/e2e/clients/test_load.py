"""Tests of rollouts believe what these clients counted, on a cluster and with Docker alike."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.e2e.clients.asking import KEEP, NEW
from tests.e2e.clients.load import load, two_rows


class Answering(BaseHTTPRequestHandler):
    """A model server as far as these clients look: a version, or a refusal."""

    protocol_version = "HTTP/1.1"
    answer: ClassVar[tuple[int, bytes]]
    bodies: ClassVar[list[bytes]]

    def do_POST(self) -> None:
        type(self).bodies.append(self.rfile.read(int(self.headers["content-length"])))
        status, body = type(self).answer
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is to be read of it."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Answering]]]:
    """Where it listens, and what answers there."""
    handler = type(
        "One", (Answering,), {"answer": (200, json.dumps({"model_version": "v1.0.0"}).encode()), "bodies": []}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"127.0.0.1:{listening.server_address[1]}", handler
        listening.shutdown()
        thread.join()


def test_each_kind_of_client_counts_what_answers_and_what_does_not(server: tuple[str, type[Answering]]) -> None:
    """A request that failed and was not counted would let a broken rollout pass."""
    address, handler = server

    with load(address, model="tip", inputs=two_rows(), clients=1, a_second=400) as clients:
        clients.wait_until_each(10)
        assert clients.failed == {}
        handler.answer = (503, b"")
        clients.wait_for(20)

    assert set(clients.outcomes) == set(clients.failed) == {KEEP, NEW}
    assert clients.answered.keys() == {"v1.0.0"}
    assert clients.failures == clients.all["status 503"] > 0
    assert clients.all.total() == clients.answered.total() + clients.failures == len(handler.bodies)
    assert sum(window.total() for window in clients.windows(1)) == clients.outcomes[NEW].total()
    assert json.loads(handler.bodies[0]) == {"inputs": two_rows()}


def test_what_is_not_there_is_counted_with_its_reason() -> None:
    """Clients that ask nobody and report nothing would prove that nothing was lost."""
    with load("127.0.0.1:9", model="tip", inputs=two_rows(), clients=1, a_second=100) as clients:
        clients.wait_until_at_least(4)

    assert clients.answered == {}
    assert clients.failures == clients.all.total()
