"""Look-up tables inside an ONNX file, in one order.

A table is two lists of equal length: what is looked up, and what is answered. Converters write the pairs in the
order of a hash table. The order has no meaning as long as nothing is looked up that stands there twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper

_TYPES = ("strings", "int64s", "floats", "tensor")


def in_order(operator: str, attributes: Sequence[AttributeProto], *, reads: int | None) -> list[AttributeProto]:
    """Sort the pairs of a `CategoryMapper` or `LabelEncoder`; return any other node's attributes as they are.

    `reads` is the type of the node's input, which says what a `CategoryMapper` looks up; None where unknown.
    """
    by_name = {attribute.name: attribute for attribute in attributes}
    pair = _pair(operator, by_name)
    if pair is None:
        return list(attributes)
    columns = [_values(by_name[name]) for name in pair]
    looked_up = _looked_up(operator, columns, reads=reads)
    if len(columns[0]) != len(columns[1]) or not all(_all_different(column) for column in looked_up):
        return list(attributes)
    order = sorted(range(len(columns[0])), key=lambda row: (columns[0][row], columns[1][row]))
    sorted_ones = {name: _reordered(by_name[name], order) for name in pair}
    return [sorted_ones.get(attribute.name, attribute) for attribute in attributes]


def _pair(operator: str, by_name: dict[str, AttributeProto]) -> tuple[str, str] | None:
    if operator == "CategoryMapper":
        names = ["cats_strings", "cats_int64s"]
    elif operator == "LabelEncoder":
        names = [f"{side}_{kind}" for side in ("keys", "values") for kind in _TYPES if f"{side}_{kind}" in by_name]
    else:
        return None
    return (names[0], names[1]) if len(names) == 2 and all(name in by_name for name in names) else None


def _looked_up(operator: str, columns: list[list[Any]], *, reads: int | None) -> list[list[Any]]:
    """The columns in which a value that stands twice gives the order a meaning."""
    if operator == "LabelEncoder" or reads == TensorProto.STRING:
        return columns[:1]
    return columns[1:] if reads == TensorProto.INT64 else columns


def _all_different(column: list[Any]) -> bool:
    not_a_number = any(
        isinstance(value, float) and math.isnan(value) for value in column
    )  # it has no place in an order
    return len(set(column)) == len(column) and not not_a_number


def _values(attribute: AttributeProto) -> list[Any]:
    if attribute.type == AttributeProto.TENSOR:
        values: list[Any] = numpy_helper.to_array(attribute.t).ravel().tolist()
        return values
    return list(helper.get_attribute_value(attribute))


def _reordered(attribute: AttributeProto, order: list[int]) -> AttributeProto:
    if attribute.type == AttributeProto.TENSOR:
        values = numpy_helper.to_array(attribute.t)
        return helper.make_attribute(attribute.name, _tensor_like(attribute.t, values.ravel()[order], values.shape))
    values_before = _values(attribute)
    return helper.make_attribute(attribute.name, [values_before[row] for row in order])


def _tensor_like(tensor: TensorProto, flat: np.ndarray[Any, Any], shape: tuple[int, ...]) -> TensorProto:
    if tensor.data_type == TensorProto.STRING:
        return helper.make_tensor("", TensorProto.STRING, shape, flat.tolist())
    return numpy_helper.from_array(flat.reshape(shape))
