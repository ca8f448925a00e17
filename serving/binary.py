"""Tensors in the protocol's binary form: what stands behind the JSON of a body, one tensor after the other.

Numbers lie row by row in little-endian order, BOOL as one byte each, BYTES as a length of four bytes before each value.
Source: the extension "Binary tensor data" of the Open Inference Protocol v2.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from serving.errors import RequestRefused
from serving.tensors import Array, Kind, TensorSpecification, shape_of

_LENGTH = struct.Struct("<I")


def decode(tensor: dict[str, Any], raw: memoryview, specification: TensorSpecification, *, where: str) -> Array:
    """Read the bytes of the tensor `where` of a request as an array of the shape that it states.

    Numbers are a view of the body, not a copy, where its alignment allows that.

    Raises:
        RequestRefused: its datatype, shape or bytes are not what the model takes.
    """
    shape = shape_of(tensor, specification, where=where)
    place = f"{where}.parameters.binary_data_size"
    if specification.kind.datatype == "BYTES":
        return _strings(raw, shape, where=place)
    return _numbers(raw, specification.kind, shape, where=place)


def encode(array: Array) -> bytes:
    """Write an array of an answer."""
    if array.dtype.kind in "OU":
        return b"".join(part for text in array.ravel().tolist() for part in _prefixed(text))
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()


def _numbers(raw: memoryview, kind: Kind, shape: list[int], *, where: str) -> Array:
    dtype = np.dtype(kind.numpy).newbyteorder("<")
    expected = math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise RequestRefused(f"{where} is {len(raw)}; {kind.datatype} of the shape {shape} takes {expected} bytes")
    if dtype.kind == "b" and (np.frombuffer(raw, np.uint8) > 1).any():
        raise RequestRefused(f"{where}: a BOOL is a byte 0 or 1, and one here is another")
    array = np.frombuffer(raw, dtype).reshape(shape)
    return array if array.flags.aligned and dtype.isnative else array.astype(dtype.newbyteorder("="))


def _strings(raw: memoryview, shape: list[int], *, where: str) -> Array:
    count = math.prod(shape)
    if count * _LENGTH.size > len(raw):  # before the loop: the shape is whatever the client says
        raise RequestRefused(f"{where} is {len(raw)}: too few bytes for the {count} lengths of the shape {shape}")
    values, at = [], 0
    for number in range(count):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(raw, at)[0] if start <= len(raw) else start
        if at > len(raw):
            raise RequestRefused(f"{where}: value {number} ends behind the {len(raw)} bytes of the tensor")
        values.append(_text(raw[start:at], f"{where}: value {number}"))
    if at != len(raw):
        raise RequestRefused(f"{where} is {len(raw)}; the {count} values of the shape {shape} take {at} bytes")
    array = np.empty(count, dtype=np.object_)
    array[:] = values
    return array.reshape(shape)


def _text(raw: memoryview, where: str) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise RequestRefused(f"{where} is no UTF-8; the model takes text") from None


def _prefixed(text: str) -> tuple[bytes, bytes]:
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)), encoded
