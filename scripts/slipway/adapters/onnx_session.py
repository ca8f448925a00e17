"""ONNX files, opened with onnxruntime. Only this module and `onnx_loading` import onnxruntime.

A file is checked before onnxruntime sees it: onnx's own checker lets unknown domains pass, and a file that names
others reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf ships no types
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, checker

from slipway.adapters import onnx_sizes
from slipway.adapters.onnx_loading import session_options
from slipway.domain.rows import Batch, rows_in, take
from slipway.domain.signature import DataType, Signature, Tensor
from slipway.errors import ModelFailed, ModelRefused

LARGEST_FILE = 1 << 30  # bytes
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_DTYPES: dict[int, DataType] = {
    TensorProto.FLOAT: DataType.FLOAT32,
    TensorProto.DOUBLE: DataType.FLOAT64,
    TensorProto.INT32: DataType.INT32,
    TensorProto.INT64: DataType.INT64,
    TensorProto.BOOL: DataType.BOOL,
    TensorProto.STRING: DataType.STRING,
}


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A loaded model: what it asks for, and its answers."""

    signature: Signature
    session: Any

    def predict(self, batch: Batch, *, rows_at_once: int = 4096) -> Batch:
        """Answer each row; columns that the model does not ask for are left aside.

        Raises:
            ModelFailed: a column is missing or has another type or shape, or onnxruntime cannot compute a row.
        """
        asked = {tensor.name: _column(tensor, batch) for tensor in self.signature.inputs}
        starts = range(0, max(1, rows_in(asked)), rows_at_once)
        parts = [self._answer(take(asked, slice(start, start + rows_at_once))) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def answers_if_any(self, batch: Batch) -> Batch | None:
        """The same; None where it answers none of them."""
        try:
            return self.predict(batch)
        except ModelFailed:
            return None

    def _answer(self, rows: Batch) -> Batch:
        names = [tensor.name for tensor in self.signature.outputs]
        try:
            answers = self.session.run(names, rows)
        except Exception as error:  # onnxruntime's errors have no common class but this one
            raise ModelFailed(
                f"the ONNX model cannot answer these rows: {_first_line(error)}",
                mend="ask the source for the same rows; where it answers, the conversion is at fault",
            ) from error
        for name, answer in zip(names, answers, strict=True):
            if answer.shape[:1] != (rows_in(rows),):
                raise ModelFailed(
                    f"the ONNX model answers {rows_in(rows)} rows with `{name}` of shape {list(answer.shape)}",
                    mend="give the output one entry a row, along its first axis",
                )
        return dict(zip(names, answers, strict=True))


def version() -> str:
    """Of onnxruntime, as a page tells it."""
    return str(onnxruntime.__version__)


def open_model(path: Path, *, optimise: bool = True) -> OnnxModel:
    """Check the file and load it; `optimise=False` switches onnxruntime's rewriting of the graph off.

    Raises:
        ModelRefused: it is no ONNX file, asks for more than a model may have, or onnxruntime cannot load it.
    """
    _refuse_others(path, _parsed(path))
    _refuse_invalid(path)
    graph = _without_weights(path, _parsed(path))
    try:
        session = onnxruntime.InferenceSession(
            str(path), session_options(optimise=optimise), providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no common class but this one
        raise ModelRefused(
            f"onnxruntime {onnxruntime.__version__} cannot load {path}: {_first_line(error)}",
            mend="convert the model again, or for an older opset",
        ) from error
    return OnnxModel(_signature(path, graph), session)


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ModelRefused(
                f"{path} has {size:,} bytes; at most {LARGEST_FILE:,} are read", mend="make the model smaller"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error}", mend="convert the model again") from error


def _parsed(path: Path) -> ModelProto:
    """Nobody keeps it: with what comes next, a model would be in memory three times and more."""
    try:
        model = ModelProto()
        model.ParseFromString(_content(path))
    except DecodeError as error:
        raise ModelRefused(f"{path} is no ONNX file: {error}", mend="convert the model again") from error
    return model


def _refuse_others(path: Path, model: ModelProto) -> None:
    """Say no to operators that are not ONNX's, and to files besides this one."""
    nodes = [*_nodes(model.graph), *(node for function in model.functions for node in _with_bodies(function.node))]
    own = {(function.domain, function.name) for function in model.functions}
    asked = {node.domain for node in nodes if (node.domain, node.op_type) not in own}
    asked |= {entry.domain for entry in model.opset_import} - {domain for domain, _ in own}
    if foreign := sorted(asked - {*_DOMAINS}):
        raise ModelRefused(
            f"{path} asks for operators of {', '.join(foreign)}; only those of ONNX itself are served",
            mend="convert the model without custom operators",
        )
    if outside := next((tensor for tensor in _tensors(model.graph, nodes) if _is_outside(tensor)), None):
        raise ModelRefused(
            f"{path} keeps its weights `{outside.name}` in another file",
            mend="save the model as one file (onnx.save with save_as_external_data=False)",
        )


def _refuse_invalid(path: Path) -> None:
    try:
        checker.check_model(_content(path))
    except checker.ValidationError as error:
        raise ModelRefused(f"{path} is no valid ONNX: {_first_line(error)}", mend="convert the model again") from error


def _without_weights(path: Path, model: ModelProto) -> GraphProto:
    """What the model takes and answers, where no value inside of it is too large."""
    onnx_sizes.refuse_huge(path, model)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [info for info in model.graph.input if info.name not in constants]
    return GraphProto(input=inputs, output=model.graph.output)


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    return _with_bodies(graph.node)


def _with_bodies(nodes: Any) -> Iterator[NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for body in _bodies(attribute):
                yield from _nodes(body)


def _bodies(attribute: AttributeProto) -> list[GraphProto]:
    return [attribute.g, *attribute.graphs] if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) else []


def _tensors(graph: GraphProto, nodes: list[NodeProto]) -> Iterator[TensorProto]:
    attributes = [attribute for node in nodes for attribute in node.attribute]
    for one in (graph, *(body for attribute in attributes for body in _bodies(attribute))):
        yield from one.initializer
        for sparse in one.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)


def _is_outside(tensor: TensorProto) -> bool:
    return tensor.data_location == TensorProto.EXTERNAL or bool(tensor.external_data)


def _signature(path: Path, graph: GraphProto) -> Signature:
    return Signature(
        inputs=tuple(_tensor(path, "input", info) for info in graph.input),
        outputs=tuple(_tensor(path, "output", info) for info in graph.output),
    )


def _tensor(path: Path, kind: str, info: ValueInfoProto) -> Tensor:
    tensor = info.type.tensor_type
    dtype = _DTYPES.get(int(tensor.elem_type))
    if dtype is None:
        raise ModelRefused(
            f"{path}: {kind} `{info.name}` has a type that is not served; served are {', '.join(DataType)}",
            mend="cast it inside the model",
        )
    batch, *rest = tensor.shape.dim or (None,)
    if batch is None or batch.HasField("dim_value") or not all(one.HasField("dim_value") for one in rest):
        raise ModelRefused(
            f"{path}: {kind} `{info.name}` has the shape {_shape(tensor)}; needed is a free first axis, the rows, "
            "and fixed others",
            mend="export the model with a free batch axis and no other free axis",
        )
    return Tensor(name=info.name, dtype=dtype, shape=tuple(one.dim_value for one in rest))


def _shape(tensor: Any) -> str:
    return str([one.dim_value if one.HasField("dim_value") else one.dim_param or "?" for one in tensor.shape.dim])


def _column(tensor: Tensor, batch: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    if tensor.name not in batch:
        raise ModelFailed(
            f"the ONNX model asks for {tensor}, which these rows do not have",
            mend=f"give the rows a column `{tensor.name}`",
        )
    column = batch[tensor.name]
    is_text = tensor.dtype is DataType.STRING
    if column.dtype.kind not in "OU" if is_text else column.dtype != np.dtype(tensor.dtype):
        raise ModelFailed(
            f"the ONNX model asks for {tensor}, these rows have it as {column.dtype}",
            mend=f"give the column `{tensor.name}` the type {tensor.dtype}",
        )
    if column.shape[1:] != tensor.shape:
        raise ModelFailed(
            f"the ONNX model asks for {tensor} of shape {['N', *tensor.shape]}; these rows have {list(column.shape)}",
            mend=f"give the column `{tensor.name}` the declared shape",
        )
    return column.astype(object) if is_text else column


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
