"""Models of a few nodes, written as ONNX text, so that a test shows what its model does."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx.parser

OPSETS = '<ir_version: 9, opset_import: ["" : 17, "ai.onnx.ml" : 3]>'
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
SLOW = """
slow (int64[N] turns) => (int64[N] y)
<int64 most = {1000000000}>
{
    sum = ReduceSum <keepdims = 0> (turns)
    yes = Cast <to = 9> (sum)
    y = Loop (most, yes, turns) <body = turn (int64 i, bool go, int64[N] x) => (bool stay, int64[N] z) {
        stay = Identity (go)
        z = Identity (x)
    }>
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


def echo() -> str:
    inputs, outputs = (
        ", ".join(f"{onnx}{SHAPES.get(name, '[N,1]')} {name}{mark}" for name, onnx in TYPES.items())
        for mark in ("", "_")
    )
    nodes = " ".join(f"{name}_ = Identity ({name})" for name in TYPES)
    return f"echo ({inputs}) => ({outputs}) {{ {nodes} }}"


def write(graph: str, directory: Path) -> None:
    """Write a graph as `model.onnx`."""
    onnx.save(onnx.parser.parse_model(OPSETS + graph), directory / "model.onnx")
