"""Tensors of the Open Inference Protocol v2: JSON in, numpy arrays out, and back.

JSON has no NaN: `null` in an FP32 or FP64 tensor means "not a number", in requests and in answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.errors import CannotStart, RequestRefused

Array = npt.NDArray[Any]
Batch = dict[str, Array]
FREE = -1  # a dimension that the client chooses, as in the protocol's metadata


@dataclass(frozen=True, slots=True)
class Kind:
    """One datatype: its names in the protocol and in ONNX, and the JSON values that it takes."""

    datatype: str
    onnx: str
    numpy: npt.DTypeLike
    values: frozenset[type]
    words: str


_NUMBER_OR_NULL: frozenset[type] = frozenset((int, float, type(None)))
_KINDS = (
    Kind("FP32", "tensor(float)", np.float32, _NUMBER_OR_NULL, "numbers"),
    Kind("FP64", "tensor(double)", np.float64, _NUMBER_OR_NULL, "numbers"),
    Kind("INT32", "tensor(int32)", np.int32, frozenset((int,)), "whole numbers of 32 bits"),
    Kind("INT64", "tensor(int64)", np.int64, frozenset((int,)), "whole numbers of 64 bits"),
    Kind("BOOL", "tensor(bool)", np.bool_, frozenset((bool,)), "true or false"),
    Kind("BYTES", "tensor(string)", np.object_, frozenset((str,)), "strings"),
)
_BY_ONNX = {kind.onnx: kind for kind in _KINDS}


@dataclass(frozen=True, slots=True)
class TensorSpecification:
    """What the model says about one input or output; the first dimension is the batch."""

    name: str
    kind: Kind
    shape: tuple[int, ...]

    @classmethod
    def of(cls, node: Any) -> TensorSpecification:
        """Read a `NodeArg` of onnxruntime.

        Raises:
            CannotStart: the tensor has a type that the protocol's JSON cannot carry, or no batch dimension.
        """
        kind = _BY_ONNX.get(node.type)
        if kind is None:
            known = ", ".join(_BY_ONNX)
            raise CannotStart(f"`{node.name}` is a {node.type}", mend=f"export the model with one of {known}")
        shape = tuple(length if isinstance(length, int) else FREE for length in node.shape)
        if not shape:
            raise CannotStart(f"`{node.name}` has no dimension", mend="give every tensor a batch dimension first")
        return cls(node.name, kind, shape)

    def metadata(self) -> dict[str, object]:
        return {"name": self.name, "datatype": self.kind.datatype, "shape": list(self.shape)}


def decode(tensor: dict[str, Any], specification: TensorSpecification, *, where: str) -> Array:
    """Read the tensor `where` of a request as an array of the shape that it states.

    Raises:
        RequestRefused: its datatype, shape or data are not what the model takes.
    """
    kind = specification.kind
    if tensor.get("datatype") != kind.datatype:
        raise RequestRefused(f"{where}.datatype is {_shown(tensor.get('datatype'))}; the model takes {kind.datatype}")
    shape = _shape(tensor.get("shape"), specification.shape, where=f"{where}.shape")
    values = _flat(tensor.get("data"), shape, where=f"{where}.data")
    return _array(values, kind, where=f"{where}.data").reshape(shape)


def encode(specification: TensorSpecification, array: Array) -> dict[str, object]:
    """Write an array as a tensor of an answer; numbers stay an array, which orjson writes without a copy."""
    flat = array.ravel()
    data = flat.tolist() if flat.dtype.kind in "OU" else flat
    datatype = specification.kind.datatype
    return {"name": specification.name, "datatype": datatype, "shape": list(array.shape), "data": data}


def _shape(stated: object, expected: tuple[int, ...], *, where: str) -> list[int]:
    if not isinstance(stated, list) or any(type(length) is not int or length < 0 for length in stated):
        raise RequestRefused(f"{where} must be a list of whole numbers, is {_shown(stated)}")
    fits = len(stated) == len(expected) and all(
        want in (FREE, have) for want, have in zip(expected, stated, strict=True)
    )
    if not fits:
        raise RequestRefused(f"{where} is {_shown(stated)}; the model takes {list(expected)}, where -1 is free")
    if 0 in stated:
        raise RequestRefused(f"{where} is {_shown(stated)}: it holds no value")
    return stated


def _flat(data: object, shape: list[int], *, where: str) -> list[Any]:
    """Take data as one flat list, or as lists nested exactly as `shape` says."""
    if not isinstance(data, list):
        raise RequestRefused(f"{where} must be a list, is {_shown(data)}")
    if len(shape) == 1 or not data or not isinstance(data[0], list):
        if len(data) != math.prod(shape):
            raise RequestRefused(f"{where} has {len(data)} values; the shape {shape} holds {math.prod(shape)}")
        return data
    level = data
    if len(level) != shape[0]:
        raise RequestRefused(f"{where} has {len(level)} rows; the shape {shape} has {shape[0]}")
    for length in shape[1:]:
        if not all(isinstance(part, list) and len(part) == length for part in level):
            raise RequestRefused(f"{where} is not nested as the shape {shape} says")
        level = list(chain.from_iterable(level))
    return level


def _array(values: list[Any], kind: Kind, *, where: str) -> Array:
    # numpy would read "1.5" and true as numbers without a word; the set of types costs 15 ns a value.
    if not kind.values.issuperset(map(type, values)):
        odd = next(value for value in values if type(value) not in kind.values)
        raise RequestRefused(f"{where} must hold {kind.words}, holds {_shown(odd)}")
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, dtype=kind.numpy)
    except OverflowError:
        raise RequestRefused(f"{where} must hold {kind.words}; one value is too large") from None
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise RequestRefused(f"{where} holds a number too large for {kind.datatype}")
    return array


def _shown(value: object) -> str:
    """Show a client's value in an error, short: the reason must not echo a megabyte."""
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
