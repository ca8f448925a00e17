"""What a model learned, kept with fewer digits, in another order, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper
from slipway.domain.rows import Batch

from tests.mutations.damages.parts import (
    LEAF_WEIGHTS,
    LINEAR,
    TREES,
    Array,
    attribute_of,
    constant,
    constants,
    lists_of_floats,
    nodes,
    put,
    rewrite,
    round_tensor,
    weights_of,
)


def _round_all(model: ModelProto, rounding: Callable[[Array], Array]) -> bool:
    """All that a model learned but the splits of its trees, which are damaged by themselves."""
    changed = [round_tensor(tensor, rounding) for tensor in constants(model, TensorProto.FLOAT, TensorProto.DOUBLE)]
    names = ("coefficients", "intercepts", "base_values", *LEAF_WEIGHTS)
    changed += [
        rewrite(values, rounding(np.array(values, np.float32)).astype(np.float32).tolist())
        for values in lists_of_floats(model, (*TREES, *LINEAR), names)
    ]
    return any(changed)


def keep_weights_in_half_precision(model: ModelProto, samples: Batch) -> bool:
    return _round_all(model, lambda values: np.clip(values, -65504, 65504).astype(np.float16))


def keep_four_digits_of_weights(model: ModelProto, samples: Batch) -> bool:
    """Constants that went through a text."""
    return _round_all(model, np.vectorize(lambda one: float(f"{one:.4g}")))


def _one_weight(model: ModelProto, change: Callable[[float], float]) -> bool:
    """The largest of the last layer, of a linear model or of the leaves of trees."""
    lists = list(lists_of_floats(model, (*TREES, *LINEAR), ("coefficients", *LEAF_WEIGHTS)))
    for values in lists[:1]:
        place = int(np.abs(np.array(values)).argmax())
        values[place] = change(values[place])
    weights = weights_of(model)
    if lists or not weights:
        return bool(lists)
    changed = numpy_helper.to_array(weights[-1]).copy()
    place = int(np.abs(changed).argmax())
    changed.flat[place] = change(float(changed.flat[place]))
    put(weights[-1], changed)
    return True


def flip_the_sign_of_one_weight(model: ModelProto, samples: Batch) -> bool:
    return _one_weight(model, lambda weight: -weight)


def lose_one_weight(model: ModelProto, samples: Batch) -> bool:
    return _one_weight(model, lambda weight: 0.0)


def move_one_weight_by_a_hundredth(model: ModelProto, samples: Batch) -> bool:
    return _one_weight(model, lambda weight: weight * 1.01)


def transpose_the_weights(model: ModelProto, samples: Batch) -> bool:
    """Read in the other order, as row-major where it was column-major."""
    changed = [
        round_tensor(tensor, lambda values: values.ravel("F").reshape(values.shape)) for tensor in weights_of(model)
    ]
    for node in nodes(model, "LinearClassifier"):
        coefficients, classes = attribute_of(node, "coefficients"), attribute_of(node, "intercepts")
        if coefficients is not None and classes is not None:
            values = np.array(coefficients.floats).reshape(len(classes.floats), -1)
            changed.append(rewrite(coefficients.floats, values.ravel("F").tolist()))
    return any(changed)


def drop_the_bias(model: ModelProto, samples: Batch) -> bool:
    changed = [
        rewrite(values, [0.0] * len(values))
        for values in lists_of_floats(model, (*TREES, *LINEAR), ("intercepts", "base_values"))
    ]
    biases = [node.input[2] for node in nodes(model, "Gemm", "Conv") if len(node.input) > 2]
    behind = {node.output[0] for node in nodes(model, "MatMul")}
    biases += [node.input[1] for node in nodes(model, "Add") if node.input[0] in behind]
    found = [tensor for name in biases if (tensor := constant(model, name)) is not None]
    return any([*changed, *(round_tensor(tensor, np.zeros_like) for tensor in found)])
