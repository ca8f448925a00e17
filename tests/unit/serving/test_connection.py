"""Clients that are slow, on a real server process."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import pytest

from tests.unit.serving.processes import BODY, HEAD, Server, answer, read_status

Start = Callable[..., Server]


def served(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + BODY)
        assert answer(connection).status == 200


@pytest.mark.parametrize("part", [HEAD[:20], HEAD, HEAD + BODY[:10]], ids=["head", "no body", "half a body"])
def test_a_request_that_does_not_arrive_is_refused(start: Start, part: bytes) -> None:
    """Hundreds of clients that send a byte a minute would keep everybody else out."""
    server = start("--arrival-seconds", "0.3", "--most-in-flight", "1")
    with server.connect() as connection:
        connection.sendall(part)
        response = answer(connection)
        assert (response.status, response.getheader("connection")) == (408, "close")
        assert b"did not arrive within 0.3 s" in response.read()
    served(server)


def test_a_connection_on_which_nothing_is_sent_is_closed(start: Start) -> None:
    """Each holds a file of the process, of which there are a thousand."""
    server = start("--arrival-seconds", "0.3")
    with server.connect() as connection:
        assert connection.recv(1) == b""
    served(server)


def test_a_kept_connection_may_rest_longer_than_a_request_may_take(start: Start) -> None:
    """The clock starts with a request's first byte, not with the answer to the one before."""
    server = start("--arrival-seconds", "0.3")
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(HEAD + BODY)
            response = answer(connection)
            assert response.status == 200
            response.read()
            connection.settimeout(0.6)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(60)


def test_a_head_without_end_is_refused(start: Start) -> None:
    """A header of a gigabyte is read before any limit on bodies applies."""
    server = start()
    with server.connect() as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nx: ")
        with pytest.raises(OSError):
            for _ in range(1000):
                connection.sendall(b"x" * 65_536)
    with server.connect() as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nx: " + b"x" * 70_000)
        assert answer(connection).status == 431
    served(server)


def test_a_client_that_does_not_read_its_answers_is_let_go(start: Start) -> None:
    """It asks and asks, and each answer that it leaves lying would stay in our memory."""
    server = start("--arrival-seconds", "0.3")
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        with pytest.raises(OSError):
            for _ in range(100_000):
                connection.sendall((HEAD + BODY) * 100)
    served(server)


def test_requests_that_are_sent_at_once_are_answered_in_their_order(start: Start) -> None:
    """Pipelining is allowed by HTTP, and a proxy may do it."""
    server = start()
    with server.connect() as connection:
        connection.sendall((HEAD + BODY) * 50)
        stream = connection.makefile("rb")
        heads = 0
        while heads < 50:
            heads += b"HTTP/1.1 200" in stream.readline()  # a body ends without a line end
    served(server)


def test_a_head_that_comes_behind_many_requests_is_not_held_for_a_large_one(start: Start) -> None:
    """All that came at once is read at once; only what belongs to the head counts against it."""
    server = start()
    request = HEAD + BODY
    number = 100_000 // len(request)
    with server.connect() as connection:
        server.process.send_signal(signal.SIGSTOP)  # so that the next read finds all of this
        connection.sendall(request * number + request[:20])
        server.process.send_signal(signal.SIGCONT)
        stream = connection.makefile("rb")
        told = [read_status(stream) for _ in range(number)]
        connection.sendall(request[20:])
        assert {*told, read_status(stream)} == {200}
    served(server)


@pytest.mark.parametrize(
    "request_line", [b"CONNECT host:80 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET http:// HTTP/1.1", b"GET \xff HTTP/1.1"]
)
def test_a_request_to_nowhere_gets_a_4xx(start: Start, request_line: bytes) -> None:
    """Open proxies are looked for on every port there is."""
    server = start()
    with server.connect() as connection:
        connection.sendall(request_line + b"\r\nhost: h\r\n\r\n")
        assert 400 <= answer(connection).status < 500
    served(server)


def test_an_upgrade_that_is_not_there_is_answered_as_if_nobody_had_asked(start: Start) -> None:
    """curl --http2 asks for one with its first request."""
    server = start()
    with server.connect() as connection:
        wish = b"\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\nhost: h\r\n\r\n"
        connection.sendall(b"GET /v2 HTTP/1.1" + wish)
        assert answer(connection).status == 200
    served(server)
