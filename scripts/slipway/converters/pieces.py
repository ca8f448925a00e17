"""Protobuf messages as the pieces that their bytes are made of, so that weights are hashed and written uncopied.

A message that is built in memory, put into another and serialised stands there three times, and protobuf gives nothing
back before all of it goes. As pieces, weights are the same `bytes` from the graph that was read to the file.

Source: protobuf.dev/programming-guides/encoding. Fields are written in the order of their numbers, as protobuf does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from slipway.errors import ModelRefused

Pieces = tuple[bytes, ...]
# Whose raw bytes are their only form; of the others, several numbers share a byte, or a byte has no meaning.
_WHOLE_BYTES = frozenset(
    {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT32, TensorProto.INT64, TensorProto.INT8}
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A tensor without a name: what is written before the name, and what after it."""

    kind: bytes
    raw: Pieces

    @property
    def pieces(self) -> Pieces:
        return (self.kind, *self.raw)

    def named(self, name: str) -> Pieces:
        return (self.kind, message_bytes(TensorProto(name=name)), *self.raw)


def message_bytes(
    message: AttributeProto | GraphProto | ModelProto | NodeProto | TensorProto | ValueInfoProto,
) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


def field(message: type[AttributeProto | GraphProto | ModelProto | NodeProto], name: str, content: Pieces) -> Pieces:
    """The field `name` of `message`, which holds another message, or bytes."""
    return _delimited(message.DESCRIPTOR.fields_by_name[name].number, content)


def _delimited(number: int, content: Pieces) -> Pieces:
    return (_variable_length(number << 3 | 2) + _variable_length(sum(map(len, content))), *content)


def _variable_length(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that another byte follows."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def weights(tensor: TensorProto) -> Weights:
    """The tensor without a name, its numbers as raw little-endian bytes.

    Raises:
        ModelRefused: they lie in another file.
    """
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ModelRefused(
            f"the weights `{tensor.name}` lie in a file beside the model",
            mend="save the model as one file (onnx.save with save_as_external_data=False)",
        )
    if tensor.data_type == TensorProto.STRING:
        texts = TensorProto(data_type=TensorProto.STRING, dims=tensor.dims, string_data=tensor.string_data)
        return Weights(message_bytes(texts), ())
    kind = message_bytes(TensorProto(data_type=tensor.data_type, dims=tensor.dims))
    return Weights(kind, _delimited(_RAW_DATA, (_raw(tensor),)))


_RAW_DATA = TensorProto.DESCRIPTOR.fields_by_name["raw_data"].number


def _raw(tensor: TensorProto) -> bytes:
    if tensor.data_type in _WHOLE_BYTES and tensor.HasField("raw_data"):
        raw = bytes(tensor.raw_data)
        if len(raw) == _size(tensor):
            return raw
    return bytes(numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data)


def _size(tensor: TensorProto) -> int:
    size = int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
    for length in tensor.dims:
        size *= length
    return size


def attribute(message: AttributeProto) -> Pieces:
    """The attribute without its text, its tensors without names."""
    if message.type == AttributeProto.TENSOR:
        content = field(AttributeProto, "t", weights(message.t).pieces)
        return (*_before(message), *content, message_bytes(AttributeProto(type=message.type)))
    if message.type == AttributeProto.TENSORS:
        contents = (field(AttributeProto, "tensors", weights(tensor).pieces) for tensor in message.tensors)
        several = tuple(piece for content in contents for piece in content)
        return (*_before(message), *several, message_bytes(AttributeProto(type=message.type)))
    if not message.HasField("doc_string"):
        return (message_bytes(message),)
    copy = AttributeProto()
    copy.CopyFrom(message)
    copy.ClearField("doc_string")
    return (message_bytes(copy),)


def body(name: str, graph: Pieces) -> Pieces:
    """An attribute that is a graph."""
    content = field(AttributeProto, "g", graph)
    return (*_before(AttributeProto(name=name)), *content, message_bytes(AttributeProto(type=AttributeProto.GRAPH)))


def _before(message: AttributeProto) -> Pieces:
    return (message_bytes(AttributeProto(name=message.name)),)


def joined(parts: Iterable[Pieces]) -> Pieces:
    return tuple(piece for part in parts for piece in part)
