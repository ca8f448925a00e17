"""Scalers and normalisations that are lost, or computed otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from slipway.domain.rows import Batch

from tests.mutations.damages.parts import (
    any_changed,
    attribute_of,
    bypass,
    constant,
    constants,
    nodes,
    put,
    round_tensor,
)

_EPSILON_OF_KERAS = 1e-3


def _scaling(model: ModelProto) -> list[NodeProto]:
    """Sub and Div (or Mul and Add) by a constant a column, in front of the model."""
    return [
        node
        for node in nodes(model, "Sub", "Div", "Mul", "Add")
        if (tensor := constant(model, node.input[1])) is not None and np.prod(tensor.dims) > 1
    ]


def drop_the_scaler(model: ModelProto, samples: Batch) -> bool:
    found = _scaling(model)[:2]
    for node in found:
        bypass(model, node)
    return bool(found)


def drop_the_mean_of_the_scaler(model: ModelProto, samples: Batch) -> bool:
    found = [node for node in _scaling(model) if node.op_type == "Sub"][:1]
    for node in found:
        bypass(model, node)
    return bool(found)


def scale_in_float32(model: ModelProto, samples: Batch) -> bool:
    """What the source computes in float64, constants included."""
    doubles = constants(model, TensorProto.DOUBLE)
    for tensor in doubles:
        put(tensor, numpy_helper.to_array(tensor).astype(np.float32))
    for node in nodes(model, "Cast"):
        to = attribute_of(node, "to")
        if doubles and to is not None and to.i == TensorProto.DOUBLE:
            to.i = TensorProto.FLOAT
    return bool(doubles)


def truncate_float64_constants(model: ModelProto, samples: Batch) -> bool:
    """To the digits of float32, while the computation stays in float64."""
    return any_changed(
        [
            round_tensor(tensor, lambda values: values.astype(np.float32).astype(np.float64))
            for tensor in constants(model, TensorProto.DOUBLE)
        ]
    )


def _with_epsilon(model: ModelProto, epsilon: float) -> bool:
    for node in nodes(model, "BatchNormalization"):
        attribute = attribute_of(node, "epsilon")
        if attribute is not None:
            attribute.f = epsilon
    folded = list(_folded_normalisations(model))
    for factor, shift in folded:
        factors, shifts = numpy_helper.to_array(factor), numpy_helper.to_array(shift)
        changed = (1 / np.sqrt(1 / factors.astype(np.float64) ** 2 - _EPSILON_OF_KERAS + epsilon)).astype(np.float32)
        put(factor, changed)
        put(shift, shifts * (changed / factors))
    return bool(folded or nodes(model, "BatchNormalization"))


def _folded_normalisations(model: ModelProto) -> Iterator[tuple[TensorProto, TensorProto]]:
    """tf2onnx writes one without learned weights as x * (1 / sqrt(variance + epsilon)) + (-mean / sqrt(...))."""
    multiplied = {node.output[0]: node.input[1] for node in nodes(model, "Mul")}
    for node in nodes(model, "Add"):
        pair = [constant(model, multiplied.get(node.input[0], "")), constant(model, node.input[1])]
        factor, shift = pair
        if factor is not None and shift is not None and np.prod(factor.dims) > 1 and factor.dims == shift.dims:
            yield factor, shift


def normalise_with_epsilon_of_1e_5(model: ModelProto, samples: Batch) -> bool:
    """PyTorch's default in place of Keras's 1e-3."""
    return _with_epsilon(model, 1e-5)


def normalise_with_epsilon_of_9e_4(model: ModelProto, samples: Batch) -> bool:
    return _with_epsilon(model, 9e-4)
