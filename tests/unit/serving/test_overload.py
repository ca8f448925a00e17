"""More work than a server can do, on a real server process."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.serving import graphs
from tests.unit.serving.processes import PATIENCE, Server

Start = Callable[..., Server]
SECONDS = 2.0
BODY = json.dumps({"inputs": [{"name": "turns", "datatype": "INT64", "shape": [1], "data": [1]}]})


@pytest.fixture
def busy(start: Start, write_model: Callable[..., Path]) -> Iterator[tuple[str, int]]:
    """The address of a server that answers two requests at once, of a model that never comes to an end."""
    directory = write_model(graphs.SLOW)
    limits = ["--most-seconds", str(SECONDS), "--most-in-flight", "2", "--threads", "1"]
    server = start("--model-directory", str(directory), *limits)
    address = server.address()
    assert ask(address, "POST", "/v2/models/flight-delay/infer", BODY)[0] == 503  # quick for zeros, and for them alone
    yield address
    assert server.leave() == 0


def ask(address: tuple[str, int], method: str, path: str, body: str | None = None) -> tuple[int, str | None, str]:
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.getheader("retry-after"), response.read().decode()
    finally:
        connection.close()


def test_who_is_one_too_many_is_told_at_once_and_health_is_answered_all_the_while(busy: tuple[str, int]) -> None:
    """A server that hangs is restarted by its platform in the middle of its busiest hour."""
    start = time.monotonic()
    with ThreadPoolExecutor(5) as clients:
        asking = [clients.submit(ask, busy, "POST", "/v2/models/flight-delay/infer", BODY) for _ in range(5)]
        while time.monotonic() < start + SECONDS / 2:
            assert ask(busy, "GET", "/v2/health/live")[0] == 200
        told_at_once = [one for one in asking if one.done()]
        answers = [one.result() for one in asking]

    assert {(status, retry) for status, retry, _ in answers} == {(503, "1")}
    assert sum("2 requests are in flight" in body for _, _, body in answers) == len(told_at_once) == 3
    assert sum("no answer within 2 s" in body for _, _, body in answers) == 2
    assert "slipway_requests_in_flight 0.0" in ask(busy, "GET", "/metrics")[2]
