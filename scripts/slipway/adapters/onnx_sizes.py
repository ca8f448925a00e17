"""How large the values inside of an ONNX model become, as far as its file tells, without running anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, ValueInfoProto, helper, shape_inference

from slipway.errors import ModelRefused

LARGEST_VALUE = 1 << 31  # bytes of one value, a row; weights have their own limit
_SMALL = 1 << 16  # bytes: what may state a shape; a larger constant plays no part in one
_MEND = "export the model with values of sizes that fit; each row is asked for anew"


def refuse_huge(path: Path, model: ModelProto) -> None:
    """Say no to a value whose size stands in the file and does not fit: a few bytes can ask for 17 TB.

    What only the rows decide is not seen here.

    Raises:
        ModelRefused: onnx finds a value of more than `LARGEST_VALUE`.
    """
    for graph in _graphs(model.graph, ()):
        for info in _inferred(model, graph):
            size = _least_bytes(info)
            if size > LARGEST_VALUE:
                raise ModelRefused(
                    f"{path}: the value `{info.name}` would take {size:,} bytes; at most {LARGEST_VALUE:,} are made",
                    mend=_MEND,
                )


def _graphs(graph: GraphProto, outer: Sequence[TensorProto]) -> Iterator[GraphProto]:
    """The graph and all bodies in it, each with the small constants that it sees.

    Without what is large: only its shape counts, and a second copy of the weights would be one too many.
    """
    small = [*outer, *(tensor for tensor in graph.initializer if _bytes(tensor) <= _SMALL)]
    large = [tensor for tensor in graph.initializer if _bytes(tensor) > _SMALL]
    infos = [helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in large]
    nodes = [node for node in graph.node if node.ByteSize() <= _SMALL]
    yield GraphProto(name="part", input=[*graph.input, *infos], output=graph.output, initializer=small, node=nodes)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        for body in [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs:
            yield from _graphs(body, small)


def _bytes(tensor: TensorProto) -> int:
    """About what it takes; protobuf would serialise it to count."""
    numbers = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
    return len(tensor.raw_data) + 8 * sum(map(len, numbers)) + sum(map(len, tensor.string_data))


def _inferred(model: ModelProto, graph: GraphProto) -> list[ValueInfoProto]:
    part = ModelProto(
        ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions, graph=graph
    )
    try:
        return [*shape_inference.infer_shapes(part, data_prop=True).graph.value_info]
    except Exception:  # it has no common class; what cannot be inferred is for onnxruntime to say
        return []


def _least_bytes(info: ValueInfoProto) -> int:
    """With one row, and one of whatever else is free."""
    tensor = info.type.tensor_type
    dims = [one.dim_value for one in tensor.shape.dim if one.HasField("dim_value")]
    return int(math.prod(dims)) * _width(int(tensor.elem_type))


def _width(element: int) -> int:
    try:
        return int(np.dtype(helper.tensor_dtype_to_np_dtype(element)).itemsize)
    except (KeyError, TypeError):
        return 1
