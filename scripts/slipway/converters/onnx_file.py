"""Models that are ONNX already: served as they are, in the canonical form.

The source is the file as it came, run by onnxruntime with its rewriting of the graph switched off. What is served is
run with all of it, so that the comparison of both says something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from onnx import ModelProto, ValueInfoProto

from slipway.converters.by_content import public_name
from slipway.converters.framed import ELEMENTS
from slipway.converters.job import Column, Job
from slipway.converters.whole_onnx import file_of, first_line, whole
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed

name = "onnx"
requirements = "onnx"


@dataclass(frozen=True, slots=True)
class Loaded:
    """`inputs` and `outputs` are the model's own names, by the declared ones."""

    session: Any
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def refuse(job: Job) -> None:
    """Say no to a file that onnxruntime would not load, or that reads files of others: see `whole`."""
    whole(job)


def to_onnx(job: Job) -> ModelProto:
    """The model itself, without outputs that nobody declares.

    Raises:
        ConversionFailed: an input or an output is another one than declared.
    """
    model = whole(job)
    _declared_inputs(job, model)
    outputs = _declared_outputs(job, model)
    model.graph.ClearField("output")
    model.graph.output.extend(outputs.values())
    return model


def _declared_inputs(job: Job, model: ModelProto) -> dict[str, ValueInfoProto]:
    constants = {tensor.name for tensor in model.graph.initializer}
    found = {public_name(info.name): info for info in model.graph.input if info.name not in constants}
    if unknown := sorted(set(found) - {column.name for column in job.inputs}):
        raise ConversionFailed(
            f"the model asks for {', '.join(unknown)}, which is not declared",
            mend="declare it under `inputs` in model.yaml, and give the samples such a column",
        )
    return _held_against(found, job.inputs, "inputs")


def _declared_outputs(job: Job, model: ModelProto) -> dict[str, ValueInfoProto]:
    return _held_against({public_name(info.name): info for info in model.graph.output}, job.outputs, "outputs")


def _held_against(
    found: Mapping[str, ValueInfoProto], declared: Sequence[Column], kind: str
) -> dict[str, ValueInfoProto]:
    for column in declared:
        if column.name not in found:
            raise ConversionFailed(
                f"the model has no `{column.name}` among its {kind}: {', '.join(found) or 'none'}",
                mend=f"declare the {kind} in model.yaml by the names that the model has",
            )
        _refuse_type(found[column.name], column)
    return {column.name: found[column.name] for column in declared}


def _refuse_type(info: ValueInfoProto, column: Column) -> None:
    tensor = info.type.tensor_type
    batch, *rest = [one.dim_value if one.HasField("dim_value") else None for one in tensor.shape.dim] or [0]
    has, declared = _as_text(tensor), f"{column.dtype}{['N', *column.shape]}".replace("'", "")
    if batch is not None:
        raise ConversionFailed(
            f"the first axis of `{column.name}` is not free: the model has {has}",
            mend="export the model with a free batch as the first axis of each input and output",
        )
    if tensor.elem_type != ELEMENTS[column.dtype] or tuple(rest) != column.shape:
        raise ConversionFailed(
            f"the model has `{column.name}` as {has}; declared is {declared}",
            mend="declare dtype and shape in model.yaml as the model has them; of its axes, only the first may be free",
        )


def _as_text(tensor: Any) -> str:
    dtype = next((own for own, element in ELEMENTS.items() if element == tensor.elem_type), "of another type, ")
    axes = [str(one.dim_value) if one.HasField("dim_value") else one.dim_param or "?" for one in tensor.shape.dim]
    return f"{dtype}[{', '.join(axes)}]"


def load(job: Job) -> Loaded:
    """Load the file as it came, for asking.

    Raises:
        ConversionFailed: onnxruntime cannot load it, or it is not what model.yaml declares.
    """
    inputs, outputs = _own_names(job, whole(job))
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # only what ends the process: all else is raised
    try:
        session = onnxruntime.InferenceSession(str(file_of(job)), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class but this one
        raise ConversionFailed(
            f"onnxruntime cannot load {job.source.name}: {first_line(error)}",
            mend="export the model again, or for an older opset",
        ) from error
    return Loaded(session, inputs, outputs)


def _own_names(job: Job, model: ModelProto) -> tuple[dict[str, str], dict[str, str]]:
    inputs, outputs = (
        {declared: info.name for declared, info in found.items()}
        for found in (_declared_inputs(job, model), _declared_outputs(job, model))
    )
    return inputs, outputs


def predict(loaded: Loaded, batch: Batch) -> Batch:
    """Ask the source itself.

    Raises:
        ValueError: the source refused a row of the batch.
    """
    asked = {own: batch[declared] for declared, own in loaded.inputs.items()}
    try:
        answers = loaded.session.run(list(loaded.outputs.values()), asked)
    except Exception as error:  # onnxruntime's errors have no common class but this one
        raise ValueError(first_line(error)) from error
    return dict(zip(loaded.outputs, answers, strict=True))


def tools() -> dict[str, str]:
    """Versions of what may change the result."""
    return {package: metadata.version(package) for package in ("onnx", "onnxruntime")}
