"""Listen where hostile sources call, and let the scripts of this folder try all of theirs in one process each."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from slipway.adapters.processes import environments

ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Attempts:
    """What was said, a case; `called` and `called_by_controls` are the cases whose payload reached its socket."""

    told: dict[str, Any]
    touched: list[str]
    called: list[str]
    called_by_controls: list[str]


def attempted(script: str, group: str | None, shared: Path) -> Attempts:
    """Run a script of this folder once a session, in the environment `group`, or in ours, without any sandbox."""
    folder = shared / f"hostile-{script}"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "all.json").exists():
            folder.mkdir()
            (folder / "all.json").write_text(json.dumps(_attempt(script, group, folder)))
    return Attempts(**json.loads((folder / "all.json").read_text()))


def _attempt(script: str, group: str | None, folder: Path) -> dict[str, Any]:
    requirements = ROOT / "requirements" / f"{group}.txt"
    python = environments.environment_for(group, requirements=requirements) if group else Path(sys.executable)
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as ours,
        socket.create_server(("127.0.0.1", 0), backlog=100) as theirs,
    ):
        job = {"folder": str(folder), "port": ours.getsockname()[1], "control_port": theirs.getsockname()[1]}
        (folder / "job.json").write_text(json.dumps({**job, "result": str(folder / "result.json")}))
        subprocess.run(
            [python, "-P", Path(__file__).with_name(f"{script}.py"), folder / "job.json"],
            env={
                "PATH": os.defpath,
                "PYTHONPATH": f"{ROOT / 'scripts'}:{Path(__file__).parent}",
                "HOME": str(folder),
                "OMP_NUM_THREADS": "1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            cwd=folder,
            check=True,
            timeout=280,
        )
        result = json.loads((folder / "result.json").read_text())
        return {**result, "called": _callers(ours), "called_by_controls": _callers(theirs)}


def _callers(server: socket.socket) -> list[str]:
    server.settimeout(0.2)
    names = []
    while True:
        try:
            with server.accept()[0] as call:
                names.append(call.recv(200).decode())
        except TimeoutError:
            return sorted(names)


@pytest.fixture(scope="session")
def scikit_learn_attempts(shared: Path) -> Attempts:
    return attempted("scikit_learn_attacks", "scikit-learn", shared)


@pytest.fixture(scope="session")
def boosters_attempts(shared: Path) -> Attempts:
    return attempted("boosters_attacks", "boosters", shared)


@pytest.fixture(scope="session")
def onnx_attempts(shared: Path) -> Attempts:
    return attempted("onnx_attacks", None, shared)


@pytest.fixture(scope="session")
def tensorflow_attempts(shared: Path) -> Attempts:
    return attempted("tensorflow_attacks", "tensorflow", shared)


@pytest.fixture(scope="session")
def pytorch_attempts(shared: Path) -> Attempts:
    return attempted("pytorch_attacks", "pytorch", shared)
