"""The servers that are compared: what each installs, how it is started, and in which words it is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.servers import questions
from tests.benchmarks.servers.questions import Question

_ROOT = Path(__file__).resolve().parents[3]
_ADAPTERS = Path(__file__).parent / "adapters"
_V2 = "/v2/models/bench/infer"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server runs: its environment's programs, a folder of its own, the ONNX file and the port."""

    programs: Path
    folder: Path
    model: Path
    port: int


@dataclass(frozen=True, slots=True)
class Peer:
    """One server; `prepare` writes what it needs beside the model and gives its command."""

    name: str
    installs: tuple[str, ...]  # arguments of `pip install`
    distributions: tuple[str, ...]  # whose versions are told
    path: str
    ask: Callable[[np.ndarray[Any, Any]], Question]
    prepare: Callable[[Place], Sequence[str]]
    environment: Mapping[str, str]
    binary: bool = False  # whether it knows the protocol's binary tensors


def _slipway(place: Place, *options: str) -> Sequence[str]:
    shutil.copy(place.model, place.folder / "model.onnx")
    served = ("--model-directory", str(place.folder), "--name", "bench", "--model-version", "v1.0.0")
    return [str(place.programs / "python"), "-m", "serving", *served, "--port", str(place.port), *options]


def _mlserver(place: Place) -> Sequence[str]:
    shutil.copy(_ADAPTERS / "mlserver_adapter.py", place.folder)
    model = {"name": "bench", "implementation": "mlserver_adapter.OnnxModel", "parameters": {"uri": str(place.model)}}
    settings = {
        "parallel_workers": 0,
        "host": "127.0.0.1",
        "http_port": place.port,
        "grpc_port": place.port + 1,
        "metrics_port": place.port + 2,
        "debug": False,
    }
    (place.folder / "model-settings.json").write_text(json.dumps(model))
    (place.folder / "settings.json").write_text(json.dumps(settings))
    return [str(place.programs / "mlserver"), "start", str(place.folder)]


def _script(name: str) -> Callable[[Place], Sequence[str]]:
    return lambda place: [str(place.programs / "python"), str(_ADAPTERS / name)]


def _bentoml(place: Place) -> Sequence[str]:
    shutil.copy(_ADAPTERS / "bentoml_adapter.py", place.folder)
    where = ("--host", "127.0.0.1", "--port", str(place.port), "--working-dir", str(place.folder))
    return [str(place.programs / "bentoml"), "serve", "bentoml_adapter:OnnxService", *where]


def _mlflow(place: Place) -> Sequence[str]:
    model = place.folder / "mlflow-model"
    if not model.exists():
        writer = [str(place.programs / "python"), str(_ADAPTERS / "mlflow_model.py"), str(place.model), str(model)]
        subprocess.run(writer, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **_QUIET})
    where = ("--host", "127.0.0.1", "--port", str(place.port), "--workers", "1", "--env-manager", "local")
    return [str(place.programs / "mlflow"), "models", "serve", "--model-uri", str(model), *where]


_QUIET = {  # nothing is sent from here
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "true",
    "BENTOML_CONFIG_OPTIONS": "api_server.logging.access.enabled=false",
    "LIT_LITSERVE_DISABLE_TELEMETRY": "1",
}
_OURS = {"PYTHONPATH": f"{_ROOT}:{_ROOT / 'scripts'}"}
_LOCKED = ("--require-hashes", "--requirement", str(_ROOT / "requirements" / "serving.txt"))
PEERS = (
    Peer(
        name="Slipway",
        installs=_LOCKED,
        distributions=("uvicorn", "onnxruntime"),
        path=_V2,
        ask=questions.in_protocol_v2,
        prepare=_slipway,
        environment=_OURS,
        binary=True,
    ),
    Peer(
        name="Slipway, with its served log",
        installs=_LOCKED,
        distributions=("uvicorn", "onnxruntime"),
        path=_V2,
        ask=questions.in_protocol_v2,
        prepare=lambda place: _slipway(place, "--served-log", str(place.folder / "served")),
        environment=_OURS,
        binary=True,
    ),
    Peer(
        name="MLServer",
        installs=("mlserver", "uvloop<0.22", "onnxruntime"),  # with a newer uvloop, its workers end at once
        distributions=("mlserver", "onnxruntime"),
        path=_V2,
        ask=questions.in_protocol_v2,
        prepare=_mlserver,
        environment={},
    ),
    Peer(
        name="KServe",
        installs=("kserve", "onnxruntime"),
        distributions=("kserve", "onnxruntime"),
        path=_V2,
        ask=questions.in_protocol_v2,
        prepare=_script("kserve_adapter.py"),
        environment={},
        binary=True,
    ),
    Peer(
        name="LitServe",
        installs=("litserve", "onnxruntime"),
        distributions=("litserve", "onnxruntime"),
        path="/predict",
        ask=questions.in_rows,
        prepare=_script("litserve_adapter.py"),
        environment={},
    ),
    Peer(
        name="BentoML",
        installs=("bentoml", "onnxruntime"),
        distributions=("bentoml", "onnxruntime"),
        path="/infer",
        ask=questions.in_rows,
        prepare=_bentoml,
        environment={},
    ),
    Peer(
        name="MLflow",
        installs=("mlflow", "onnx", "onnxruntime"),
        distributions=("mlflow", "onnxruntime"),
        path="/invocations",
        ask=questions.in_mlflow,
        prepare=_mlflow,
        environment={},
    ),
)


def environment_of(peer: Peer, place: Place) -> dict[str, str]:
    """What its process sees: nothing of this machine but where programs are."""
    return {
        "PATH": f"{place.programs}:/usr/bin:/bin",
        "HOME": str(place.folder),
        "MODEL": str(place.model),
        "PORT": str(place.port),
        "OMP_NUM_THREADS": "1",
        **_QUIET,
        **peer.environment,
    }
