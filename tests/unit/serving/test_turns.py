"""Requests that come as a whole, on a real server process: what they are told must not depend on how they came."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.serving import graphs
from tests.unit.serving.processes import BODY, HEAD, PATIENCE, Server, answer

Start = Callable[..., Server]
Told = tuple[int, bytes, dict[str, str]]

PATH = b"/v2/models/flight-delay/infer"
MALFORMED = b'{"inputs": []}'


def counts(server: Server) -> dict[str, float]:
    with closing(http.client.HTTPConnection(*server.address(), timeout=PATIENCE)) as connection:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def ask(server: Server, *parts: bytes) -> Told:
    """Send one request, and take its answer."""
    with server.connect() as connection:
        for part in parts:
            connection.sendall(part)
        response = answer(connection)
        headers = {name.lower(): value for name, value in response.getheaders() if name.lower() != "date"}
        return response.status, response.read(), headers


def as_a_whole(body: bytes, *, headers: bytes = b"") -> bytes:
    return b"POST %s HTTP/1.1\r\nhost: h\r\n%scontent-length: %d\r\n\r\n%s" % (PATH, headers, len(body), body)


def in_chunks(body: bytes) -> bytes:
    """What a client sends who does not know beforehand how long its body will be."""
    head = b"POST %s HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n" % PATH
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return head + chunk + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "body", [b'{"id": "a",' + BODY[1:], MALFORMED, b"\xff", b""], ids=["good", "bad", "no", "none"]
)
def test_a_request_is_answered_alike_however_it_comes(start: Start, body: bytes) -> None:
    """As a whole, in chunks, in two parts, on a path with a version, in HTTP/1.0, with an announcement: there are two
    ways through the server, and a client must not be able to tell."""
    server = start()
    first = as_a_whole(body)
    told = ask(server, first)
    versioned = first.replace(PATH, b"/v2/models/flight-delay/versions/v1.1.0/infer")

    assert told[0] == (200 if body.startswith(b'{"id"') else 400)
    assert [ask(server, in_chunks(body)), ask(server, first[:-3], first[-3:]), ask(server, versioned)] == [told] * 3
    assert ask(server, as_a_whole(body, headers=b"accept-encoding: gzip\r\n")) == told
    assert ask(server, first.replace(PATH, PATH + b"?of=course")) == told
    closing = (*told[:2], {**told[2], "connection": "close"})
    assert ask(server, as_a_whole(body, headers=b"connection: close\r\n")) == closing
    assert ask(server, first.replace(b"HTTP/1.1", b"HTTP/1.0")) == closing


def test_a_client_may_wait_for_leave_to_send_its_body(start: Start) -> None:
    """curl does so with every body beyond a kilobyte, and waits a second where it is not given leave."""
    server = start()
    with server.connect() as connection:
        connection.sendall(as_a_whole(BODY, headers=b"expect: 100-continue\r\n")[: -len(BODY)])
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert answer(connection).status == 200


def test_requests_of_both_ways_on_one_connection_are_answered_in_their_order(start: Start) -> None:
    """Answers have no name: a client takes the first for that to its first request."""
    server = start()
    numbered = [b'{"id": "%d",' % number + BODY[1:] for number in range(6)]
    sent = [way(body) for body in numbered for way in (as_a_whole, in_chunks)]
    with server.connect() as connection:
        connection.sendall(b"".join([*sent, as_a_whole(MALFORMED, headers=b"connection: close\r\n")]))
        stream = b"".join(iter(lambda: connection.recv(100_000), b""))
    *answers, last = stream.split(b"HTTP/1.1 ")[1:]

    assert [json.loads(one.partition(b"\r\n\r\n")[2])["id"] for one in answers] == [
        str(number) for number in range(6) for _ in range(2)
    ]
    assert last.startswith(b"400 ")


def test_what_waits_for_a_thread_keeps_nobody_waiting_and_its_connection_in_order(
    start: Start, write_model: Callable[..., Path]
) -> None:
    """The next request on its connection is answered after it, that of another client at once."""
    server = start("--model-directory", str(write_model(graphs.SLOW)), "--most-seconds", "2")
    endless, quick = (
        json.dumps({"inputs": [{"name": "turns", "datatype": "INT64", "shape": [1], "data": [turns]}]}).encode()
        for turns in (1, 0)
    )
    assert ask(server, as_a_whole(endless))[0] == 503  # stopped in the loop: from now on it runs in threads
    with server.connect() as connection:
        connection.sendall(as_a_whole(endless) + as_a_whole(quick))
        assert ask(server, as_a_whole(quick))[0] == 200
        response = answer(connection)
        assert (response.status, response.getheader("retry-after")) == (503, "1")
        response.read()
    assert counts(server)['slipway_requests_total{code="503"}'] == 2


def test_who_leaves_before_the_answer_is_counted_as_gone(start: Start, write_model: Callable[..., Path]) -> None:
    """Clients that time out are the first that anybody hears of a model that became slow."""
    server = start("--model-directory", str(write_model(graphs.SLOW)), "--most-seconds", "1")
    endless = json.dumps({"inputs": [{"name": "turns", "datatype": "INT64", "shape": [1], "data": [1]}]}).encode()
    assert ask(server, as_a_whole(endless))[0] == 503
    with server.connect() as connection:
        connection.sendall(as_a_whole(endless))

    gone = 'slipway_errors_total{cause="client_gone"}'
    while (counted := counts(server))[gone] == 0:
        assert counted["slipway_requests_in_flight"] == 1
    assert counted[gone] == 1


def test_as_many_are_in_flight_as_may_be_and_no_more_bytes_than_may_be_held(start: Start) -> None:
    """A server without a limit takes in requests until the system ends it."""
    full = start("--most-in-flight", "0")
    small = start("--most-held-bytes", str(len(BODY) - 1))

    for server in (full, small):
        status, told, headers = ask(server, HEAD + BODY)
        assert (status, headers["retry-after"]) == (503, "1")
        assert b"the server is busy" in told
