"""Hostile exported programs, and modules with example inputs; runs in the environment of PyTorch."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytorch_module_attacks
import torch
from attempts_for_tests import Case, Exec, Payload, attempt_parts, main
from slipway.converters import pytorch
from slipway.converters.job import Column

COLUMNS = (Column("x", "float32", (3,)),)
_BATCH = {"x": {0: torch.export.Dim("batch")}}


class Sum(torch.nn.Module):  # type: ignore[misc]  # PyTorch is not installed here
    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.nn.Linear(3, 1)

    def forward(self, x: Any) -> dict[str, Any]:
        return {"p": self.weights(x)}


def _content() -> bytes:
    saved = io.BytesIO()
    torch.export.save(torch.export.export(Sum().eval(), (torch.zeros(2, 3),), dynamic_shapes=_BATCH), saved)
    return saved.getvalue()


GOOD = _content()


def good(folder: Path) -> None:
    (folder / "model.pt2").write_bytes(GOOD)


def with_entries(change: Callable[[dict[str, bytes], Payload], object]) -> Callable[[Path, Payload], None]:
    """The archive with other entries, known by what follows the archive's own name."""

    def write(folder: Path, payload: Payload) -> None:
        with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
            first = archive.namelist()[0].partition("/")[0]
            entries = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        change(entries, payload)
        with zipfile.ZipFile(folder / "model.pt2", "w") as archive:
            for name, content in entries.items():
                archive.writestr(f"{first}/{name}", content)

    return write


def with_program(change: Callable[[Any, Payload], object]) -> Callable[[Path, Payload], None]:
    def write(entries: dict[str, bytes], payload: Payload) -> None:
        program = json.loads(entries["models/model.json"])
        change(program, payload)
        entries["models/model.json"] = json.dumps(program).encode()

    return with_entries(write)


def _nodes(program: Any) -> Any:
    return program["graph_module"]["graph"]["nodes"]


def examples(entries: dict[str, bytes], payload: Payload) -> None:
    saved = io.BytesIO()
    torch.save((Exec(payload.code),), saved)
    entries["data/sample_inputs/model.pt"] = saved.getvalue()


def loaded_examples(folder: Path) -> object:
    with zipfile.ZipFile(folder / "model.pt2") as archive:
        name = next(one for one in archive.namelist() if one.endswith("sample_inputs/model.pt"))
        return torch.load(io.BytesIO(archive.read(name)), weights_only=False)


def operator(target: str) -> Callable[[Any, Payload], object]:
    return lambda program, _: _nodes(program)[-1].update(target=target)


def expression(program: Any, payload: Payload) -> None:
    values = program["graph_module"]["graph"]["sym_int_values"]
    values["s0"] = {"as_expr": {"expr_str": f"exec({payload.code!r})", "hint": None}}


def appended(name: str, **attributes: int) -> Callable[[Path, Payload], None]:
    def write(folder: Path, _: Payload) -> None:
        good(folder)
        with zipfile.ZipFile(folder / "model.pt2", "a") as archive:
            first = archive.namelist()[0].partition("/")[0]
            archive.writestr(f"{first}/{name}", b"x")
            for attribute, value in attributes.items():
                setattr(archive.filelist[-1], attribute, value)

    return write


def link_out(folder: Path, _: Payload) -> None:
    good(folder.parent)
    (folder / "model.pt2").symlink_to(folder.parent / "model.pt2")


def pickled(name: str) -> Case:
    return Case(
        lambda folder, payload: torch.save(Exec(payload.code), folder / name),
        control=lambda folder: torch.load(folder / name, weights_only=False),
        twin=good,
    )


CASES: dict[str, Case] = {
    "a pickle": pickled("model.pt"),
    "a pickle called pt2": pickled("model.pt2"),
    "an old pickle called pt2": Case(
        lambda folder, payload: (folder / "model.pt2").write_bytes(pickle.dumps(Exec(payload.code))),
        control=lambda folder: pickle.loads((folder / "model.pt2").read_bytes()),
        twin=good,
    ),
    "an operator of Python": Case(with_program(operator("torch.load")), twin=good),
    "an operator that reads files": Case(with_program(operator("torch.ops.aten.from_file.default")), twin=good),
    "an operator of os": Case(with_program(operator("os.system")), twin=good),
    "an expression that is code": Case(with_program(expression), twin=good),
    "nested without end": Case(
        with_entries(
            lambda entries, _: entries.update({"models/model.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000})
        ),
        twin=good,
    ),
    "an object more": Case(appended("data/constants/custom_obj_0"), twin=good),
    "a library more": Case(appended("data/aotinductor/model/code.so"), twin=good),
    "a way out": Case(appended("../../planted"), twin=good),
    "a second program": Case(appended("models/model.json"), twin=good),
    "a bomb": Case(appended("data/weights/weight_9", file_size=5 << 30), twin=good),
    "a pipe": Case(lambda folder, _: os.mkfifo(folder / "model.pt2"), twin=good),
    "a link out": Case(
        link_out,
        twin=good,
    ),
    "examples that are pickled code": Case(with_entries(examples), control=loaded_examples, twin=good),
}


def attempts(job: Mapping[str, Any]) -> dict[str, Any]:
    parts = {
        "exported program": (pytorch, CASES),
        "module": (pytorch, pytorch_module_attacks.cases(without_code=good)),
    }
    said: dict[str, Any] = attempt_parts(parts, job, columns=COLUMNS)
    return said


if __name__ == "__main__":
    main(attempts)
