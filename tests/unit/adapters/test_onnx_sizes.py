"""Sizes that an ONNX file states, found before anything of that size is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from slipway.adapters.onnx_sizes import refuse_huge
from slipway.errors import ModelRefused

_HUGE = 1 << 42


def _constant(name: str, *values: int, scalar: bool = False) -> TensorProto:
    return numpy_helper.from_array(np.array(values[0] if scalar else values, np.int64), name)


def _model(*nodes: NodeProto, constants: tuple[TensorProto, ...] = ()) -> ModelProto:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])
    nodes = (*nodes, helper.make_node("Identity", ["x"], ["y"]))
    graph = helper.make_graph(nodes, "graph", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def _in_a_body(node: NodeProto) -> NodeProto:
    answer = helper.make_tensor_value_info("large", TensorProto.FLOAT, None)
    body = helper.make_graph([node, helper.make_node("Identity", ["large"], ["same"])], "body", [], [answer])
    return helper.make_node("If", ["yes"], ["unused"], then_branch=body, else_branch=body)


def _of(size: int, *, body: bool = False) -> ModelProto:
    node = helper.make_node("ConstantOfShape", ["size"], ["large"])
    yes = numpy_helper.from_array(np.array(True), "yes")
    return _model(_in_a_body(node) if body else node, constants=(_constant("size", size), yes))


_CASES = {
    "filled": _of(_HUGE),
    "computed": _model(
        helper.make_node("Mul", ["root", "root"], ["size"]),
        helper.make_node("ConstantOfShape", ["size"], ["large"]),
        constants=(_constant("root", 1 << 21),),
    ),
    "counted": _model(
        helper.make_node("Range", ["zero", "end", "one"], ["large"]),
        constants=tuple(
            _constant(name, value, scalar=True) for name, value in (("zero", 0), ("end", _HUGE), ("one", 1))
        ),
    ),
    "repeated": _model(helper.make_node("Tile", ["x", "times"], ["large"]), constants=(_constant("times", 1, _HUGE),)),
}


@pytest.mark.parametrize("case", _CASES)
def test_a_value_that_does_not_fit_is_named_with_its_size(case: str) -> None:
    """onnx's checker lets it pass, and a size that fits the machine would be taken from everybody on it."""
    with pytest.raises(ModelRefused, match=r"the value `\w+` would take [\d,]{17,} bytes"):
        refuse_huge(Path("model.onnx"), _CASES[case])


@pytest.mark.parametrize("body", [False, True])
def test_a_value_that_fits_passes(body: bool) -> None:
    """The harmless twin."""
    refuse_huge(Path("model.onnx"), _of(1 << 20, body=body))


def test_weights_that_are_large_play_no_part() -> None:
    """They have a limit of their own, and are not copied to look at shapes."""
    weights = numpy_helper.from_array(np.zeros(1 << 20, np.float32), "weights")

    refuse_huge(Path("model.onnx"), _model(constants=(weights,)))
