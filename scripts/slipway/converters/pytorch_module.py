"""A module of PyTorch with example inputs: a Python file that builds it, its weights, and rows to follow it with.

The folder holds `module.py`, whose function `module()` returns the module as it was trained; `state_dict.pt`, written
by `torch.save(module.state_dict(), "state_dict.pt")`; and `example.npz`, an array an input, an entry a row. A Python
file is code that runs, so a policy has to allow it; all that lies beside it is read first, as numbers only.
"""

from __future__ import annotations

import importlib.util
import inspect
import pickle
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from slipway.converters.batches import read_batch
from slipway.converters.job import Column, Job
from slipway.converters.own_names import in_order
from slipway.converters.sources import refuse_archive, refuse_strange_files
from slipway.domain.rows import Batch, rows_in
from slipway.errors import BadFile, ConversionFailed, ModelRefused

MODULE, WEIGHTS, EXAMPLES = "module.py", "state_dict.pt", "example.npz"
_MOST_BYTES = 1 << 30  # of the weights, as of an exported program
_MOST_NAMED = 5
_SAVE_WEIGHTS = f"save the tensors alone: torch.save(module.state_dict(), '{WEIGHTS}')"
_SAVE_EXAMPLES = f"save an array an input under its name in model.yaml: numpy.savez('{EXAMPLES}', NAME=rows, …)"
_RUN_IT = f"let `module()` in {MODULE} return the module, from PyTorch and files of its own folder alone"
_WITHOUT_CODE = (
    "export the model, which needs no code: program = torch.export.export(model.eval(), inputs, dynamic_shapes="
    "{'NAME': {0: torch.export.Dim('batch')}, …}); torch.export.save(program, 'model.pt2')"
)


def is_one(source: Path) -> bool:
    """Whether the folder holds a module, and no exported program, which would need no code."""
    return (source / MODULE).is_file() and not list(source.glob("*.pt2"))


def refuse(job: Job) -> None:
    """Say no to what may do more than the policy allows; the Python file is not run for it.

    Raises:
        ModelRefused: no policy allows its code, or what lies beside it holds more than numbers, or too many.
        ConversionFailed: one of the files is not there.
    """
    refuse_strange_files(job.source)
    if not job.trust.python:
        raise ModelRefused(
            f"{MODULE} is code, which can do anything when it runs",
            mend=f"{_WITHOUT_CODE}; where that cannot be, `python: true` for this model in policies/sources.yaml, "
            "with the reason",
        )
    _refuse_unreadable(job.source / MODULE)
    _weights(job.source)
    _examples(job)


