"""Graphs that have no form, and why."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper
from slipway.converters.by_content import read
from slipway.errors import ModelRefused


def _graph(*nodes: NodeProto, constants: tuple[TensorProto, ...] = ()) -> GraphProto:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in "xy")
    return helper.make_graph(nodes, "graph", [x], [y], constants)


def test_a_model_that_draws_random_numbers_is_refused() -> None:
    """Two equal draws are two numbers, so they cannot be computed once; and no gate can judge such a model."""
    with pytest.raises(ModelRefused, match="RandomNormalLike"):
        read(_graph(helper.make_node("RandomNormalLike", ["x"], ["y"])), dtypes={})


def test_weights_beside_the_model_are_refused() -> None:
    """The digest of the file would not cover them."""
    weights = numpy_helper.from_array(np.ones((1, 1), np.float32), "w")
    weights.data_location = TensorProto.EXTERNAL

    with pytest.raises(ModelRefused, match="`w` lie in a file beside the model"):
        read(_graph(helper.make_node("Add", ["x", "w"], ["y"]), constants=(weights,)), dtypes={})


def test_sparse_weights_are_refused() -> None:
    """One sparse tensor can be written in several ways."""
    graph = _graph(helper.make_node("Relu", ["x"], ["y"]))
    graph.sparse_initializer.add()

    with pytest.raises(ModelRefused, match="sparse"):
        read(graph, dtypes={})


def test_nodes_out_of_order_are_refused() -> None:
    """A value that is used before it is computed has no key yet."""
    nodes = [helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Neg", ["x"], ["a"])]

    with pytest.raises(ModelRefused, match="uses `a` before it is computed"):
        read(_graph(*nodes), dtypes={})


def test_what_no_output_needs_is_left_out() -> None:
    """Dead nodes are what a converter forgot to remove, in one run more than in another."""
    needed, dead = helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["dead"])

    assert [node.kind[1] for node in read(_graph(dead, needed), dtypes={}).nodes] == ["Relu"]


def test_an_optional_input_that_is_left_out_stays_left_out() -> None:
    """Clip without a minimum has an empty name in its place."""
    most = numpy_helper.from_array(np.array(1, np.float32), "most")
    graph = read(_graph(helper.make_node("Clip", ["x", "", "most"], ["y"]), constants=(most,)), dtypes={})

    assert [bool(key) for key in graph.nodes[0].inputs] == [True, False, True]
