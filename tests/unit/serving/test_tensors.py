"""Tensors of requests and answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import CannotStart, RequestRefused
from serving.inference import Model
from serving.tensors import TensorSpecification, decode, encode

JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def tensor(datatype: str, shape: list[Any], data: Any) -> dict[str, Any]:
    return {"name": datatype, "datatype": datatype, "shape": shape, "data": data}


def read(model: Model, sent: dict[str, Any]) -> Any:
    return decode(sent, model.inputs[sent["datatype"]], where="inputs[0]")


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        (tensor("FP32", [2, 1], [1, 0.5]), [[1.0], [0.5]]),
        (tensor("FP64", [2, 1], [[1], [0.1]]), [[1.0], [0.1]]),
        (tensor("INT32", [1, 1], [-3]), [[-3]]),
        (tensor("INT64", [2, 2], [[1, 2], [3, 2**62]]), [[1, 2], [3, 2**62]]),
        (tensor("INT64", [2, 2], [1, 2, 3, 4]), [[1, 2], [3, 4]]),
        (tensor("BOOL", [2], [True, False]), [True, False]),
        (tensor("BYTES", [2, 1], ["", "Ü\x00"]), [[""], ["Ü\x00"]]),
    ],
    ids=lambda value: value["datatype"] if isinstance(value, dict) else "",
)
def test_flat_and_nested_data_are_read_row_by_row(echo: Model, sent: dict[str, Any], rows: list[Any]) -> None:
    """The protocol allows both forms for every datatype; a client must not have to know which one we like."""
    assert read(echo, sent).tolist() == rows


def test_null_is_not_a_number(echo: Model) -> None:
    """Features are missing in real life, and JSON has no NaN."""
    assert np.isnan(read(echo, tensor("FP32", [1, 1], [None]))).all()


@pytest.mark.parametrize(
    ("sent", "field", "reason"),
    [
        (tensor("FP32", [1, 1], ["1.5"]), "data", "must hold numbers, holds '1.5'"),
        (tensor("FP32", [1, 1], [True]), "data", "must hold numbers, holds True"),
        (tensor("FP32", [1, 1], [1e300]), "data", "too large for FP32"),
        (tensor("INT32", [1, 1], [2**40]), "data", "one value is too large"),
        (tensor("INT64", [1, 2], [1.0, 2]), "data", "must hold whole numbers of 64 bits, holds 1.0"),
        (tensor("INT64", [1, 2], [None, 2]), "data", "holds missing"),
        (tensor("BOOL", [1], [1]), "data", "must hold true or false, holds 1"),
        (tensor("BYTES", [1, 1], [None]), "data", "must hold strings, holds missing"),
        (tensor("FP32", [2, 1], [1.0]), "data", "has 1 values; the shape [2, 1] holds 2"),
        (tensor("INT64", [2, 2], [[1, 2], [3]]), "data", "is not nested as the shape [2, 2] says"),
        (tensor("INT64", [2, 2], [[1, 2]]), "data", "has 1 rows; the shape [2, 2] has 2"),
        (tensor("FP32", [1, 1], [[[[1]]]]), "data", "must hold numbers"),
        (tensor("FP32", [1, 1], "1"), "data", "must be a list"),
        (tensor("FP32", [0, 1], []), "shape", "holds no value"),
        (tensor("FP32", [1], [1]), "shape", "the model takes [-1, 1]"),
        (tensor("FP32", [1, 2], [1, 2]), "shape", "the model takes [-1, 1]"),
        (tensor("FP32", [-1, 1], [1]), "shape", "must be a list of whole numbers"),
        (tensor("FP32", [True, 1], [1]), "shape", "must be a list of whole numbers"),
    ],
    ids=str,
)
def test_a_wrong_tensor_is_refused_by_the_field_that_is_wrong(
    echo: Model, sent: dict[str, Any], field: str, reason: str
) -> None:
    """Whoever writes the client reads this answer and nothing else; numpy alone would read "1.5" as a number."""
    with pytest.raises(RequestRefused) as refusal:
        read(echo, sent)

    assert refusal.value.reason.startswith(f"inputs[0].{field}")
    assert reason in refusal.value.reason


def test_a_wrong_datatype_says_what_the_model_takes(late: Model) -> None:
    """FP64 for FP32 is the most frequent mistake of a first client."""
    with pytest.raises(RequestRefused, match=r"inputs\[1\]\.datatype is 'FP64'; the model takes FP32"):
        decode(tensor("FP64", [1, 1], [1]), late.inputs["hour"], where="inputs[1]")


def test_a_refusal_does_not_echo_a_megabyte(echo: Model) -> None:
    """An answer larger than the request would make the server an amplifier."""
    with pytest.raises(RequestRefused) as refusal:
        read(echo, tensor("FP32", [1, 1], ["x" * 1_000_000]))

    assert len(refusal.value.reason) < 200


@given(data=st.recursive(JSON_VALUES, lambda inner: st.lists(inner, max_size=4), max_leaves=12), shape=JSON_VALUES)
def test_any_json_is_read_or_refused(echo: Model, data: Any, shape: Any) -> None:
    """A value that nobody thought of must become a 4xx, never a crash."""
    for datatype in echo.inputs:
        for stated in (shape, [shape, 1], [1, 1], [2, 1], [2], [1, 2]):
            try:
                array = read(echo, tensor(datatype, stated, data))
            except RequestRefused as refusal:
                assert refusal.reason.startswith("inputs[0].")
            else:
                assert list(array.shape) == stated


@given(values=st.lists(st.floats(width=32, allow_infinity=False), min_size=1))
def test_what_is_encoded_is_read_back_exactly(echo: Model, values: list[float]) -> None:
    """Served logs and replays compare answers bit by bit; a lost digit would look like a change of the model."""
    array = np.array(values, dtype=np.float32).reshape(-1, 1)
    written = encode(echo.inputs["FP32"], array)
    written["data"] = [None if np.isnan(value) else float(value) for value in written["data"]]  # type: ignore[attr-defined]

    assert np.array_equal(read(echo, written), array, equal_nan=True)


@pytest.mark.parametrize(
    ("node_type", "shape", "reason"),
    [
        ("tensor(bfloat16)", [None, 1], r"is a tensor\(bfloat16\)(.|\n)*mend: export the model with one of .*float16"),
        ("seq(map(int64,tensor(float)))", [], "is a seq"),
        ("tensor(float)", [], "no dimension"),
    ],
)
def test_a_tensor_that_no_client_can_send_stops_the_start(node_type: str, shape: list[Any], reason: str) -> None:
    """A model with a ZipMap at its end, or in BF16, would load, and fail on the first request in production."""

    class Node:
        name = "probabilities"
        type = node_type

    Node.shape = shape  # type: ignore[attr-defined]
    with pytest.raises(CannotStart, match=reason):
        TensorSpecification.of(Node)
