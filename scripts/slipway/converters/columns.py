"""Which number of a model's inputs a column inside its graph is, and how it was scaled on the way.

Followed are the operators that hand a column on as it is, or shift and stretch it by constants. Behind any other, a
column has no single number that it could be set by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Traced:
    """A column is the number at `position` of a row of `input`, which is `stretch` x column + `shift`."""

    input: str
    position: int
    stretch: float = 1.0
    shift: float = 0.0

    def scaled(self, stretch: float, shift: float) -> Traced:
        """The same number, of a column that was `stretch` x new column + `shift`."""
        return replace(self, stretch=self.stretch * stretch, shift=self.stretch * shift + self.shift)


@dataclass(frozen=True, slots=True)
class Untraced:
    """A column that `operator` computed from more, or from other things, than one number."""

    operator: str


Columns = Sequence[Traced | Untraced]


def traced_columns(graph: GraphProto, name: str, values: Mapping[str, Array]) -> Columns:
    """Of the value `name`, one entry a column of its rows flattened.

    `values` are arrays of all values that `name` is computed from, for any rows: they tell how wide each is.
    """
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found: dict[str, Columns] = {info.name: _of_input(info.name, values) for info in graph.input}
    for node in graph.node:
        if node.output[0] in values:
            found[node.output[0]] = _through(node, found, constants, like=values[node.output[0]])
    return found[name]


def _of_input(name: str, values: Mapping[str, Array]) -> Columns:
    return [Traced(name, position) for position in range(_width(values[name]))] if name in values else []


def _through(node: NodeProto, found: Mapping[str, Columns], constants: Mapping[str, Array], *, like: Array) -> Columns:
    """`like` is the result for some rows; what is no matrix is only followed by what keeps its order."""
    follow = _FOLLOWED.get(node.op_type)
    follows = follow is not None and node.input[0] in found and (like.ndim == 2 or follow is _as_it_is)
    columns = follow(node, found, constants) if follow and follows else None
    if columns is None or len(columns) != _width(like):
        return [Untraced(_stops_at(node, found))] * _width(like)
    return columns


def _stops_at(node: NodeProto, found: Mapping[str, Columns]) -> str:
    """The first operator that was not followed."""
    before = (column for name in node.input for column in found.get(name, ()))
    return next((column.operator for column in before if isinstance(column, Untraced)), node.op_type)


def _as_it_is(node: NodeProto, found: Mapping[str, Columns], _: Mapping[str, Array]) -> Columns:
    """Also `Reshape` and `Flatten`: rows stay rows, and their numbers keep their order."""
    return found[node.input[0]]


def _cast(node: NodeProto, found: Mapping[str, Columns], _: Mapping[str, Array]) -> Columns | None:
    return found[node.input[0]] if _attribute(node, "to") in (TensorProto.FLOAT, TensorProto.DOUBLE) else None


def _concat(node: NodeProto, found: Mapping[str, Columns], _: Mapping[str, Array]) -> Columns | None:
    """Side by side."""
    if any(name not in found for name in node.input) or _attribute(node, "axis") not in (1, -1):
        return None
    return [column for name in node.input for column in found[name]]


def _gather(node: NodeProto, found: Mapping[str, Columns], constants: Mapping[str, Array]) -> Columns | None:
    axis = 1 if node.op_type == "ArrayFeatureExtractor" else _attribute(node, "axis")
    if node.input[1] not in constants or axis not in (1, -1):
        return None
    return [found[node.input[0]][place] for place in constants[node.input[1]].ravel().tolist()]


def _arithmetic(node: NodeProto, found: Mapping[str, Columns], constants: Mapping[str, Array]) -> Columns | None:
    """By a constant on the right, of one number or one a column."""
    columns = found[node.input[0]]
    constant = constants.get(node.input[1])
    if constant is None or constant.size not in (1, len(columns)):
        return None
    numbers = np.broadcast_to(constant.astype(np.float64).ravel(), len(columns))
    if node.op_type in ("Mul", "Div") and (numbers == 0).any():
        return None
    undone = _UNDONE[node.op_type]
    return [_scaled(column, *undone(number)) for column, number in zip(columns, numbers.tolist(), strict=True)]


def _scaler(node: NodeProto, found: Mapping[str, Columns], _: Mapping[str, Array]) -> Columns | None:
    """ai.onnx.ml's own: (column - offset) x scale."""
    columns = found[node.input[0]]
    offsets, scales = (np.array(_attribute(node, name) or [empty]) for name, empty in (("offset", 0.0), ("scale", 1.0)))
    if {offsets.size, scales.size} - {1, len(columns)} or (scales == 0).any():
        return None
    pairs = zip(np.broadcast_to(offsets, len(columns)), np.broadcast_to(scales, len(columns)), strict=True)
    return [_scaled(column, 1 / scale, offset) for column, (offset, scale) in zip(columns, pairs, strict=True)]


def _scaled(column: Traced | Untraced, stretch: float, shift: float) -> Traced | Untraced:
    return column.scaled(stretch, shift) if isinstance(column, Traced) else column


def _attribute(node: NodeProto, name: str) -> Any:
    found: AttributeProto | None = next((one for one in node.attribute if one.name == name), None)
    return None if found is None else helper.get_attribute_value(found)


def _width(values: Array) -> int:
    return int(np.prod(values.shape[1:], dtype=np.int64))


# What stretches and shifts the result of each back to what it was made of.
_UNDONE: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "Add": lambda number: (1.0, -number),
    "Sub": lambda number: (1.0, number),
    "Mul": lambda number: (1 / number, 0.0),
    "Div": lambda number: (number, 0.0),
}
_Follow = Callable[[NodeProto, Mapping[str, Columns], Mapping[str, Array]], Columns | None]
_FOLLOWED: Mapping[str, _Follow] = {
    **dict.fromkeys(("Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze"), _as_it_is),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _arithmetic),
    **dict.fromkeys(("Gather", "ArrayFeatureExtractor"), _gather),
    "Cast": _cast,
    "Concat": _concat,
    "Scaler": _scaler,
}
