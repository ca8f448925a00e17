"""A new version takes over from the one before while clients keep coming: nobody is refused.

Real ONNX models with string inputs, real processes, a new connection a request. The controls show that the test can
fail: without a hand-over, and without a grace for connections that are accepted but silent, requests are lost.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import pyarrow.dataset
import pytest
from onnx import TensorProto, helper
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.adapters.rollout.server_process import ServerProcess, wait_until

log = logging.getLogger(__name__)

MODEL = "flight-delay"
WORKERS = 4
REQUESTS = 2_400
BEFORE_THE_SWAP = 600
PATIENCE = 60.0  # seconds for something that takes one: no assertion, only an end for a broken run
BODY = json.dumps(
    {
        "inputs": [
            {"name": "hour", "datatype": "FP32", "shape": [2, 1], "data": [6, 18]},
            {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["HA", "AA"]},
        ]
    }
).encode()


@dataclass
class Load:
    """Four workers, each asking on a new connection again and again; every answer or failure is counted."""

    url: str
    outcomes: Counter[str] = field(default_factory=Counter)
    enough: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _workers: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._workers = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        for worker in self._workers:
            worker.join()

    def wait_for(self, requests: int) -> None:
        assert wait_until(lambda: self.outcomes.total() >= requests, seconds=PATIENCE), self.outcomes

    @property
    def failed(self) -> dict[str, int]:
        return {outcome: count for outcome, count in self.outcomes.items() if not outcome.startswith("v")}

    def _work(self) -> None:
        while not self.enough.is_set():
            outcome = self._ask()
            with self._lock:
                self.outcomes[outcome] += 1

    def _ask(self) -> str:
        """The version that answered, or what went wrong."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)
        try:
            connection.request("POST", f"/v2/models/{MODEL}/infer", BODY)
            response = connection.getresponse()
            body = json.loads(response.read())
            return str(body["model_version"]) if response.status == 200 else f"status {response.status}"
        except (OSError, http.client.HTTPException) as failure:
            return type(failure).__name__
        finally:
            connection.close()


@pytest.fixture
def deployment(tmp_path: Path) -> Callable[..., Deployment]:
    def make(version: str, *, bias: float) -> Deployment:
        directory = tmp_path / "layers" / version
        directory.mkdir(parents=True)
        onnx.save(_model(bias), directory / "model.onnx")
        return Deployment(
            model=MODEL,
            environment="production",
            version=version,
            digest=f"sha256:{version}",
            image=f"flight-delay:{version}",
            commit="c0ffee",
            model_directory=directory,
            served_log=str(tmp_path / "served"),
        )

    return make


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    stop_all(tmp_path / "state")


def test_no_request_is_refused_while_versions_change(
    deployment: Callable[..., Deployment], state: Path, tmp_path: Path
) -> None:
    """A release in the middle of the day must be invisible to every client, also to those that connect right now."""
    rollout = ProcessRollout(state=state)
    old = rollout.apply(deployment("v1.0.0", bias=0.25))

    with Load(old.url) as load:
        load.wait_for(BEFORE_THE_SWAP)
        new = rollout.apply(deployment("v1.1.0", bias=0.5))
        load.wait_for(max(REQUESTS, load.outcomes.total() + BEFORE_THE_SWAP))

    log.info("%d requests: %s", load.outcomes.total(), dict(load.outcomes))
    assert load.failed == {}
    assert load.outcomes.total() >= REQUESTS
    assert set(load.outcomes) == {"v1.0.0", "v1.1.0"}
    assert new.url == old.url
    assert not _exists(old.pid)
    stop_all(state)
    assert _rows_logged(tmp_path / "served") == {version: 2 * count for version, count in load.outcomes.items()}


def test_control_a_server_that_is_killed_and_bound_anew_loses_requests(
    deployment: Callable[..., Deployment], state: Path
) -> None:
    """If this control saw no failure, neither would the test above when the swap is broken."""
    rollout = ProcessRollout(state=state)
    old = rollout.apply(deployment("v1.0.0", bias=0.25))

    with Load(old.url) as load:
        load.wait_for(BEFORE_THE_SWAP)
        os.kill(old.pid, signal.SIGKILL)
        with _bound_anew(deployment("v1.1.0", bias=0.5), old):
            assert wait_until(lambda: load.outcomes["v1.1.0"] >= BEFORE_THE_SWAP, seconds=PATIENCE), load.outcomes
            load.enough.set()

    log.info("%d requests: %s", load.outcomes.total(), dict(load.outcomes))
    assert sum(load.failed.values()) > 0


