"""Answers that are transformed otherwise, or stand in the wrong column."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, helper, numpy_helper
from slipway.domain.rows import Batch

from tests.mutations.damages.parts import LINEAR, TREES, add_constant, attribute_of, constant, nodes, put


def replace_the_activation(model: ModelProto, samples: Batch) -> bool:
    """By one that looks alike: a sigmoid of three lines, a leaking ReLU, another transform of a tree's sum."""
    other = {b"LOGISTIC": b"PROBIT", b"SOFTMAX": b"SOFTMAX_ZERO", b"NONE": b"NONE"}
    changed = []
    for node in nodes(model, *TREES, *LINEAR):
        attribute = attribute_of(node, "post_transform")
        if attribute is not None:
            before, attribute.s = attribute.s, other[attribute.s]
            changed.append(before != attribute.s)
    for node in nodes(model, "Sigmoid", "Relu"):
        node.op_type = {"Sigmoid": "HardSigmoid", "Relu": "LeakyRelu"}[node.op_type]
        changed.append(True)
    return any(changed)


def normalise_probabilities_along_the_rows(model: ModelProto, samples: Batch) -> bool:
    """A softmax over the wrong axis."""
    for node in nodes(model, "Softmax"):
        node.ClearField("attribute")
        node.attribute.append(helper.make_attribute("axis", 0))
    return bool(nodes(model, "Softmax"))


def swap_the_answers_columns(model: ModelProto, samples: Batch) -> bool:
    """The probability of no for that of yes, or two classes."""
    for node in nodes(model, "Gather"):
        picked = constant(model, node.input[1])
        if picked is not None and numpy_helper.to_array(picked).tolist() == [1]:
            put(picked, np.array([0], np.int64))
            return True
    wide = next((info for info in model.graph.output if info.type.tensor_type.shape.dim[-1].dim_value > 1), None)
    if wide is None:
        return False
    width = wide.type.tensor_type.shape.dim[-1].dim_value
    order = add_constant(model, "damage/answers", np.array([1, 0, *range(2, width)], np.int64))
    node = next(node for node in model.graph.node if wide.name in node.output)
    node.output[:] = [f"{wide.name}/right" if name == wide.name else name for name in node.output]
    model.graph.node.append(helper.make_node("Gather", [f"{wide.name}/right", order], [wide.name], axis=1))
    return True
