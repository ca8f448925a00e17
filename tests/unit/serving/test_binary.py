"""Tensors in binary form."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving import binary
from serving.errors import RequestRefused
from serving.inference import Model
from serving.protocol import Rules, read, write
from serving.tensors import Array, Kind

HOUR = {"name": "hour", "datatype": "FP32", "shape": [2, 1], "parameters": {"binary_data_size": 8}}
CARRIER = {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "parameters": {"binary_data_size": 12}}
HOURS = struct.pack("<2f", 6, 18)
CARRIERS = b"\x02\x00\x00\x00AA\x02\x00\x00\x00HA"


def parse(model: Model, raw: bytes, *, json_length: int | None = None, **fields: Any) -> Any:
    head = orjson.dumps({"inputs": [HOUR, CARRIER], **fields})
    return read(head + raw, model=model, rules=Rules(), json_length=len(head) if json_length is None else json_length)


def decode(model: Model, datatype: str, shape: list[int], raw: bytes) -> Array:
    tensor = {"name": datatype, "datatype": datatype, "shape": shape}
    return binary.decode(tensor, memoryview(raw), model.inputs[datatype], where="inputs[0]")


def values_of(kind: Kind) -> st.SearchStrategy[Array]:
    if kind.datatype == "BYTES":
        texts = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5)
        return texts.map(lambda values: np.array(values, dtype=object))
    return arrays.arrays(np.dtype(kind.numpy), st.integers(1, 5))


@given(data=st.data())
def test_each_datatype_comes_back_bit_by_bit(echo: Model, data: st.DataObject) -> None:
    """Infinities, negative zeros and every text: what JSON bends, the binary form must not."""
    for datatype, specification in echo.inputs.items():
        flat = data.draw(values_of(specification.kind))
        array = np.stack([flat, flat], axis=1) if datatype == "INT64" else flat.reshape(-1, *specification.shape[1:])
        read_back = decode(echo, datatype, list(array.shape), binary.encode(array))

        assert read_back.dtype == array.dtype
        assert binary.encode(read_back) == binary.encode(array)
        assert binary.encode(
            echo.answer({**_blank(echo, len(array)), datatype: read_back}, [datatype + "_"])[datatype + "_"]
        ) == binary.encode(array)


def _blank(model: Model, rows: int) -> dict[str, Array]:
    shapes = {name: [rows, *specification.shape[1:]] for name, specification in model.inputs.items()}
    kinds = {name: specification.kind for name, specification in model.inputs.items()}
    return {
        name: np.full(shape, "" if kinds[name].datatype == "BYTES" else 0, dtype=kinds[name].numpy)
        for name, shape in shapes.items()
    }


def test_binary_and_json_inputs_and_outputs_mix(late: Model) -> None:
    """A client sends its numbers in binary form and its one text in JSON, and may wish the answer the other way."""
    carrier = {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["AA", "HA"]}
    outputs = [{"name": "airline", "parameters": {"binary_data": True}}, {"name": "p_late"}]
    request = parse(late, HOURS, inputs=[HOUR, carrier], outputs=outputs)
    body = write(request, late.answer(request.batch, request.outputs), model=late)

    assert body.json_length is not None
    assert orjson.loads(body.content[: body.json_length])["outputs"] == [
        {"name": "airline", "datatype": "BYTES", "shape": [2, 1], "parameters": {"binary_data_size": 12}},
        {"name": "p_late", "datatype": "FP32", "shape": [2, 1], "data": [6.125, 18.25]},
    ]
    assert body.content[body.json_length :] == CARRIERS


def test_all_outputs_can_be_wished_in_binary_form_but_one(late: Model) -> None:
    """`binary_data_output` speaks for all, and `binary_data` of an output against it."""
    all_outputs = parse(late, HOURS + CARRIERS, parameters={"binary_data_output": True})
    but_one = parse(
        late,
        HOURS + CARRIERS,
        parameters={"binary_data_output": True},
        outputs=[{"name": "p_late", "parameters": {"binary_data": False}}, {"name": "airline"}],
    )

    assert all_outputs.binary == {"p_late", "airline"}
    assert but_one.binary == {"airline"}


def test_the_bytes_of_an_unknown_input_are_skipped(late: Model) -> None:
    """Going back to a version without an input must not read its bytes as those of the next one."""
    unknown = {"name": "wind", "datatype": "FP99", "shape": [7], "parameters": {"binary_data_size": 3}}
    request = parse(late, b"abc" + HOURS + CARRIERS, inputs=[unknown, HOUR, CARRIER])

    assert request.batch["hour"].tolist() == [[6.0], [18.0]]
    assert request.unknown_inputs == 1


@pytest.mark.parametrize(
    ("fields", "raw", "reason"),
    [
        ({}, HOURS, "inputs[1].parameters.binary_data_size is 12; behind the JSON are 0 bytes"),
        ({}, HOURS + CARRIERS + b"?", "body: 1 bytes at its end belong to no input"),
        (
            {"inputs": [HOUR | {"data": [1, 2]}, CARRIER]},
            HOURS + CARRIERS,
            "inputs[0].parameters.binary_data_size: the",
        ),
        (
            {"inputs": [HOUR | {"shape": [3, 1]}, CARRIER]},
            HOURS + CARRIERS,
            "inputs[0].parameters.binary_data_size is 8",
        ),
        ({"inputs": [HOUR | {"datatype": "FP64"}, CARRIER]}, HOURS + CARRIERS, "inputs[0].datatype is 'FP64'"),
        ({"inputs": [HOUR | {"parameters": {"binary_data_size": -8}}, CARRIER]}, b"", "inputs[0].parameters.binary"),
        ({"inputs": [HOUR | {"parameters": {"binary_data_size": True}}, CARRIER]}, b"", "inputs[0].parameters.binary"),
        ({}, HOURS + b"\x02\x00\x00\x00AA\xff\xff\xff\xffHA", "inputs[1].parameters.binary_data_size: value 1 ends"),
        ({}, HOURS + b"\x02\x00\x00\x00AA\x01\x00\x00\x00HA", "inputs[1].parameters.binary_data_size is 12; the 2"),
        (
            {},
            HOURS + b"\x02\x00\x00\x00AA\x02\x00\x00\x00\xff\xfe",
            "inputs[1].parameters.binary_data_size: value 1 is",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bytes_that_do_not_fit_are_refused_by_their_field(
    late: Model, fields: dict[str, Any], raw: bytes, reason: str
) -> None:
    """A length that is off by one would shift every value after it, and the model would answer all the same."""
    with pytest.raises(RequestRefused) as refusal:
        parse(late, raw, **fields)

    assert refusal.value.reason.startswith(reason)


def test_a_truth_value_is_a_byte_of_0_or_1(echo: Model) -> None:
    """Any other byte is a bool that numpy and onnxruntime may read differently."""
    assert decode(echo, "BOOL", [2], b"\x00\x01").tolist() == [False, True]
    with pytest.raises(RequestRefused, match="a BOOL is a byte 0 or 1"):
        decode(echo, "BOOL", [2], b"\x00\x02")


def test_a_shape_of_a_billion_texts_is_refused_at_once(echo: Model) -> None:
    """The shape costs the client ten bytes; it must not cost the server a loop."""
    with pytest.raises(RequestRefused, match="too few bytes"):
        decode(echo, "BYTES", [10**9, 1], b"\x00" * 100)


@given(body=st.binary(max_size=200), json_length=st.none() | st.integers(0, 250))
def test_any_bytes_are_read_or_refused(late: Model, body: bytes, json_length: int | None) -> None:
    """Whatever arrives, the parser has an answer to it that is the client's to mend."""
    with pytest.raises(RequestRefused):
        read(body, model=late, rules=Rules(), json_length=json_length)


@given(raw=st.binary(max_size=40), size=st.integers(-5, 50), rows=st.integers(-1, 4), cut=st.integers(-60, 60))
def test_any_bytes_behind_good_json_are_read_or_refused(
    late: Model, raw: bytes, size: int, rows: int, cut: int
) -> None:
    """The lengths are the client's words: none of them may reach beyond the body."""
    carrier = CARRIER | {"shape": [rows, 1], "parameters": {"binary_data_size": size}}
    head = orjson.dumps({"inputs": [HOUR, carrier]})
    try:
        request = read(head + HOURS + raw, model=late, rules=Rules(), json_length=max(0, len(head) + min(cut, 0)))
    except RequestRefused as refusal:
        assert refusal.reason
    else:
        assert request.rows == rows
