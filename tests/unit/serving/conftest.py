"""Models of a few nodes, written as ONNX text, so that a test shows what its model does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import onnx.parser
import pytest

from serving.inference import Model

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
ECHO = """
echo (float[N,1] FP32, double[N,1] FP64, int32[N,1] INT32, int64[N,2] INT64, bool[N] BOOL, string[N,1] BYTES)
    => (float[N,1] FP32_, double[N,1] FP64_, int32[N,1] INT32_, int64[N,2] INT64_, bool[N] BOOL_, string[N,1] BYTES_)
{
    FP32_ = Identity (FP32)
    FP64_ = Identity (FP64)
    INT32_ = Identity (INT32)
    INT64_ = Identity (INT64)
    BOOL_ = Identity (BOOL)
    BYTES_ = Identity (BYTES)
}
"""
Write = Callable[..., Path]


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
    return Model.load(write_model(ECHO), name="echo", version="v1.0.0")
