"""From a column inside a graph back to the number of an input that decides it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, parser
from onnx.reference import ReferenceEvaluator
from slipway.converters.columns import Traced, Untraced, traced_columns


def _traced(body: str, rows: dict[str, Any], *, constants: str = "") -> Any:
    """The columns of `y` in a graph of two inputs, `a` of width 2 and `b` of width 1."""
    model = parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 18, "ai.onnx.ml" : 3]>'
        f" g (float[n,2] a, float[n,1] b) => (float[n,k] y) {constants} {{ {body} }}"
    )
    values: Any = ReferenceEvaluator(model).run(None, rows, intermediate=True)
    return traced_columns(model.graph, "y", values)


_ROWS = {"a": np.array([[1, 2], [3, 4]], np.float32), "b": np.array([[5], [6]], np.float32)}


@pytest.mark.parametrize(
    ("body", "constants", "columns"),
    [
        ("y = Concat<axis: int = 1>(b, a)", "", [("b", 0), ("a", 0), ("a", 1)]),
        ("c = Cast<to: int = 11>(a) y = Cast<to: int = 1>(c)", "", [("a", 0), ("a", 1)]),
        ("y = Gather<axis: int = 1>(a, order)", "<int64[2] order = {1, 0}>", [("a", 1), ("a", 0)]),
        ("c = Flatten(a) y = Identity(c)", "", [("a", 0), ("a", 1)]),
    ],
)
def test_columns_that_are_handed_on_keep_their_origin(body: str, constants: str, columns: list[Any]) -> None:
    """Casts and concatenations stand in front of every tree that our converters write."""
    assert _traced(body, _ROWS, constants=constants) == [Traced(name, position) for name, position in columns]


@pytest.mark.parametrize(
    ("body", "constants"),
    [
        ("c = Sub(a, mean) y = Div(c, size)", "<float[2] mean = {1, 2}, float[2] size = {4, 8}>"),
        ("c = Mul(a, size) y = Add(c, mean)", "<float[2] mean = {1, 2}, float[2] size = {4, 8}>"),
        ("y = ai.onnx.ml.Scaler<offset: floats = [1.0, 2.0], scale: floats = [4.0, 8.0]>(a)", ""),
    ],
)
def test_a_scaled_column_tells_how_to_set_it(body: str, constants: str) -> None:
    """A threshold behind a scaler is a threshold of the scaled number; the input must be set to what becomes it."""
    model_rows = {"a": np.array([[3.0, -7.0]], np.float32), "b": np.zeros((1, 1), np.float32)}
    columns = _traced(body, model_rows, constants=constants)
    expected = _answers(body, model_rows, constants)

    told = [column.stretch * value + column.shift for column, value in zip(columns, expected[0], strict=True)]

    assert [column.position for column in columns] == [0, 1]
    assert told == pytest.approx([3.0, -7.0])


def _answers(body: str, rows: dict[str, Any], constants: str) -> Any:
    model = parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 18, "ai.onnx.ml" : 3]>'
        f" g (float[n,2] a, float[n,1] b) => (float[n,k] y) {constants} {{ {body} }}"
    )
    found: Any = ReferenceEvaluator(model).run(None, rows)
    return found[0]


@pytest.mark.parametrize(
    ("body", "operator"),
    [
        ("c = Cast<to: int = 7>(a) y = Cast<to: int = 1>(c)", "Cast"),
        ("y = Mul(a, b)", "Mul"),
        ("c = MatMul(a, mix) y = Identity(c)", "MatMul"),
        ("y = Concat<axis: int = 0>(a, a)", "Concat"),
    ],
)
def test_what_is_computed_from_more_than_one_number_says_by_which_operator(body: str, operator: str) -> None:
    """A wrong origin would set the wrong input, and a probe that changes nothing would pass for agreement."""
    columns = _traced(body, _ROWS, constants="<float[2,2] mix = {1, 2, 3, 4}>")

    assert set(columns) == {Untraced(operator)}


def test_a_column_of_words_is_behind_its_encoder() -> None:
    """No number of the input could be set to the threshold."""
    node: NodeProto = helper.make_node(
        "LabelEncoder", ["w"], ["y"], domain="ai.onnx.ml", keys_strings=["a", "b"], values_floats=[0.0, 1.0]
    )
    word = helper.make_tensor_value_info("w", TensorProto.STRING, ["n", 1])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph([node], "g", [word], [answer])
    values = {"w": np.array([["a"]], object), "y": np.zeros((1, 1), np.float32)}

    assert traced_columns(graph, "y", values) == [Untraced("LabelEncoder")]
