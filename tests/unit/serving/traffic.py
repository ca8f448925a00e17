"""Requests one after the other over one connection, each answer held against what the model says."""

from __future__ import annotations

import http.client
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.unit.serving.processes import PATIENCE, Server

_INFER = "/v2/models/flight-delay/infer"


@dataclass
class Traffic:
    """`acknowledged` are the ids of the requests that were answered, in their order."""

    server: Server
    acknowledged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(*self.server.address(), timeout=PATIENCE)

    def ask(self, requests: int) -> float:
        """Ask so many; the median time of an answer in seconds.

        Raises:
            AssertionError: an answer is not right.
            OSError, HTTPException: the server is gone.
        """
        return statistics.median([self._ask_one() for _ in range(requests)])

    def ask_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            self.ask(20)
            time.sleep(0.03)  # leave a processor to whatever is waited for

    def _ask_one(self) -> float:
        number = len(self.acknowledged)
        body = {"id": f"request-{number:06d}", "inputs": _inputs(number)}
        start = time.perf_counter()
        self._connection.request("POST", _INFER, json.dumps(body))
        answer = json.loads(self._connection.getresponse().read())
        seconds = time.perf_counter() - start
        outputs = {output["name"]: output["data"] for output in answer["outputs"]}
        assert (answer["id"], outputs) == (body["id"], {"p_late": [number + 0.25], "airline": ["HA"]})
        self.acknowledged.append(answer["id"])
        return seconds

    def count(self, name: str) -> float:
        """A number of `/metrics`, 0 where it is not told yet; `name` with its labels, where it has some."""
        self._connection.request("GET", "/metrics")
        lines = self._connection.getresponse().read().decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def metrics(self) -> str:
        self._connection.request("GET", "/metrics")
        return self._connection.getresponse().read().decode()

    def close(self) -> None:
        self._connection.close()


def memory_of(server: Server) -> int:
    """Bytes of a process that are in memory now."""
    with open(f"/proc/{server.process.pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize()


def _inputs(number: int) -> list[dict[str, object]]:
    return [
        {"name": "hour", "datatype": "FP32", "shape": [1, 1], "data": [number]},
        {"name": "carrier", "datatype": "BYTES", "shape": [1, 1], "data": ["HA"]},
    ]
