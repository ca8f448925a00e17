"""The routes, asked by a real HTTP client."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow.dataset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import bodies
from serving.admission import Admission
from serving.application import Application
from serving.execution import Execution, Pace
from serving.infer import Infer, Limits
from serving.inference import Model
from serving.metrics import Metrics
from serving.predictions import Predictions
from serving.protocol import Rules
from tests.unit.serving.served_logs import open_log

INFER = "/v2/models/flight-delay/infer"
INPUTS = [
    {"name": "hour", "datatype": "FP32", "shape": [2, 1], "data": [6, 18]},
    {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["AA", "HA"]},
]


def serve(model: Model, *, quick: bool = True, limits: Limits | None = None, **changes: Any) -> Application:
    """An application without a log; `changes` replace parts of its `Infer`."""
    metrics, predictions = Metrics(model=model.name, version=model.version), Predictions(model.outputs)
    metrics.add(predictions)
    pace = Pace(one_row_seconds=0.0, inline_values=100 if quick else 0)
    infer = Infer(
        model=model,
        execution=Execution(model, pace, seconds=30.0),
        admission=Admission(most_requests=10, most_bytes=1_000_000),
        metrics=metrics,
        predictions=predictions,
        request_log=None,
        rules=Rules(),
        limits=limits or Limits(most_bytes=10_000),
    )
    return Application(infer=replace(infer, **changes), draining=threading.Event())


@pytest.fixture
def application(late: Model) -> Application:
    return serve(late)


def ask(application: Application, method: str, path: str, **options: Any) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, **options)

    return asyncio.run(request())


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("path", [INFER, "/v2/models/flight-delay/versions/v1.1.0/infer"])
def test_a_request_is_answered_on_both_paths(late: Model, path: str, *, quick: bool) -> None:
    """A client may pin the version; a slow model answers from a thread and must say the same."""
    answer = ask(serve(late, quick=quick), "POST", path, json={"id": "a", "inputs": INPUTS})

    assert answer.status_code == 200
    assert answer.json()["outputs"] == [
        {"name": "p_late", "datatype": "FP32", "shape": [2, 1], "data": [6.125, 18.25]},
        {"name": "airline", "datatype": "BYTES", "shape": [2, 1], "data": ["AA", "HA"]},
    ]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v2", {"extensions": ["binary_tensor_data"]}),
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
        ("GET", INFER, 405),
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
        ({"content": b"{}", "headers": {"content-encoding": "br"}}, 415, "Content-Encoding: `br`"),
        ({"content": b"{}", "headers": {"content-encoding": "gzip, gzip"}}, 415, "Content-Encoding: `gzip, gzip`"),
        ({"content": b"{}", "headers": {"content-encoding": "gzip"}}, 400, "body: no gzip"),
        ({"content": b"{}", "headers": {"inference-header-content-length": "x"}}, 400, "Inference-Header-Content-L"),
        ({"content": b"{}", "headers": {"inference-header-content-length": "3"}}, 400, "Inference-Header-Content-L"),
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


def test_a_failure_of_the_model_is_a_500_and_the_next_request_is_answered(write_model: Callable[..., Path]) -> None:
    """One row that a model cannot take must not take the server with it."""
    graph = "t (int64[N] rows) => (float[M] y) <float[2] two = {1.0, 2.0}> { y = Reshape (two, rows) }"
    fragile = serve(Model.load(write_model(graph), name="flight-delay", version="v1.1.0"))
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
    model, metrics = application.model, application.infer.metrics
    request_log = open_log(model, tmp_path, metrics)
    logging = serve(model, request_log=request_log)
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


def test_a_request_in_binary_form_is_answered_in_binary_form(application: Application) -> None:
    """Ten times as many rows a second as in JSON, and the header says where the numbers begin."""
    hour = {"name": "hour", "datatype": "FP32", "shape": [1, 1], "parameters": {"binary_data_size": 4}}
    carrier = {"name": "carrier", "datatype": "BYTES", "shape": [1, 1], "data": ["HA"]}
    head = json.dumps({"inputs": [hour, carrier], "parameters": {"binary_data_output": True}}).encode()
    headers = {"inference-header-content-length": str(len(head)), "content-type": "application/octet-stream"}
    answer = ask(application, "POST", INFER, content=head + struct.pack("<f", 6), headers=headers)
    length = int(answer.headers["inference-header-content-length"])
    sizes = [output["parameters"]["binary_data_size"] for output in json.loads(answer.content[:length])["outputs"]]

    assert answer.headers["content-type"] == "application/octet-stream"
    assert sizes == [4, 6]
    assert answer.content[length:] == struct.pack("<fI2s", 6.25, 2, b"HA")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_bodies_are_packed_both_ways(late: Model, encoding: str) -> None:
    """A batch of texts shrinks to a tenth, and a line between two data centres is paid by the byte."""
    application = serve(late, limits=Limits(most_bytes=10_000, compress_from_bytes=1))
    body = bodies.compress(json.dumps({"inputs": INPUTS}).encode(), encoding)
    headers = {"content-encoding": encoding, "accept-encoding": encoding}
    answer = ask(application, "POST", INFER, content=body, headers=headers)

    assert answer.headers["content-encoding"] == encoding
    assert answer.json()["outputs"][0]["data"] == [6.125, 18.25]


def test_a_small_answer_is_not_packed(application: Application) -> None:
    """Every Python client says that it accepts gzip; packing one row takes longer than the model."""
    answer = ask(application, "POST", INFER, json={"inputs": INPUTS}, headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in answer.headers


def test_a_body_that_grows_beyond_the_limit_is_a_413(application: Application) -> None:
    """The limit is on what the server has to hold, not on what the client has to send."""
    bomb = bodies.compress(b" " * 1_000_000, "gzip")
    answer = ask(application, "POST", INFER, content=bomb, headers={"content-encoding": "gzip"})

    assert len(bomb) < 10_000
    assert answer.status_code == 413


def test_a_request_too_many_is_told_to_come_again(late: Model) -> None:
    """A queue without end answers everybody too late; a 503 sends the client to another replica."""
    full = serve(late, admission=Admission(most_requests=0, most_bytes=0))
    answer = ask(full, "POST", INFER, json={"inputs": INPUTS})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "the server is busy" in answer.json()["error"]
    assert 'slipway_errors_total{cause="overloaded"} 1.0' in ask(full, "GET", "/metrics").text


def test_whatever_happens_to_requests_none_stays_counted_as_in_flight(late: Model) -> None:
    """A count that leaks turns into a server that answers 503 for ever."""
    admission = Admission(most_requests=2, most_bytes=100_000)
    application = serve(late, admission=admission, limits=Limits(most_bytes=100_000))
    large = json.dumps({"inputs": INPUTS}).encode() + b" " * 90_000
    for content in (large, b"{", b"x" * 200_000, large):
        ask(application, "POST", INFER, content=content)

    assert (admission.requests, admission.held_bytes) == (0, 0)
    assert ask(application, "POST", INFER, content=large).status_code == 200


def test_a_graph_can_be_drawn_of_what_is_answered(application: Application) -> None:
    """Each of these has a line in a dashboard that somebody looks at when the pager rings."""
    ask(application, "POST", INFER, json={"inputs": INPUTS})
    page = ask(application, "GET", "/metrics").text

    for line in (
        'slipway_requests_total{code="200"} 1.0',
        "slipway_request_seconds_count 1.0",
        'slipway_batch_rows_bucket{le="2.0"} 1.0',
        "slipway_rows_total 2.0",
        'slipway_prediction_bucket{column="0",le="10.0",output="p_late"} 1.0',
        'slipway_predicted_values_total{output="airline",value="HA"} 1.0',
        'slipway_model{model="flight-delay",version="v1.1.0"} 1.0',
    ):
        assert line in page


@given(
    content=st.binary(max_size=100),
    headers=st.dictionaries(
        st.sampled_from(["content-encoding", "inference-header-content-length", "content-type", "accept-encoding"]),
        st.sampled_from(["gzip", "deflate", "br", "0", "2", "-1", "99999999999999999999", "", "\xff"]),
    ),
)
def test_any_body_with_any_headers_gets_a_4xx(late: Model, content: bytes, headers: dict[str, str]) -> None:
    """A 500 would page whoever runs the server for what a port scanner sent."""
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = ask(serve(late), "POST", INFER, content=content, headers=raw)

    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]
