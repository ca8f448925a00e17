"""Tensors of the Open Inference Protocol v2: JSON in, numpy arrays out, and back. Their other form is in `binary`.

JSON has no NaN: `null` in a tensor of floats means "not a number", in requests and in answers.
"""

from __future__ import annotations

import math
from array import array as numbers
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
    """One datatype: its names in the protocol, in ONNX and in `array`, and the JSON values that it takes."""

    datatype: str
    onnx: str
    numpy: npt.DTypeLike
    values: frozenset[type]
    words: str
    code: str = ""


_NUMBER_OR_NULL: frozenset[type] = frozenset((int, float, type(None)))


def _floats(bits: int, onnx: str) -> Kind:
    code = {32: "f", 64: "d"}.get(bits, "")
    return Kind(f"FP{bits}", onnx, np.dtype(f"float{bits}"), _NUMBER_OR_NULL, "numbers", code)


def _whole(bits: int) -> Kind:
    return Kind(f"INT{bits}", f"tensor(int{bits})", f"int{bits}", frozenset((int,)), f"whole numbers of {bits} bits")


def _natural(bits: int) -> Kind:
    words = f"whole numbers of {bits} bits without a sign"
    return Kind(f"UINT{bits}", f"tensor(uint{bits})", f"uint{bits}", frozenset((int,)), words)


KINDS = (
    _floats(16, "tensor(float16)"),
    _floats(32, "tensor(float)"),
    _floats(64, "tensor(double)"),
    *(whole(bits) for bits in (8, 16, 32, 64) for whole in (_whole, _natural)),
    Kind("BOOL", "tensor(bool)", np.bool_, frozenset((bool,)), "true or false"),
    Kind("BYTES", "tensor(string)", np.object_, frozenset((str,)), "strings"),
)
_BY_ONNX = {kind.onnx: kind for kind in KINDS}


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
            CannotStart: numpy or the protocol has no such type (BF16 among them), or there is no batch dimension.
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
    """Read the tensor `where` of a request, with its values in `data`, as an array of the shape that it states.

    Raises:
        RequestRefused: its datatype, shape or data are not what the model takes.
    """
    shape = shape_of(tensor, specification, where=where)
    values = _flat(tensor.get("data"), shape, where=f"{where}.data")
    return _array(values, specification.kind, where=f"{where}.data").reshape(shape)


def shape_of(tensor: dict[str, Any], specification: TensorSpecification, *, where: str) -> list[int]:
    """The shape that the tensor `where` of a request states.

    Raises:
        RequestRefused: the model takes another datatype, or no such shape.
    """
    stated, takes = tensor.get("datatype"), specification.kind.datatype
    if stated != takes:
        raise RequestRefused(f"{where}.datatype is {shown(stated)}; the model takes {takes}")
    return _shape(tensor.get("shape"), specification.shape, where=f"{where}.shape")


def encode(specification: TensorSpecification, array: Array) -> dict[str, object]:
    """Write an array as a tensor of an answer; numbers stay an array, which orjson writes without a copy."""
    flat = array.ravel()
    data = flat.tolist() if flat.dtype.kind in "OU" else flat
    datatype = specification.kind.datatype
    return {"name": specification.name, "datatype": datatype, "shape": list(array.shape), "data": data}


def _shape(stated: object, expected: tuple[int, ...], *, where: str) -> list[int]:
    if not isinstance(stated, list):
        raise RequestRefused(f"{where} must be a list of whole numbers, is {shown(stated)}")
    fits = len(stated) == len(expected)
    for have, want in zip(stated, expected, strict=False):  # a generator would take twice as long
        if type(have) is not int or have < 0:
            raise RequestRefused(f"{where} must be a list of whole numbers, is {shown(stated)}")
        if want not in (FREE, have):
            fits = False
    if not fits:
        raise RequestRefused(f"{where} is {shown(stated)}; the model takes {list(expected)}, where -1 is free")
    if 0 in stated:
        raise RequestRefused(f"{where} is {shown(stated)}: it holds no value")
    return stated


def _flat(data: object, shape: list[int], *, where: str) -> list[Any]:
    """Take data as one flat list, or as lists nested exactly as `shape` says."""
    if not isinstance(data, list):
        raise RequestRefused(f"{where} must be a list, is {shown(data)}")
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
        raise RequestRefused(f"{where} must hold {kind.words}, holds {shown(odd)}")
    try:
        array = _converted(values, kind)
    except OverflowError:
        raise RequestRefused(f"{where} must hold {kind.words}; one value is too large") from None
    if array.dtype.kind == "f" and _has_infinity(array):
        raise RequestRefused(f"{where} holds a number too large for {kind.datatype}")
    return array


def _converted(values: list[Any], kind: Kind) -> Array:
    """Python's `array` knows no `null`, and takes half of numpy's time: numpy would have to be told not to warn."""
    if kind.code and None not in values:
        return np.frombuffer(numbers(kind.code, values), kind.numpy)
    with np.errstate(over="ignore"):
        return np.array(values, dtype=kind.numpy)


def _has_infinity(array: Array) -> bool:
    """Nearly always the one product tells that there is none, in a quarter of the time."""
    return not math.isfinite(np.vdot(array, array)) and bool(np.isinf(array).any())


def shown(value: object) -> str:
    """Show a client's value in an error, short: the reason must not echo a megabyte."""
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
