"""Real model servers: those that are well, and one that loses its log and has no room for larger requests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.unit.serving import graphs
from tests.unit.serving.processes import Server

_NO_ROOM = ("--log-waiting-bytes", "1", "--most-held-bytes", "1000")
_MANY = 20_000  # small bodies are not counted


def start_well(folder: Path) -> Server:
    return _start(folder, "flight-delay")


def start_crowded(folder: Path) -> Server:
    return _start(folder, "seats", *_NO_ROOM)


def ask_well(client: httpx.Client, server: Server) -> None:
    """One that is answered, and one that the client did wrong."""
    assert _ask(client, server, "flight-delay", hours=[0.5, 0.25], carriers=["AA", "HA"]) == httpx.codes.OK
    assert _ask(client, server, "flight-delay", hours=[0.5, 0.25], carriers=["AA"]) == httpx.codes.BAD_REQUEST


def ask_crowded(client: httpx.Client, server: Server) -> None:
    """One that is answered, and one for which there is no room once it is unpacked."""
    assert _ask(client, server, "seats", hours=[0.5], carriers=["AA"]) == httpx.codes.OK
    many = _ask(client, server, "seats", hours=[0.5] * _MANY, carriers=["AA"] * _MANY)
    assert many == httpx.codes.SERVICE_UNAVAILABLE


def _start(folder: Path, name: str, *options: str) -> Server:
    folder.mkdir()
    graphs.write(graphs.LATE, folder)
    model = ("--model-directory", str(folder), "--name", name, "--model-version", "v1.4.0")
    log = ("--served-log", str(folder / "served"), "--log-file-seconds", "0.2")
    return Server(folder / "control", [*model, *log, *options])


def _ask(client: httpx.Client, server: Server, name: str, *, hours: Sequence[float], carriers: Sequence[str]) -> int:
    host, port = server.address()
    body = {"inputs": [_tensor("hour", "FP32", hours), _tensor("carrier", "BYTES", carriers)]}
    packed, headers = gzip.compress(json.dumps(body).encode()), {"content-encoding": "gzip"}
    return client.post(f"http://{host}:{port}/v2/models/{name}/infer", content=packed, headers=headers).status_code


def _tensor(name: str, datatype: str, data: Sequence[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data), 1], "data": data}