@pytest.mark.parametrize(("grace_seconds", "answered"), [(PATIENCE, True), (0.0, False)], ids=["grace", "control"])
def test_a_client_that_is_accepted_but_silent_is_answered_by_the_version_that_leaves(
    deployment: Callable[..., Deployment], state: Path, *, grace_seconds: float, answered: bool
) -> None:
    """A slow network delivers the request after the swap; closing such a connection at once loses it."""
    rollout = ProcessRollout(state=state, drain_grace_seconds=grace_seconds)
    old = rollout.apply(deployment("v1.0.0", bias=0.25))
    slow = _accepted(old)
    swap = threading.Thread(target=rollout.apply, args=[deployment("v1.1.0", bias=0.5)])
    swap.start()

    assert wait_until(lambda: _live_version(rollout) == "v1.1.0", seconds=PATIENCE)
    assert wait_until(lambda: _has_left(state, old, gone=not answered), seconds=PATIENCE)
    version = _late_request(slow)
    swap.join()

    assert version == ("v1.0.0" if answered else None)


def _accepted(live: Live) -> socket.socket:
    """Open a connection and know that the server has accepted it: a later one has been answered."""
    host, _, port = live.url.removeprefix("http://").partition(":")
    slow = socket.create_connection((host, int(port)), timeout=PATIENCE)
    assert Load(live.url)._ask() == live.version
    return slow


def _has_left(state: Path, old: Live, *, gone: bool) -> bool:
    """The old version has let go of the listening socket, or is gone altogether."""
    servers = (state / "production" / MODEL / "servers").glob(f"{old.version}-*")
    return not _exists(old.pid) if gone else not any(ServerProcess(folder).accepts() for folder in servers)


def _late_request(slow: socket.socket) -> str | None:
    head = f"POST /v2/models/{MODEL}/infer HTTP/1.1\r\nhost: late\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()
    with slow:
        try:
            slow.sendall(head + BODY)
            response = http.client.HTTPResponse(slow)
            response.begin()
            return str(json.loads(response.read())["model_version"])
        except (OSError, http.client.HTTPException):
            return None


def _live_version(rollout: ProcessRollout) -> str | None:
    live = rollout.live(MODEL, "production")
    return live.version if live else None


@contextmanager
def _bound_anew(deployment: Deployment, old: Live) -> Iterator[None]:
    directory, port = str(deployment.model_directory), old.url.rpartition(":")[2]
    options = ["--model-directory", directory, "--name", MODEL, "--model-version", deployment.version, "--port", port]
    with subprocess.Popen([sys.executable, "-m", "serving", *options], stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.kill()


def _rows_logged(served: Path) -> dict[str, int]:
    table = pyarrow.dataset.dataset(served / "production" / MODEL, partitioning="hive").to_table()
    return dict(Counter(table["version"].to_pylist()))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _model(bias: float) -> onnx.ModelProto:
    """`p_late` = a number for the carrier, plus an hour's share, plus `bias`."""
    graph = helper.make_graph(
        [
            helper.make_node(
                "LabelEncoder",
                ["carrier"],
                ["risk"],
                domain="ai.onnx.ml",
                keys_strings=["AA", "HA"],
                values_floats=[0.1, 0.2],
                default_float=0.0,
            ),
            helper.make_node("Div", ["hour", "day"], ["share"]),
            helper.make_node("Sum", ["risk", "share", "bias"], ["p_late"]),
        ],
        "late",
        [
            helper.make_tensor_value_info("hour", TensorProto.FLOAT, ["N", 1]),
            helper.make_tensor_value_info("carrier", TensorProto.STRING, ["N", 1]),
        ],
        [helper.make_tensor_value_info("p_late", TensorProto.FLOAT, ["N", 1])],
        [
            helper.make_tensor("day", TensorProto.FLOAT, [1], [24.0]),
            helper.make_tensor("bias", TensorProto.FLOAT, [1], [bias]),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)
