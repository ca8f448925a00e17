"""Reading and writing parts of an ONNX model, for those that damage it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, numpy_helper

Array: TypeAlias = npt.NDArray[Any]
TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
LINEAR = ("LinearClassifier", "LinearRegressor")
LEAF_WEIGHTS = ("class_weights", "target_weights")


def nodes(model: ModelProto, *operators: str) -> list[NodeProto]:
    return [node for node in model.graph.node if node.op_type in operators]


def attribute_of(node: NodeProto, name: str) -> AttributeProto | None:
    return next((one for one in node.attribute if one.name == name), None)


def lists_of_floats(model: ModelProto, operators: Sequence[str], names: Sequence[str]) -> Iterator[Any]:
    """The lists of floats that these operators keep under these names."""
    for node in nodes(model, *operators):
        for attribute in node.attribute:
            if attribute.name in names and len(attribute.floats):
                yield attribute.floats


def constant(model: ModelProto, name: str) -> TensorProto | None:
    return next((tensor for tensor in model.graph.initializer if tensor.name == name), None)


def put(tensor: TensorProto, values: Array) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name=tensor.name))


def weights_of(model: ModelProto) -> list[TensorProto]:
    """Matrices and filters, which a layer multiplies by."""
    names = [node.input[1] for node in nodes(model, "MatMul", "Gemm", "Conv")]
    found = [constant(model, name) for name in names]
    return [tensor for tensor in found if tensor is not None and len(tensor.dims) >= 2]


def constants(model: ModelProto, *types: int) -> list[TensorProto]:
    return [tensor for tensor in model.graph.initializer if tensor.data_type in types]


def readers(model: ModelProto, name: str) -> list[NodeProto]:
    return [node for node in model.graph.node if name in node.input]


def put_behind(model: ModelProto, name: str, *, make: Callable[[str, str], Sequence[NodeProto]]) -> None:
    """Let all that reads `name` read what `make(name, new name)` computes from it."""
    changed = f"{name}/damaged"
    for node in readers(model, name):
        node.input[:] = [changed if one == name else one for one in node.input]
    nodes = [*make(name, changed)]
    place = next((index + 1 for index, node in enumerate(model.graph.node) if name in node.output), 0)
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*rest[:place], *nodes, *rest[place:]])


def add_constant(model: ModelProto, name: str, values: Array) -> str:
    model.graph.initializer.append(numpy_helper.from_array(values, name=name))
    return name


def bypass(model: ModelProto, node: NodeProto) -> None:
    for reader in readers(model, node.output[0]):
        reader.input[:] = [node.input[0] if one == node.output[0] else one for one in reader.input]


def rewrite(values: Any, changed: Sequence[Any]) -> bool:
    """Write into a repeated field, and say whether that changed anything."""
    before = list(values)
    values[:] = changed
    return list(values) != before


def any_changed(changes: Iterator[bool] | Sequence[bool]) -> bool:
    """Whether any changed; all are done."""
    return any(list(changes))


def round_tensor(tensor: TensorProto, rounding: Callable[[Array], Array]) -> bool:
    before = numpy_helper.to_array(tensor)
    after = rounding(before).astype(before.dtype)
    put(tensor, after)
    return not np.array_equal(before, after)
