"""What an ONNX file would make onnxruntime do, read before it is loaded, and its weights from the files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]  # protobuf ships no types
from onnx import ModelProto, NodeProto, TensorProto, checker, external_data_helper, numpy_helper

from slipway.converters.job import Job
from slipway.errors import ModelRefused

_ENDING = ".onnx"
_MOST_BYTES = 1 << 30  # with the files beside it: what the model server reads
IR_VERSIONS = range(3, 15)  # which the onnxruntime of requirements/onnx.txt loads
OPSETS = {"": range(7, 29), "ai.onnx.ml": range(1, 6)}
_MEND_OF_OUTSIDE = (
    "put the file into the folder that `source` names, or save the model as one file: "
    "onnx.save(model, FILE, save_as_external_data=False)"
)


def whole(job: Job) -> ModelProto:
    """The source with all of its weights inside.

    Raises:
        ModelRefused: it is no ONNX, too large, of another version or domain, or keeps weights outside of its folder.
    """
    file = file_of(job)
    _refuse_what_it_asks_for(file, job.source, _parsed(file))
    try:
        checker.check_model(file)  # in a memory of its own, so nothing of the file is kept meanwhile
        model = _parsed(file)
        _take_in(file, _outside(model))
        for tensor in _all(model, TensorProto):  # more bytes than the shape says pass onnx's checker
            numpy_helper.to_array(tensor)
    except (checker.ValidationError, ValueError, TypeError) as error:
        raise ModelRefused(f"{file.name} is no valid ONNX: {first_line(error)}", mend="export it again") from error
    return model


def file_of(job: Job) -> Path:
    """The source's ONNX file; its weights may lie beside it.

    Raises:
        ModelRefused: it is a link out of the source's folder.
    """
    file = job.file(_ENDING)
    _refuse_link(file, job.source)
    return file


def _refuse_what_it_asks_for(file: Path, source: Path, model: ModelProto) -> None:
    _refuse_versions(file, model)
    _refuse_domains(file, model)
    _refuse_files(file, source, _outside(model))


def _outside(model: ModelProto) -> list[TensorProto]:
    return [tensor for tensor in _all(model, TensorProto) if tensor.data_location == TensorProto.EXTERNAL]


def _parsed(file: Path) -> ModelProto:
    _refuse_size(file, file.stat().st_size)
    model = ModelProto()
    if file.stat().st_size == 0:
        raise ModelRefused(f"{file.name} is no ONNX file: it is empty", mend="export the model again")
    try:
        model.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise ModelRefused(f"{file.name} is no ONNX file: {error}", mend="export the model again") from error
    return model


def _refuse_size(file: Path, size: int) -> None:
    if size > _MOST_BYTES:
        raise ModelRefused(
            f"{file.name} has {size:,} bytes with its weights; at most {_MOST_BYTES:,} are read",
            mend="make the model smaller",
        )


def _refuse_versions(file: Path, model: ModelProto) -> None:
    if model.ir_version not in IR_VERSIONS:
        raise ModelRefused(
            f"{file.name} is of the IR version {model.ir_version}; onnxruntime loads {_from_to(IR_VERSIONS)}",
            mend="export the model for one of these",
        )
    for entry in model.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        known = OPSETS.get(domain)
        if known and entry.version not in known:
            raise ModelRefused(
                f"{file.name} is of opset {entry.version} of {domain or 'ai.onnx'}; "
                f"onnxruntime loads {_from_to(known)}",
                mend="export the model for one of these, or convert it: onnx.version_converter.convert_version",
            )


def _from_to(versions: range) -> str:
    return f"{versions.start} to {versions.stop - 1}"


def _refuse_domains(file: Path, model: ModelProto) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    asked = {node.domain for node in _all(model, NodeProto) if (node.domain, node.op_type) not in own}
    asked |= {entry.domain for entry in model.opset_import} - {domain for domain, _ in own}
    if foreign := sorted(asked - {"ai.onnx", *OPSETS}):
        raise ModelRefused(
            f"{file.name} asks for operators of {', '.join(foreign)}; only those of ONNX itself are served",
            mend="export the model without custom operators",
        )


def _refuse_files(file: Path, source: Path, outside: Iterable[TensorProto]) -> None:
    size = file.stat().st_size
    for tensor in outside:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        beside = file.parent / location
        pure = PurePosixPath(location)
        if not location or pure.is_absolute() or ".." in pure.parts or "\\" in location or source.is_file():
            raise ModelRefused(
                f"{file.name} keeps its weights `{tensor.name}` in `{location}`, outside of the source",
                mend=_MEND_OF_OUTSIDE,
            )
        _refuse_link(beside, source)
        if not beside.is_file():
            raise ModelRefused(f"the weights `{location}` of {file.name} are not there", mend=_MEND_OF_OUTSIDE)
        size += _length(entries, beside)
        _refuse_size(file, size)


def _length(entries: Mapping[str, str], beside: Path) -> int:
    """How many bytes of the file are read: counted anew for each tensor, since each gets its own copy."""
    most = beside.stat().st_size
    try:
        length = int(entries.get("length") or most)
    except ValueError:
        length = -1
    if not 0 <= length <= most:
        raise ModelRefused(
            f"{beside.name} has {most:,} bytes, of which a tensor asks for {entries['length']}",
            mend="save the model and its weights again",
        )
    return length


def _refuse_link(path: Path, source: Path) -> None:
    inside = source if source.is_dir() else source.parent
    if not path.resolve().is_relative_to(inside.resolve()):
        raise ModelRefused(f"{path} is a link out of the model's folder", mend="put the file itself there")


def _take_in(file: Path, outside: Iterable[TensorProto]) -> None:
    try:
        for tensor in outside:
            external_data_helper.load_external_data_for_tensor(tensor, str(file.parent))
            tensor.ClearField("data_location")
            tensor.ClearField("external_data")
    except (OSError, ValueError, checker.ValidationError) as error:
        raise ModelRefused(
            f"the weights of {file.name} cannot be read: {first_line(error)}", mend="save the model again"
        ) from error


def _all(message: Message, kind: type[Any]) -> Iterator[Any]:
    """All messages of a kind inside of another, wherever: in bodies, functions, attributes, sparse tensors."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in [value] if isinstance(value, Message) else value:
            if isinstance(one, kind):
                yield one
            yield from _all(one, kind)


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