def _refuse_unreadable(file: Path) -> None:
    try:
        compile(file.read_bytes().decode(), file.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ModelRefused(
            f"{file.name} is no Python in UTF-8: {error}", mend=f"save it as such, and {_RUN_IT}"
        ) from error


def built(job: Job) -> Any:
    """Run the Python file: the module with its weights, ready to be asked.

    Raises:
        ConversionFailed: the code failed, its module does not have these weights, or goes on training.
    """
    module = _made(job.source / MODULE)
    _fill(module, _weights(job.source))
    module.eval()
    if training := [name or "all of it" for name, part in module.named_modules() if part.training]:
        raise ConversionFailed(
            f"the module goes on training after `eval()`: {_some(training)}",
            mend="let `train(mode)` of the module and its parts set `self.training = mode`",
        )
    return module


def export(job: Job, file: Path) -> None:
    """Write the module as a program into `file`; nothing of it is left in memory.

    Raises:
        ConversionFailed: as `built` and `exported` say.
    """
    with file.open("wb") as saved:
        import_module("torch").export.save(exported(built(job), job), saved)


def exported(module: Any, job: Job) -> Any:
    """The module as a program with a free batch, followed on its examples.

    Raises:
        ConversionFailed: it refuses them, changes when it is asked, or PyTorch cannot follow it.
    """
    torch = import_module("torch")
    own = _arguments(module, job)
    columns = in_order("inputs", own, job.inputs)
    examples = _examples(job)
    asked = {
        name: torch.from_numpy(_two_rows(examples[column.name])) for name, column in zip(own, columns, strict=True)
    }
    _refuse_changing(module, asked)
    try:
        shapes = {name: {0: torch.export.Dim("batch")} for name in own}
        return torch.export.export(module, (), asked, dynamic_shapes=shapes)
    except Exception as error:  # whatever the code, or what follows it, stumbles over
        raise ConversionFailed(
            f"PyTorch cannot export the module with a free batch: {first_line(error)}",
            mend="choose between values by torch.where instead of `if`, and take the number of rows from x.shape[0]",
        ) from error


def _made(file: Path) -> Any:
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[file.stem] = found = importlib.util.module_from_spec(spec)
        sys.path.append(str(file.parent))  # last: a file of the team's must not be taken for one of PyTorch's
        spec.loader.exec_module(found)
        made = found.module()
    except (Exception, SystemExit) as error:  # it is somebody's code
        raise ConversionFailed(
            f"{file.name} failed: {type(error).__name__}: {first_line(error)}", mend=_RUN_IT
        ) from error
    if not isinstance(made, import_module("torch").nn.Module):
        returned = type(made).__name__
        raise ConversionFailed(
            f"`module()` in {file.name} returned {returned}, which is no torch.nn.Module", mend=_RUN_IT
        )
    return made


def _weights(folder: Path) -> Mapping[str, Any]:
    """The tensors by name, unpickled by PyTorch's reader that makes nothing but tensors."""
    torch, file = import_module("torch"), _there(folder / WEIGHTS, mend=_SAVE_WEIGHTS)
    refuse_archive(file, what="file of torch.save", mend=_SAVE_WEIGHTS, most_bytes=_MOST_BYTES)
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # its words advise to load it without care
        raise ModelRefused(f"{file.name} is pickled, and holds more than tensors", mend=_SAVE_WEIGHTS) from error
    except Exception as error:  # whatever PyTorch's reader stumbles over
        what = "it is TorchScript" if "TorchScript" in str(error) else first_line(error)
        raise ModelRefused(f"PyTorch takes no tensors from {file.name}: {what}", mend=_SAVE_WEIGHTS) from error
    if not isinstance(state, dict) or not all(_is_plain(name, value) for name, value in state.items()):
        raise ModelRefused(f"{file.name} holds other things than plain tensors by their names", mend=_SAVE_WEIGHTS)
    return state


def _is_plain(name: Any, value: Any) -> bool:
    torch = import_module("torch")
    return isinstance(name, str) and isinstance(value, torch.Tensor) and value.layout == torch.strided


def _fill(module: Any, state: Mapping[str, Any]) -> None:
    mend = f"save both from one training: {MODULE} builds what {WEIGHTS} was saved from"
    try:
        differs = module.load_state_dict(state, strict=False)
    except RuntimeError as error:  # a line a tensor of another shape, below a title
        lines = [line.strip() for line in str(error).splitlines()[1:]] or [first_line(error)]
        raise ConversionFailed(f"{WEIGHTS} does not fit the module: {_some(lines)}", mend=mend) from error
    said = {"it lacks": differs.missing_keys, "the module does not know": differs.unexpected_keys}
    if problems := [f"{what} {_some(names)}" for what, names in said.items() if names]:
        raise ConversionFailed(f"{WEIGHTS} does not fit the module: {'; '.join(problems)}", mend=mend)


def _examples(job: Job) -> Batch:
    file = _there(job.source / EXAMPLES, mend=_SAVE_EXAMPLES)
    refuse_archive(file, what="file of numpy.savez", mend=_SAVE_EXAMPLES, most_bytes=_MOST_BYTES)
    try:
        examples = read_batch(file)
    except BadFile as error:
        raise ModelRefused(
            f"{file.name} holds no plain numbers: {first_line(error.__cause__ or error)}", mend=_SAVE_EXAMPLES
        ) from error
    declared = {column.name: column for column in job.inputs}
    if set(examples) != set(declared):
        raise ConversionFailed(
            f"{file.name} holds {', '.join(examples) or 'nothing'}; declared are {', '.join(declared)}",
            mend=_SAVE_EXAMPLES,
        )
    for name, rows in examples.items():
        _refuse_example(declared[name], rows)
    if not rows_in(examples) or len({len(rows) for rows in examples.values()}) > 1:
        raise ConversionFailed(f"{file.name} has no row, or not as many of each input", mend=_SAVE_EXAMPLES)
    return examples


def _refuse_example(column: Column, rows: Any) -> None:
    if str(rows.dtype) != column.dtype or rows.shape[1:] != column.shape:
        raise ConversionFailed(
            f"{EXAMPLES} has `{column.name}` as {rows.dtype}{list(rows.shape)}; declared is "
            f"{column.dtype}[N, {', '.join(str(size) for size in column.shape)}]",
            mend="save the examples in the dtype and shape that model.yaml declares, or declare theirs",
        )


def _two_rows(rows: Any) -> Any:
    """PyTorch takes a batch of one for a constant."""
    return np.ascontiguousarray(rows if len(rows) > 1 else np.concatenate([rows, rows]))


def _arguments(module: Any, job: Job) -> list[str]:
    """What `forward` asks for, and of what it does not have to be told, what is declared."""
    declared = {column.name for column in job.inputs}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = [one for one in inspect.signature(module.forward).parameters.values() if one.kind in named]
    return [one.name for one in arguments if one.default is inspect.Parameter.empty or one.name in declared]


def _refuse_changing(module: Any, asked: Mapping[str, Any]) -> None:
    """A buffer that changes with each question makes answers depend on what was asked before; ONNX has no such."""
    torch = import_module("torch")
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    try:
        with torch.no_grad():
            module(**asked)
    except Exception as error:  # it is somebody's code
        raise ConversionFailed(
            f"the module refuses the rows of {EXAMPLES}: {type(error).__name__}: {first_line(error)}",
            mend="save rows that it answers",
        ) from error
    changed = [name for name, buffer in module.named_buffers() if not torch.equal(buffer, before.get(name, buffer + 1))]
    if changed:
        raise ConversionFailed(
            f"the module changes when it is asked: {_some(changed)}",
            mend="change buffers `if self.training` only; batch_norm and dropout take `training=self.training`",
        )


def _there(file: Path, *, mend: str) -> Path:
    if not file.is_file():
        raise ConversionFailed(f"{file.name} is not there; {MODULE} needs it beside it", mend=mend)
    return file


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
