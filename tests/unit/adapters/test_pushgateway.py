"""What is told when nobody takes our metrics; a real Pushgateway stands in tests/monitoring."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from slipway.adapters import pushgateway
from slipway.errors import PushRefused, Unreachable


class _NotFound(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _NotFound) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_of_something_else_is_refused(other_server: str) -> None:
    """Prometheus itself answers on a port nearby, and has no such path."""
    with pytest.raises(PushRefused, match="answered 404") as refused:
        pushgateway.push(b"", to=other_server, instance="team")
    assert "without /metrics" in str(refused.value)


def test_nobody_there_is_no_verdict_and_tells_the_other_way() -> None:
    """A hosted runner reaches no private gateway."""
    with socket.socket() as closed:  # bound, and not listening
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="--out"):
            pushgateway.push(b"", to=f"http://127.0.0.1:{closed.getsockname()[1]}", instance="team")


@pytest.mark.parametrize("to", ["nowhere", "gateway:9091", ""])
def test_what_is_no_address_is_to_be_mended_and_not_tried_again(to: str) -> None:
    """To run the command again, as where nobody answers, would never help."""
    with pytest.raises(PushRefused, match="is no address") as refused:
        pushgateway.push(b"", to=to, instance="team")
    assert "http://127.0.0.1:9091" in refused.value.mend
