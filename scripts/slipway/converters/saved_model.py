"""What a TensorFlow SavedModel would run, read from its file without running anything.

Loading a SavedModel runs the functions that fill its tables, and asking it runs the rest, so that an operation
that writes a file or calls Python must be found before. The file is parsed with the few fields of its format that
say which operations there are (tensorflow/core/protobuf/saved_model.proto), which needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]  # no types
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types

from slipway.converters.sources import refuse_strange_files
from slipway.errors import ModelRefused

_ALLOWED = Path(__file__).with_name("tensorflow_operations.txt")
# They name the files of a checkpoint. Keras exports them in two functions that nothing in the model calls.
_CHECKPOINT = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})
_FIELDS = {  # message: (field, number, type); all fields are repeated, which reads single ones as well
    "SavedModel": [("meta_graphs", 2, "MetaGraph")],
    "MetaGraph": [("graph", 2, "Graph"), ("assets", 6, "Asset"), ("objects", 7, "")],
    "Asset": [("filename", 2, "")],
    "Graph": [("nodes", 1, "Node"), ("libraries", 2, "Library")],
    "Library": [("functions", 1, "")],
    "Function": [("signatures", 1, "Signature"), ("nodes", 3, "Node")],
    "Signature": [("name", 1, "")],
    "Node": [("op", 2, "")],
}
_MOST_BYTES = 1 << 30
_MEND = "export the model again with Keras: model.export(FOLDER)"


@dataclass(frozen=True, slots=True)
class _Function:
    """`names` is one name; a file that was tampered with may give several, of which TensorFlow takes the last."""

    names: frozenset[bytes]
    operations: frozenset[str]
    content: bytes


def refuse(source: Path) -> None:
    """Say no to a SavedModel that could do more than compute.

    Raises:
        ModelRefused: it is no SavedModel of TensorFlow 2, links out of its folder, or holds an operation that is
            not in tensorflow_operations.txt.
    """
    _refuse_files(source)
    file = source / "saved_model.pb"
    if file.stat().st_size > _MOST_BYTES:
        raise ModelRefused(f"{file} has more than {_MOST_BYTES:,} bytes", mend="make the model smaller")
    meta_graphs = _parse("SavedModel", file.read_bytes()).meta_graphs
    for meta_graph in meta_graphs:
        _refuse_operations(source, meta_graph)
        _refuse_assets(source, meta_graph)
    if not meta_graphs or not all(any(meta_graph.objects) for meta_graph in meta_graphs):
        raise ModelRefused(f"{source} is no SavedModel of TensorFlow 2", mend=_MEND)


def _refuse_files(source: Path) -> None:
    if source.exists():
        refuse_strange_files(source)
    if not (source / "saved_model.pb").is_file():
        raise ModelRefused(f"{source} holds no saved_model.pb", mend=_MEND)
    for other in ("saved_model.pbtxt", "saved_model.cpb"):
        if (source / other).exists():
            raise ModelRefused(f"{source / other} is a second form of the model, which is not read", mend=_MEND)


def _refuse_operations(source: Path, meta_graph: Any) -> None:
    functions = [
        _function(raw) for graph in meta_graph.graph for library in graph.libraries for raw in library.functions
    ]
    saving = _only_for_checkpoints(functions, b"".join(meta_graph.objects))
    found = {_text(op) for graph in meta_graph.graph for node in graph.nodes for op in node.op}
    found |= {operation for function in functions for operation in function.operations if not function.names <= saving}
    found |= {operation for function in functions for operation in function.operations - _CHECKPOINT}
    if unknown := sorted(found - _allowed()):
        raise ModelRefused(
            f"{source / 'saved_model.pb'} holds operations that may do more than compute: {', '.join(unknown)}",
            mend="leave them out of the exported model; one that neither runs code nor touches files may be added to "
            f"scripts/slipway/converters/{_ALLOWED.name} in a reviewed commit",
        )


def _only_for_checkpoints(functions: list[_Function], objects: bytes) -> set[bytes]:
    """The functions that save and restore, as long as neither an object nor another function names them."""
    candidates = [function for function in functions if function.operations & _CHECKPOINT and len(function.names) == 1]
    return {
        name
        for candidate in candidates
        for name in candidate.names
        if name not in objects and not any(name in other.content for other in functions if other is not candidate)
    }


def _refuse_assets(source: Path, meta_graph: Any) -> None:
    for name in (_text(name) for asset in meta_graph.assets for name in asset.filename):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ModelRefused(f"{source} reads `{name}`, which is outside of its folder", mend=_MEND)


def _function(raw: bytes) -> _Function:
    parsed = _parse("Function", raw)
    names = frozenset(name for signature in parsed.signatures for name in signature.name)
    return _Function(names, frozenset(_text(op) for node in parsed.nodes for op in node.op), raw)


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")


@cache
def _allowed() -> frozenset[str]:
    return frozenset(_names(_ALLOWED.read_text()))


def _names(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _parse(message: str, raw: bytes) -> Any:
    """Parse `raw` as one of the messages of `_FIELDS`; a message's attributes are only known at run time."""
    try:
        return _message_class(message).FromString(raw)
    except DecodeError as error:
        raise ModelRefused(f"saved_model.pb cannot be read: {error}", mend=_MEND) from error


@cache
def _message_class(message: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"slipway.{message}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="slipway_saved_model.proto", package="slipway", syntax="proto2")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, number, kind in fields:
            field = described.field.add(
                name=name, number=number, label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
            )
            field.type = field.TYPE_MESSAGE if kind else field.TYPE_BYTES
            if kind:
                field.type_name = f".slipway.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool
