"""Bodies of requests and answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import RequestRefused
from serving.inference import Model
from serving.protocol import Request, Rules, read, write

HOUR = {"name": "hour", "datatype": "FP32", "shape": [2, 1], "data": [6, 18]}
CARRIER = {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["AA", "HA"]}
EVENT_TIME = Rules(accept_event_time=True)


def parse(model: Model, *, rules: Rules | None = None, **fields: Any) -> Request:
    body = {"inputs": [HOUR, CARRIER]} | fields
    return read(orjson.dumps(body), model=model, rules=rules or Rules())


def test_an_answer_carries_the_id_and_only_the_outputs_asked_for(late: Model) -> None:
    """Clients match answers by id, and a large embedding that nobody asked for costs more than the model."""
    request = parse(late, id="r-1", outputs=[{"name": "p_late"}])
    answer = orjson.loads(write(request, late.answer(request.batch, request.outputs), model=late).content)

    assert answer == {
        "model_name": "flight-delay",
        "model_version": "v1.1.0",
        "id": "r-1",
        "outputs": [{"name": "p_late", "datatype": "FP32", "shape": [2, 1], "data": [6.125, 18.25]}],
    }


def test_a_request_without_an_id_gets_one(late: Model) -> None:
    """Labels are joined to the served log by it."""
    first, second = parse(late), parse(late)

    assert first.id
    assert first.id != second.id


def test_a_value_that_is_not_finite_is_answered_as_null(late: Model) -> None:
    """NaN is no JSON: one would break every strict client."""
    request = parse(late)
    body = write(request, {"p_late": np.array([[np.nan], [np.inf]]), "airline": np.array([["a"], ["b"]])}, model=late)

    assert orjson.loads(body.content)["outputs"][0]["data"] == [None, None]


def test_unknown_inputs_are_counted_or_refused(late: Model) -> None:
    """Going back to a version without an input must not break the clients that already send it."""
    sent = [HOUR, CARRIER, {"name": "wind", "datatype": "FP99"}]

    assert parse(late, inputs=sent).unknown_inputs == 1
    with pytest.raises(RequestRefused, match=r"inputs\[2\]: the model has no input `wind`"):
        parse(late, inputs=sent, rules=Rules(refuse_unknown_inputs=True))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"inputs": None}, "inputs must be a list"),
        ({"inputs": []}, "inputs is empty: the model takes hour, carrier"),
        ({"inputs": [HOUR]}, "inputs: `carrier` is missing"),
        ({"inputs": [HOUR, HOUR]}, "inputs[1].name: `hour` is there twice"),
        ({"inputs": ["hour"]}, "inputs[0] must be an object with a `name`"),
        ({"inputs": [HOUR, CARRIER | {"shape": [1, 1], "data": ["AA"]}]}, "inputs[1].shape: `carrier` has 1 rows"),
        (
            {"inputs": [HOUR | {"parameters": {"binary_data_size": 8}}, CARRIER]},
            "inputs[0].parameters.binary_data_size",
        ),
        ({"inputs": [HOUR | {"parameters": 1}, CARRIER]}, "inputs[0].parameters must be an object"),
        ({"outputs": [{"name": "nope"}]}, "outputs[0].name: the model has no output `nope`"),
        (
            {"inputs": [HOUR | {"parameters": {"binary_data_size": 0}}, CARRIER]},
            "inputs[0].parameters.binary_data_size",
        ),
        (
            {"inputs": [HOUR | {"parameters": {"shared_memory_region": "a"}}]},
            "inputs[0].parameters.shared_memory_region",
        ),
        ({"outputs": [{"name": "p_late", "parameters": {"binary_data": 1}}]}, "outputs[0].parameters.binary_data must"),
        (
            {"outputs": [{"name": "p_late", "parameters": {"classification": 3}}]},
            "outputs[0].parameters.classification",
        ),
        ({"parameters": {"binary_data_output": "yes"}}, "parameters.binary_data_output must be true or false"),
        ({"id": 7}, "id must be a string"),
        ({"id": "x" * 201}, "id must be a string of at most 200"),
        ({"parameters": []}, "parameters must be an object"),
        ({"parameters": {"time": "yesterday"}}, "parameters.time must be a time in ISO 8601"),
        ({"parameters": {"time": "0001-01-01T00:00:00+23:59"}}, "parameters.time must be a time in ISO 8601"),
        ({"parameters": {"times": ["2013-08-01"]}}, "parameters.times must be a list of 2 times"),
        ({"parameters": {"times": ["2013-08-01", 5]}}, "parameters.times[1] must be a time"),
    ],
    ids=str,
)
def test_a_malformed_request_is_refused_with_its_field(late: Model, fields: dict[str, Any], reason: str) -> None:
    """The answer is all that a client's developer sees."""
    with pytest.raises(RequestRefused) as refusal:
        parse(late, rules=EVENT_TIME, **fields)

    assert refusal.value.reason.startswith(reason)
    assert refusal.value.status == 400


def test_too_many_rows_are_refused_before_they_are_read(late: Model) -> None:
    """A stated shape is cheap to look at; a million parsed strings are not."""
    with pytest.raises(RequestRefused, match="20000000 rows") as refusal:
        parse(late, inputs=[HOUR | {"shape": [20_000_000, 1], "data": []}, CARRIER])

    assert refusal.value.status == 413


def test_event_times_are_read_only_where_the_server_was_told_to(late: Model) -> None:
    """In production no client may say when a row was served; a replay of history must."""
    parameters = {"times": ["2013-08-01T06:00:00Z", "2013-08-02T01:30:00.25+02:00"]}
    moments = [datetime(2013, 8, 1, 6, tzinfo=UTC), datetime(2013, 8, 1, 23, 30, 0, 250_000, tzinfo=UTC)]

    assert parse(late, parameters=parameters).times is None
    assert parse(late, parameters=parameters, rules=EVENT_TIME).times == tuple(
        int(moment.timestamp() * 1_000_000) for moment in moments
    )


def test_one_time_holds_for_every_row_and_without_an_offset_is_utc(late: Model) -> None:
    """The log's days are days in UTC, wherever the replay runs."""
    times = parse(late, parameters={"time": "1970-01-01T00:00:01"}, rules=EVENT_TIME).times

    assert times == (1_000_000, 1_000_000)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"inputs": NaN}'])
def test_a_body_that_is_no_json_object_is_refused(late: Model, body: bytes) -> None:
    """Port scanners and broken proxies send anything; a hundred thousand brackets must not end the process."""
    with pytest.raises(RequestRefused, match=r"^(body|inputs)"):
        read(body, model=late, rules=Rules())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "outputs", "parameters", "inputs"), JSON))
TENSOR_FIELDS = st.dictionaries(st.sampled_from(["name", "datatype", "shape", "data", "parameters"]), JSON, max_size=2)


@given(fields=FIELDS, change=TENSOR_FIELDS)
def test_whatever_is_sent_is_read_or_refused(late: Model, fields: dict[str, Any], change: dict[str, Any]) -> None:
    """No request that a client can think of may become an error of ours."""
    try:
        parse(late, rules=EVENT_TIME, **({"inputs": [HOUR | change, CARRIER]} | fields))
    except RequestRefused as refusal:
        assert refusal.reason
