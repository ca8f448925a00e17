"""PyTorch's exported programs, `.pt2`, and modules with example inputs, converted by its own exporter.

What PyTorch loads is a copy without anything that could run code: see `exported_program`. A module is built by code of
the team, which a policy has to allow (see `pytorch_module`), and exported: from there on it goes the same way, but for
its answers, which it gives itself. PyTorch is imported inside the functions that need it: it is installed in an
environment of its own only, hence `Any`.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module, metadata
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from slipway.converters import exported_program, pytorch_module
from slipway.converters.framed import Answer, framed
from slipway.converters.job import Column, Job
from slipway.converters.own_names import in_order
from slipway.converters.pytorch_module import first_line
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed, ModelRefused

name = "pytorch"
requirements = "pytorch"
OPSET = 18
_ENDING = ".pt2"
_REFUSALS = (RuntimeError, IndexError, ValueError, KeyError, TypeError, AssertionError, ArithmeticError)
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
_HOW_TO_SAVE = (
    "export the model and save that: torch.export.save(torch.export.export(model.eval(), inputs, dynamic_shapes="
    "{'NAME': {0: torch.export.Dim('batch')}, …}), 'model.pt2'); or save state_dict.pt, module.py and example.npz, as "
    "docs/frameworks.md says"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """`columns` are the inputs and `answers` the outputs, by their places in the program's own order.

    `module` is what is asked: a module of the team itself, else what the program makes of it. `arguments` is how it
    takes its inputs, in the words of PyTorch's trees.
    """

    module: Any
    arguments: Any
    columns: tuple[Column, ...]
    answers: tuple[Answer, ...]
    threads: int = 1


def refuse(job: Job) -> None:
    """Say no to a pickle, to code without a policy, and to an exported program that could do more than compute.

    Raises:
        ModelRefused: it is one of them.
    """
    if pytorch_module.is_one(job.source):
        return pytorch_module.refuse(job)
    pickled = [path.name for path in (job.source, *sorted(job.source.glob("*"))) if path.name.endswith(_PICKLES)]
    if pickled:
        raise ModelRefused(
            f"{pickled[0]} is pickled, or TorchScript: the one runs any code when it is loaded, the other any operator",
            mend=_HOW_TO_SAVE,
        )
    exported_program.checked(job.file(_ENDING))
    return None


def load(job: Job) -> Loaded:
    """Load the program for asking; `refuse` comes first.

    Raises:
        ConversionFailed: PyTorch cannot load it, or it is not what model.yaml declares.
    """
    program, module = _to_ask(job)
    columns, answers = _declared(program, job)
    return Loaded(module, program.call_spec.in_spec, columns, answers)


def _to_ask(job: Job) -> tuple[Any, Any]:
    """The program, and what answers for the source."""
    if pytorch_module.is_one(job.source):
        module = pytorch_module.built(job)
        return pytorch_module.exported(module, job), module
    program = _program(job.file(_ENDING))
    return program, program.module(check_guards=False)


def _to_convert(job: Job) -> Any:
    """The program alone: a module of the team goes out of memory before its program comes in."""
    if not pytorch_module.is_one(job.source):
        return _program(job.file(_ENDING))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{pytorch_module.MODULE}, as exported,"
        pytorch_module.export(job, file)
        return _program(file)


def _program(file: Path) -> Any:
    """What PyTorch loads of a copy, which lies in a file: in memory, the weights would be there twice."""
    torch = import_module("torch")
    logging.getLogger("torch").setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as copied:
        _copy(file, copied)
        try:
            return torch.export.load(copied)
        except Exception as error:  # whatever PyTorch's parser stumbles over
            raise ConversionFailed(
                f"PyTorch cannot load {file.name}: {first_line(error)}",
                mend=f"use the version in requirements/pytorch.txt, and {_HOW_TO_SAVE}",
            ) from error


def _copy(file: Path, copied: IO[bytes]) -> None:
    """Write anew the parts that were checked."""
    records = exported_program.checked(file)
    with import_module("torch.export.pt2_archive._package").PT2ArchiveWriter(copied) as writer:
        for record in sorted(records):
            writer.write_bytes(record, records.pop(record))  # out of memory once it is written
    copied.seek(0)


def _declared(program: Any, job: Job) -> tuple[tuple[Column, ...], tuple[Answer, ...]]:
    """Inputs in the program's order, and outputs in that of model.yaml with their places in the program's."""
    inputs = [
        (spec.arg.name, _value(program, spec.arg.name)) for spec in _of_users(program.graph_signature.input_specs)
    ]
    outputs = [spec.arg.name for spec in _of_users(program.graph_signature.output_specs)]
    columns = in_order("inputs", [own for own, _ in inputs], job.inputs)
    for column, (own, value) in zip(columns, inputs, strict=True):
        _refuse_input(column, own, value)
    answers = in_order("outputs", _named_outputs(program, outputs), job.outputs)
    for column, own in zip(answers, outputs, strict=True):
        _refuse_output(column, _value(program, own))
    return columns, tuple(Answer(column, position=answers.index(column)) for column in job.outputs)


def _of_users(specs: Sequence[Any]) -> list[Any]:
    return [spec for spec in specs if spec.kind.name in ("USER_INPUT", "USER_OUTPUT")]


def _value(program: Any, own: str) -> Any:
    """What is known of a value: its dtype and shape, free axes being symbols."""
    return next((node.meta.get("val") for node in program.graph.nodes if node.name == own), None)


def _named_outputs(program: Any, outputs: Sequence[str]) -> list[str]:
    """The keys of a dictionary, where the program answers with one; else the names of the values."""
    spec = program.call_spec.out_spec
    return [str(key) for key in spec.context] if spec.type is dict else list(outputs)


def _refuse_input(column: Column, own: str, value: Any) -> None:
    sizes = list(getattr(value, "shape", ()))
    has = f"{_dtype(value)}[{', '.join(str(size) for size in sizes)}]"
    if not sizes or isinstance(sizes[0], int):
        raise ConversionFailed(
            f"the first axis of `{own}` is not free: the program has {has}",
            mend=f"export it with a free batch: dynamic_shapes={{'{own}': {{0: torch.export.Dim('batch')}}, …}}",
        )
    fixed = [size if isinstance(size, int) else None for size in sizes[1:]]
    if _dtype(value) != column.dtype or fixed != list(column.shape):
        raise ConversionFailed(
            f"the program has `{own}` as {has}; declared is {column.dtype}{['N', *column.shape]}".replace("'N'", "N"),
            mend="declare dtype and shape in model.yaml as the program has them; only the first axis may be free",
        )


def _refuse_output(column: Column, value: Any) -> None:
    sizes = list(getattr(value, "shape", ()))
    fixed = [size for size in sizes[1:] if isinstance(size, int)]
    if not sizes or isinstance(sizes[0], int) or len(fixed) < len(sizes) - 1 or np.prod(fixed) != column.width:
        raise ConversionFailed(
            f"the program answers `{column.name}` in the shape [{', '.join(str(size) for size in sizes)}]; declared is "
            f"{['N', *column.shape]}".replace("'N'", "N"),
            mend="answer with an entry a row along the first axis, and declare the rest as `shape` in model.yaml",
        )
    if _dtype(value) != column.dtype:
        raise ConversionFailed(
            f"the program answers `{column.name}` as {_dtype(value)}; declared is {column.dtype}",
            mend="declare the dtype in model.yaml as the program has it",
        )


def _dtype(value: Any) -> str:
    return str(getattr(value, "dtype", "no tensor")).removeprefix("torch.")


def with_threads(loaded: Loaded, threads: int) -> Loaded:
    """The same program, to be asked with so many threads."""
    return replace(loaded, threads=threads)


def predict(loaded: Loaded, batch: Batch) -> Batch:
    """Ask the source itself.

    Raises:
        ValueError: the source refused a row of the batch.
    """
    torch, trees = import_module("torch"), import_module("torch.utils._pytree")
    torch.set_num_threads(loaded.threads)
    tensors = [torch.from_numpy(np.ascontiguousarray(batch[column.name])) for column in loaded.columns]
    arguments, named = trees.tree_unflatten(tensors, loaded.arguments)
    try:
        with torch.inference_mode():
            found, _ = trees.tree_flatten(loaded.module(*arguments, **named))
    except _REFUSALS as error:
        raise ValueError(first_line(error)) from error
    return {answer.column.name: _array(found[answer.position], answer.column) for answer in loaded.answers}


def _array(tensor: Any, column: Column) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.numpy()
    return array.reshape(len(array), *column.shape)


def to_onnx(job: Job) -> ModelProto:
    """Convert the program, with a free batch.

    Raises:
        ConversionFailed: PyTorch's exporter does not know a part of it.
    """
    torch, program = import_module("torch"), _to_convert(job)
    columns, answers = _declared(program, job)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exported = torch.onnx.export(program, dynamo=True, opset_version=OPSET, verbose=False)
        except Exception as error:  # its errors have no common class but this one
            raise ConversionFailed(
                f"PyTorch cannot convert the program to ONNX: {first_line(error)}",
                mend="replace the part that it names, or compute it before the model",
            ) from error
    proto = exported.model_proto
    for value in exported.model.graph.initializers.values():
        value.const_value = None  # rules of onnxscript keep the last graph, and with it all weights
    return framed(proto, answers, inputs=columns)


def tools() -> dict[str, str]:
    """Versions of what may change the result."""
    return {package: metadata.version(package) for package in ("onnx", "onnxscript", "torch")}
