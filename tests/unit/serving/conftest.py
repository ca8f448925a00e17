"""Models of a few nodes, written as ONNX text, so that a test shows what its model does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import onnx.parser
import pytest

from serving.inference import Model
from tests.unit.serving.processes import Server

_OPSETS = '<ir_version: 9, opset_import: ["" : 17, "ai.onnx.ml" : 3]>'
LATE = """
late (float[N,1] hour, string[N,1] carrier) => (float[N,1] p_late, string[N,1] airline)
{
    risk = ai.onnx.ml.LabelEncoder <
        keys_strings: strings = ["AA", "HA"], values_floats: floats = [0.125, 0.25], default_float: float = 0.0
    > (carrier)
    p_late = Add (risk, hour)
    airline = Identity (carrier)
}
"""
TYPES = {  # of the protocol, by ONNX's word for them: all that both have, but BF16
    "FP16": "float16",
    "FP32": "float",
    "FP64": "double",
    **{f"INT{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
    "BYTES": "string",
}
SHAPES = {"INT64": "[N,2]", "BOOL": "[N]"}


def _echo() -> str:
    inputs, outputs = (
        ", ".join(f"{onnx}{SHAPES.get(name, '[N,1]')} {name}{mark}" for name, onnx in TYPES.items())
        for mark in ("", "_")
    )
    nodes = " ".join(f"{name}_ = Identity ({name})" for name in TYPES)
    return f"echo ({inputs}) => ({outputs}) {{ {nodes} }}"


Write = Callable[..., Path]
Start = Callable[..., Server]


@pytest.fixture(scope="session")
def write_model(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a graph as `model.onnx` into a folder of its own."""

    def write(graph: str) -> Path:
        directory = tmp_path_factory.mktemp("model")
        onnx.save(onnx.parser.parse_model(_OPSETS + graph), directory / "model.onnx")
        return directory

    return write


@pytest.fixture(scope="session")
def late_directory(write_model: Write) -> Path:
    return write_model(LATE)


@pytest.fixture(scope="session")
def late(late_directory: Path) -> Model:
    """`p_late` = 0.125 for AA, 0.25 for HA, 0 for others, plus the hour; and the carrier as it came."""
    return Model.load(late_directory, name="flight-delay", version="v1.1.0")


@pytest.fixture(scope="session")
def echo(write_model: Write) -> Model:
    """Gives every datatype back as it came."""
    return Model.load(write_model(_echo()), name="echo", version="v1.0.0")


@pytest.fixture
def start(late_directory: Path) -> Iterator[Start]:
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as directory:  # short paths, for the control sockets

        def run(*options: str) -> Server:
            model = ["--model-directory", str(late_directory), "--name", "flight-delay", "--model-version", "v1.1.0"]
            servers.append(Server(Path(directory) / f"{len(servers)}", [*model, *options]))
            return servers[-1]

        yield run
        for server in servers:
            server.discard()
