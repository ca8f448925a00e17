"""Start and end of a real server process."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset
import pytest

from tests.unit.serving.processes import BODY, HEAD, PATIENCE, Server, answer

Start = Callable[..., Server]


def test_a_request_whose_body_is_on_its_way_is_answered_by_a_server_that_leaves(start: Start, tmp_path: Path) -> None:
    """Kubernetes sends SIGTERM in the middle of the day; the code 0 says that nothing was cut, and the log is whole."""
    server = start("--served-log", str(tmp_path))
    with server.connect() as connection:
        connection.sendall(HEAD + BODY[:10])
        server.process.send_signal(signal.SIGTERM)
        while server.say(b"status")["accepting"]:
            pass
        connection.sendall(BODY[10:])
        response = answer(connection)
        assert (response.status, response.getheader("connection")) == (200, "close")
        response.close()

    assert server.process.wait(PATIENCE) == 0
    assert pyarrow.dataset.dataset(tmp_path, partitioning="hive").to_table().num_rows == 1


def test_a_kept_connection_is_answered_once_more_and_then_closed(start: Start) -> None:
    """A client's pool holds idle connections: a close in the moment of its next request would lose that one."""
    server = start("--drain-grace-seconds", str(PATIENCE))
    with server.connect() as connection:
        connection.sendall(HEAD + BODY)
        first = answer(connection)
        first.read()
        server.process.send_signal(signal.SIGTERM)
        while server.say(b"status")["accepting"]:
            pass
        connection.sendall(HEAD + BODY)
        second = answer(connection)
        assert second.read()

    assert (first.getheader("connection"), second.getheader("connection")) == (None, "close")
    assert server.process.wait(PATIENCE) == 0


def test_a_client_that_never_finishes_does_not_hold_the_server(start: Start) -> None:
    """Somebody's half-sent request must not keep a node from being emptied."""
    server = start("--drain-grace-seconds", "0", "--drain-deadline-seconds", "0.2")
    with server.connect() as connection:
        connection.sendall(HEAD + BODY[:10])
        connection.sendall(b" ")
        assert server.leave() == 0


def test_a_second_server_takes_the_socket_and_the_first_can_leave(start: Start) -> None:
    """The address outlives the process: that is what a swap is made of."""
    first = start()
    address = first.address()
    second = start("--inherit-from", str(first.control))

    assert second.address() == address
    assert first.leave() == 0
    with second.connect() as connection:
        connection.sendall(HEAD + BODY)
        assert json.loads(answer(connection).read())["model_version"] == "v1.1.0"


def test_a_held_server_is_ready_but_accepts_only_when_told(start: Start) -> None:
    """Whoever rolls out looks at it first; traffic must not reach a version that nobody has looked at."""
    server = start("--hold")

    assert server.say(b"status") == {
        "name": "flight-delay",
        "version": "v1.1.0",
        "pid": server.process.pid,
        "ready": True,
        "accepting": False,
    }
    assert server.say(b"listener")["error"] == "does not accept"
    assert server.say(b"accept")["accepting"] is True
    with server.connect() as connection:
        connection.sendall(HEAD + BODY)
        assert answer(connection).status == 200


def test_a_held_server_ends_with_whoever_started_it(start: Start) -> None:
    """A rollout that is killed in the middle must leave no process that nobody knows of."""
    server = start("--hold")
    assert server.say(b"status")["ready"]
    assert server.process.stdin is not None
    server.process.stdin.close()

    assert server.process.wait(PATIENCE) != 0


def test_a_held_server_that_accepts_outlives_whoever_started_it(start: Start) -> None:
    """From here on it serves clients, and a rollout that ends is the normal case."""
    server = start("--hold")
    server.say(b"accept")
    assert server.process.stdin is not None
    server.process.stdin.close()

    with server.connect() as connection:
        connection.sendall(HEAD + BODY)
        assert answer(connection).status == 200
    assert server.leave() == 0


def test_a_held_server_can_be_told_to_leave(start: Start) -> None:
    """A rollout that gives up must not wait for a timeout."""
    server = start("--hold")
    assert server.say(b"status")["ready"]

    assert server.leave() == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"\x00" * 100_000,
    ],
    ids=["TLS", "no HTTP", "no length", "zeros"],
)
def test_bytes_that_are_no_http_get_a_4xx_and_the_next_client_is_served(start: Start, nonsense: bytes) -> None:
    """Whatever reaches the port, the process stays."""
    server = start()
    with server.connect() as connection:
        connection.sendall(nonsense)
        assert answer(connection).status == 400
    with server.connect() as connection:
        connection.sendall(HEAD + BODY)
        assert answer(connection).status == 200


def test_a_body_beyond_the_limit_is_answered_with_413_on_a_real_connection(start: Start) -> None:
    """An answer sent while the client still writes would be lost in a reset, and the client would not know why."""
    server = start("--most-bytes", "1000")
    with server.connect() as connection:
        connection.sendall(b"POST /v2/models/flight-delay/infer HTTP/1.1\r\nhost: h\r\ncontent-length: 7000\r\n\r\n")
        connection.sendall(b"x" * 7000)
        assert answer(connection).status == 413
