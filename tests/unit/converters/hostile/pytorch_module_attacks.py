"""Hostile modules of PyTorch with example inputs; imported by `pytorch_attacks`, in the environment of PyTorch.

Where a policy allows the code, it may run, and only the sandbox holds it: see `test_hostile_modules`. So here all but
the first are about what lies beside the code, which must be refused before the code runs.
"""

from __future__ import annotations

import io
import os
import pickle
import runpy
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attempts_for_tests import Case, Exec, Payload
from slipway.converters.job import Trust

CODE = "import torch\ndef module():\n    return torch.nn.Linear(3, 1)\n"
ALLOWED = Trust(python=True)


def good(folder: Path) -> None:
    torch.manual_seed(1)
    (folder / "module.py").write_text(CODE)
    torch.save(torch.nn.Linear(3, 1).state_dict(), folder / "state_dict.pt")
    np.savez(folder / "example.npz", x=np.ones((2, 3), np.float32))


def code(text: str = "{payload}") -> Callable[[Path, Payload], None]:
    def write(folder: Path, payload: Payload) -> None:
        good(folder)
        (folder / "module.py").write_text(f"{text.format(payload=payload.code)}\n{CODE}")

    return write


def changed(name: str, change: Callable[[Path, Payload], object]) -> Callable[[Path, Payload], None]:
    """Good but for one file, and code that would tell if it ran."""

    def write(folder: Path, payload: Payload) -> None:
        code()(folder, payload)
        change(folder / name, payload)

    return write


def weights(**change: bytes) -> Callable[[Path, Payload], object]:
    """The pickle inside of the archive with other words."""

    def write(file: Path, _: Payload) -> None:
        with zipfile.ZipFile(file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in parts.items():
                new = content.replace(change["old"], change["new"], 1) if name.endswith("data.pkl") else content
                assert name.endswith("data.pkl") is (new != content)
                archive.writestr(name, new)

    return write


def appended(name: str, **attributes: int) -> Callable[[Path, Payload], object]:
    def write(file: Path, _: Payload) -> None:
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(name, b"x")
            for attribute, value in attributes.items():
                setattr(archive.filelist[-1], attribute, value)

    return write


def link_out(file: Path, payload: Payload) -> None:
    outside = file.parent.parent / f"other {file.name}"
    file.rename(outside)
    file.symlink_to(outside)


def pipe(file: Path, _: Payload) -> None:
    file.unlink()
    os.mkfifo(file)


def scripted(file: Path, _: Payload) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(3, 1)), file)


def examples(file: Path, payload: Payload) -> None:
    np.savez(file, x=np.array([Exec(payload.code)], dtype=object))


def endless_examples(file: Path, _: Payload) -> None:
    """17 TB by its header, and nothing behind it."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 42, 3)})
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", header.getvalue())


def run(folder: Path) -> object:
    return runpy.run_path(str(folder / "module.py"))


def run_with_all_paths(folder: Path) -> object:
    sys.path.append(str(folder.parent))
    try:
        return run(folder)
    finally:
        sys.path.remove(str(folder.parent))


def unpickled(folder: Path) -> object:
    return torch.load(folder / "state_dict.pt", weights_only=False)


def outside(folder: Path, payload: Payload) -> None:
    good(folder)
    (folder.parent / "outside.py").write_text(payload.code)
    (folder / "module.py").write_text(f"import outside\n{CODE}")


def _attack(name: str, change: Callable[[Path, Payload], object], **more: Any) -> Case:
    return Case(changed(name, change), twin=good, trust=ALLOWED, **more)


_SIZE, _LARGE = b"K\x03\x86", b"\x8a\x07" + (1 << 42).to_bytes(7, "little") + b"\x86"
_NUMBER, _MANY = b"K\x03tq", b"\x8a\x07" + (1 << 42).to_bytes(7, "little") + b"tq"


def cases(*, without_code: Callable[[Path], object]) -> dict[str, Case]:
    """The twin of code without a policy is the same model `without_code`."""
    return {
        "code without a policy": Case(code(), control=run, twin=without_code),
        "code that allows pickles alone": Case(code(), control=run, twin=without_code, trust=Trust(pickle=True)),
        "code in a file outside": Case(outside, control=run_with_all_paths, twin=good, trust=ALLOWED),
        "code that is a link out": _attack("module.py", link_out, control=run),
        "code that is no text": _attack("module.py", lambda file, _: file.write_bytes(file.read_bytes() + b"\xff")),
        "weights that are pickled code": _attack(
            "state_dict.pt", lambda file, payload: torch.save(Exec(payload.code), file), control=unpickled
        ),
        "weights that are an old pickle": _attack(
            "state_dict.pt",
            lambda file, payload: file.write_bytes(pickle.dumps(Exec(payload.code))),
            control=lambda folder: pickle.loads((folder / "state_dict.pt").read_bytes()),
        ),
        "weights that are a program": _attack("state_dict.pt", scripted),
        "weights of another kind of object": _attack(
            "state_dict.pt", weights(old=b"ctorch._utils\n_rebuild_tensor_v2", new=b"cos\nsystem")
        ),
        "weights of 17 TB": _attack("state_dict.pt", weights(old=_SIZE, new=_LARGE)),
        "weights in a store of 17 TB": _attack("state_dict.pt", weights(old=_NUMBER, new=_MANY)),
        "weights that are a bomb": _attack("state_dict.pt", appended("archive/data/9", file_size=5 << 30)),
        "weights with a way out": _attack("state_dict.pt", appended("../../planted")),
        "weights that are a link out": _attack("state_dict.pt", link_out),
        "weights that are a pipe": _attack("state_dict.pt", pipe),
        "examples that are pickled": _attack(
            "example.npz",
            examples,
            control=lambda folder: np.load(folder / "example.npz", allow_pickle=True)["x"],
        ),
        "examples of 17 TB": _attack("example.npz", endless_examples),
        "examples that are a bomb": _attack("example.npz", appended("y.npy", file_size=5 << 30)),
    }
