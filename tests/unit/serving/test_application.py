"""The routes, asked by a real HTTP client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow.dataset
import pytest

from serving.application import Application
from serving.inference import Model
from serving.metrics import Metrics
from serving.protocol import Rules
from serving.request_log import RequestLog

INFER = "/v2/models/flight-delay/infer"
INPUTS = [
    {"name": "hour", "datatype": "FP32", "shape": [2, 1], "data": [6, 18]},
    {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["AA", "HA"]},
]


@pytest.fixture
def application(late: Model) -> Application:
    return Application(
        model=late,
        metrics=Metrics(model=late.name, version=late.version),
        request_log=None,
        rules=Rules(),
        draining=threading.Event(),
        most_bytes=10_000,
        inline=True,
    )


def ask(application: Application, method: str, path: str, **options: Any) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, **options)

    return asyncio.run(request())


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("path", [INFER, "/v2/models/flight-delay/versions/v1.1.0/infer"])
def test_a_request_is_answered_on_both_paths(application: Application, path: str, *, inline: bool) -> None:
    """A client may pin the version; a slow model answers from a thread and must say the same."""
    answer = ask(replace(application, inline=inline), "POST", path, json={"id": "a", "inputs": INPUTS})

    assert answer.status_code == 200
    assert answer.json()["outputs"] == [
        {"name": "p_late", "datatype": "FP32", "shape": [2, 1], "data": [6.125, 18.25]},
        {"name": "airline", "datatype": "BYTES", "shape": [2, 1], "data": ["AA", "HA"]},
    ]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v2", {"extensions": []}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/flight-delay/ready", {"ready": True}),
        ("/v2/models/flight-delay/versions/v1.1.0/ready", {"ready": True}),
        ("/v2/models/flight-delay", {"name": "flight-delay", "versions": ["v1.1.0"]}),
        (
            "/v2/models/flight-delay/versions/v1.1.0",
            {
                "inputs": [
                    {"name": "hour", "datatype": "FP32", "shape": [-1, 1]},
                    {"name": "carrier", "datatype": "BYTES", "shape": [-1, 1]},
                ]
            },
        ),
    ],
)
def test_the_protocols_questions_are_answered(application: Application, path: str, part: dict[str, Any]) -> None:
    """Clients of KServe and Triton ask these before they send a row."""
    answer = ask(application, "GET", path)

    assert answer.status_code == 200
    assert part.items() <= answer.json().items()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/models/other/infer", 404),
        ("POST", "/v2/models/flight-delay/versions/v9.9.9/infer", 404),
        ("GET", INFER, 404),
        ("POST", "/v2/health/live", 405),
        ("GET", "/", 404),
    ],
)
def test_a_wrong_path_is_answered_with_the_right_one(
    application: Application, method: str, path: str, status: int
) -> None:
    """The error object of the protocol, with the way out in it."""
    answer = ask(application, method, path)

    assert answer.status_code == status
    assert "/v2/models/flight-delay/versions/v1.1.0" in answer.json()["error"]


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ({"content": b"{"}, 400, "body: no JSON"),
        ({"json": {}}, 400, "inputs must be a list"),
        ({"content": b"x" * 10_001}, 413, "body: larger than 10000 bytes"),
        ({"content": b"x" * 1_000_000}, 413, "body: larger than 10000 bytes"),
        ({"content": b"{}", "headers": {"content-encoding": "gzip"}}, 415, "Content-Encoding: `gzip`"),
        ({"content": b"{}", "headers": {"content-type": "application/octet-stream"}}, 415, "body: binary tensors"),
        ({"content": b"{}", "headers": {"inference-header-content-length": "2"}}, 415, "body: binary tensors"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_request_gets_a_4xx_and_is_counted(
    application: Application, options: dict[str, Any], status: int, reason: str
) -> None:
    """Each is the client's to mend, so each says how, and a graph shows that they come."""
    answer = ask(application, "POST", INFER, **options)

    assert answer.status_code == status
    assert answer.json()["error"].startswith(reason)
    assert f'slipway_requests_total{{code="{status}"}} 1.0' in ask(application, "GET", "/metrics").text


def test_a_failure_of_the_model_is_a_500_and_the_next_request_is_answered(
    write_model: Callable[..., Path], application: Application
) -> None:
    """One row that a model cannot take must not take the server with it."""
    graph = "t (int64[N] rows) => (float[M] y) <float[2] two = {1.0, 2.0}> { y = Reshape (two, rows) }"
    model = Model.load(write_model(graph), name="flight-delay", version="v1.1.0")
    fragile = replace(application, model=model)
    rows = {"name": "rows", "datatype": "INT64", "shape": [1]}

    assert ask(fragile, "POST", INFER, json={"inputs": [rows | {"data": [3]}]}).status_code == 500
    assert ask(fragile, "POST", INFER, json={"inputs": [rows | {"data": [2]}]}).status_code == 200


def test_unknown_inputs_are_ignored_and_counted(application: Application) -> None:
    """A client that still sends the input of a withdrawn version keeps working, and somebody can see that it does."""
    inputs = [*INPUTS, {"name": "departure_delay", "datatype": "FP32", "shape": [2, 1], "data": [1, 2]}]

    assert ask(application, "POST", INFER, json={"inputs": inputs}).status_code == 200
    assert "slipway_unknown_inputs_total 1.0" in ask(application, "GET", "/metrics").text


def test_the_log_holds_every_output_whatever_the_client_asked_for(application: Application, tmp_path: Path) -> None:
    """The watch compares outputs; a client's filter must not blind it."""
    model, metrics = application.model, application.metrics
    request_log = RequestLog(
        tmp_path, version=model.version, columns={**model.inputs, **model.outputs}, metrics=metrics
    )
    logging = replace(application, request_log=request_log)
    answer = ask(logging, "POST", INFER, json={"id": "a", "inputs": INPUTS, "outputs": [{"name": "airline"}]})
    request_log.close()
    rows = pyarrow.dataset.dataset(tmp_path, partitioning="hive").to_table().to_pylist()

    assert [output["name"] for output in answer.json()["outputs"]] == ["airline"]
    assert [(row["request_id"], row["row"], row["p_late"]) for row in rows] == [("a", 0, 6.125), ("a", 1, 18.25)]


def test_each_answer_of_a_server_that_leaves_ends_its_connection(application: Application) -> None:
    """A client that keeps its connection would send its next request to a process that is gone."""
    application.draining.set()
    answers = [
        ask(application, "POST", INFER, json={"inputs": INPUTS}),
        ask(application, "GET", "/v2/health/live"),
        ask(application, "GET", "/nowhere"),
    ]

    assert [answer.headers["connection"] for answer in answers] == ["close"] * 3
    assert ask(application, "GET", "/v2/health/ready").status_code == 503
