"""Pieces are what protobuf would write: a file of them that differed would be another model, or none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper
from slipway.converters import pieces


@given(length=st.integers(0, 40_000))
def test_a_field_is_written_as_protobuf_writes_it(length: int) -> None:
    """Its length has one byte to three; a wrong one makes the rest of the file unreadable."""
    content = NodeProto(doc_string="x" * length)

    written = b"".join(pieces.field(GraphProto, "node", (content.SerializeToString(),)))

    assert written == GraphProto(node=[content]).SerializeToString()


@pytest.mark.parametrize(
    "tensor",
    [
        numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3)),
        numpy_helper.from_array(np.array([], np.int64)),
        numpy_helper.from_array(np.array(1.5)),
        numpy_helper.from_array(np.array([True, False])),
        numpy_helper.from_array(np.array([["a", "é"]], dtype=object)),
        helper.make_tensor("", TensorProto.FLOAT, [2], [1.5, -0.0]),
        helper.make_tensor("", TensorProto.FLOAT16, [2], [1.5, 2]),
        helper.make_tensor("", TensorProto.INT4, [3], [1, -2, 3]),
    ],
    ids=lambda tensor: f"{TensorProto.DataType.Name(tensor.data_type)} {'raw' if tensor.raw_data else 'listed'}",
)
def test_weights_have_one_form_however_they_were_stored(tensor: TensorProto) -> None:
    """One exporter writes raw bytes and another lists of numbers; the digest must not tell which."""
    expected = numpy_helper.from_array(numpy_helper.to_array(tensor), "w")

    assert b"".join(pieces.weights(tensor).named("w")) == expected.SerializeToString()


def test_weights_are_the_same_bytes_in_what_is_hashed_and_in_what_is_written() -> None:
    """A copy for each would be the model a third time."""
    weights = pieces.weights(numpy_helper.from_array(np.ones(1000, np.float32)))

    assert weights.pieces[-1] is weights.named("w")[-1]


def test_an_attribute_is_written_without_its_text() -> None:
    """Exporters put the line of source there, which is another one after each edit."""
    plain = [
        helper.make_attribute("axes", [1, 2]),
        helper.make_attribute("value", numpy_helper.from_array(np.ones(2, np.float32))),
        helper.make_attribute("values", [numpy_helper.from_array(np.ones(2, np.float32))]),
    ]
    described = [AttributeProto.FromString(one.SerializeToString()) for one in plain]
    for one in described:
        one.doc_string = "model.py, line 7"

    written = [b"".join(pieces.attribute(one)) for one in described]

    assert written == [one.SerializeToString() for one in plain]


def test_a_body_is_an_attribute_that_is_a_graph() -> None:
    """The branches of an `If` are written from the inside out."""
    graph = GraphProto(name="then", node=[helper.make_node("Relu", ["x"], ["y"])])

    written = b"".join(pieces.body("then_branch", (graph.SerializeToString(),)))

    assert written == helper.make_attribute("then_branch", graph).SerializeToString()
