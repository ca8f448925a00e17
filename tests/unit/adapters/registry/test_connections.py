"""Requests over connections that are kept: nothing is asked twice, and what ends early is never taken for the end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from slipway.adapters.registry.address import Address
from slipway.adapters.registry.connections import Broken, Connections


@dataclass
class Host:
    """Gives each connection one answer and hangs up."""

    address: Address
    heard: bytes = b""
    gone: threading.Event = field(default_factory=threading.Event)  # it answered and hung up for the first time


@contextmanager
def host(*answers: bytes) -> Iterator[Host]:
    """One on a free port of this machine; it must be asked as often as it has answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked = Host(Address.parse(f"http://127.0.0.1:{listening.getsockname()[1]}/x?y=1"))

        def serve() -> None:
            for answer in answers:
                client, _ = listening.accept()
                with client:
                    while received := client.recv(1 << 16):
                        asked.heard += received
                        if asked.heard.endswith((b"\r\n\r\n", b"end")):
                            break
                    client.sendall(answer)
                asked.gone.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join()


@pytest.fixture
def connections() -> Iterator[Connections]:
    """As for a registry on this machine, but in a hurry."""
    opened = Connections(connect=5, silence=5, through_proxies=False)
    yield opened
    opened.close()


def test_a_request_says_what_it_was_told_and_no_more(connections: Connections) -> None:
    """A header that a library adds by itself may change what a registry sends back."""
    with host(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as asked:
        response = connections.send("GET", asked.address, {"Accept": "a"})
        assert (response.status, response.start(10)) == (200, b"ok")
        response.close()
    name = f"127.0.0.1:{asked.address.port}"
    assert asked.heard == f"GET /x?y=1 HTTP/1.1\r\nHost: {name}\r\nAccept: a\r\n\r\n".encode()


def test_a_connection_that_was_closed_meanwhile_is_not_used_again(connections: Connections) -> None:
    """Between two requests a large model may be hashed, and registries close what is idle."""
    with host(*[b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"] * 2) as asked:
        connections.send("GET", asked.address, {}).close()
        asked.gone.wait()
        connections.send("GET", asked.address, {}).close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_no_answer(connections: Connections, answer: bytes) -> None:
    """Python's own reader takes the first of these for the end of the body."""
    with host(answer) as asked:
        response = connections.send("GET", asked.address, {})
        with pytest.raises(Broken):
            list(response.chunks(4))
        response.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nLocation: /v2/x/blobs/uploads/1?_state=half",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n",
        b"HTTP/1.1 202 Acc",
    ],
)
def test_a_head_that_breaks_off_is_no_head(connections: Connections, answer: bytes) -> None:
    """Half an address is an address, too, and Python's own reader takes it."""
    with host(answer) as asked, pytest.raises(Broken, match="broke off"):
        connections.send("GET", asked.address, {})


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 ", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc OK\r\n\r\n"])
def test_what_is_no_http_is_no_answer(connections: Connections, answer: bytes) -> None:
    """A wrong port often leads to another service."""
    with host(answer) as asked, pytest.raises(Broken):
        connections.send("GET", asked.address, {})


def test_a_refusal_in_the_middle_of_a_body_is_read(connections: Connections) -> None:
    """A registry that has no room says so before all has arrived, and stops listening."""
    with host(b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 2\r\n\r\nno") as asked:

        def body() -> Iterator[bytes]:
            yield b"end"
            asked.gone.wait()
            yield from [bytes(1 << 20)] * 8

        response = connections.send("PUT", asked.address, {"Content-Length": str(3 + (8 << 20))}, body())
        assert response.status == 507
        response.close()


def test_what_fails_while_a_body_is_made_is_not_the_connections_fault(connections: Connections) -> None:
    """A file that cannot be read would be tried again and again as if the network were bad."""

    def body() -> Iterator[bytes]:
        yield b"end"
        raise FileNotFoundError("model.onnx")

    with host(b"") as asked, pytest.raises(FileNotFoundError, match=r"model\.onnx"):
        connections.send("PUT", asked.address, {"Content-Length": "6"}, body())
