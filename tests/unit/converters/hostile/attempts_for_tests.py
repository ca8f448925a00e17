"""Try hostile sources, in a process of their framework and without any sandbox: only the refusals stand in the way.

Each case is written twice: once for our entry, which must refuse it, and once for a control, which loads it as one
would without Slipway. A payload touches its canary, a file, and calls a socket; that those of the control do shows that
the silence of the others means something.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.converters import Converter
from slipway.converters.job import Column, Job, Trust
from slipway.errors import SlipwayError


@dataclass(frozen=True)
class Payload:
    """`code` is Python that touches the canary and calls the socket with the name of the case."""

    case: str
    canary: Path
    port: int

    @property
    def code(self) -> str:
        call = f"socket.create_connection(('127.0.0.1', {self.port}), timeout=5).sendall({self.case!r}.encode())"
        return f"__import__('pathlib').Path({str(self.canary)!r}).touch(); import socket; {call}"


@dataclass(frozen=True)
class Case:
    """`write` puts the source into a folder, `control` loads it naively, `twin` writes the same without harm."""

    write: Callable[[Path, Payload], object]
    control: Callable[[Path], object] | None = None
    twin: Callable[[Path], object] | None = None
    trust: Trust | None = None


class Exec:
    """Pickled, it is a call of `exec`."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code, {})


def attempt_all(
    converter: Converter, cases: Mapping[str, Case], job: Mapping[str, Any], *, columns: tuple[Column, ...]
) -> dict[str, Any]:
    """What our entry said of each case and of its twin, and then which controls ran without it."""
    folder = Path(job["folder"])
    told: dict[str, Any] = {}
    outputs = (Column("p", "float32", (1,)),)
    for name, case in cases.items():
        hostile = _written(case, name, folder / "hostile", int(job["port"]))
        told[name] = {"said": _said(converter, Job(hostile, columns, outputs, case.trust or Trust()))}
        if case.twin:
            twin = folder / "twin" / name
            twin.mkdir(parents=True)
            case.twin(twin)
            told[name]["twin"] = _said(converter, Job(twin, columns, outputs, case.trust or Trust()))
    touched = sorted(path.name for path in (folder / "hostile").glob("canary of *"))
    for name, case in cases.items():
        if case.control:
            case_folder = _written(case, name, folder / "control", int(job["control_port"]))
            told[name]["control"] = _naively(case.control, case_folder)
            told[name]["ran"] = (folder / "control" / f"canary of {name}").exists()
    return {"told": told, "touched": touched}


def attempt_parts(
    parts: Mapping[str, tuple[Converter, Mapping[str, Case]]], job: Mapping[str, Any], *, columns: tuple[Column, ...]
) -> dict[str, Any]:
    """As `attempt_all`, for several formats of one environment."""
    said = {
        name: attempt_all(converter, cases, {**job, "folder": f"{job['folder']}/{name}"}, columns=columns)
        for name, (converter, cases) in parts.items()
    }
    told = {f"{name}: {one}": what for name, part in said.items() for one, what in part["told"].items()}
    return {"told": told, "touched": [one for part in said.values() for one in part["touched"]]}


def _written(case: Case, name: str, folder: Path, port: int) -> Path:
    source = folder / name / "source"
    source.mkdir(parents=True)
    case.write(source, Payload(name, folder / f"canary of {name}", port))
    return source


def _said(converter: Converter, job: Job) -> list[str]:
    try:
        converter.refuse(job)
        converter.load(job)
    except SlipwayError as error:
        return [type(error).__name__, error.problem, error.mend]
    return ["passed"]


def _naively(control: Callable[[Path], object], source: Path) -> str:
    try:
        control(source)
    except BaseException as error:  # a payload may end as it likes
        return f"{type(error).__name__}: {error}"
    return "loaded"


def main(attempts: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    Path(job["result"]).write_text(json.dumps(attempts(job)))
