"""The models that all servers serve, and one question in the words of each protocol."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser

COLUMNS = 30
_LAYERS = (COLUMNS, 64, 32, 2)
_OPSETS = '<ir_version: 9, opset_import: ["" : 17, "ai.onnx.ml" : 3]>'
_TEXTS = """
texts (string[N,3] x) => (float[N,3] y)
{
    y = ai.onnx.ml.LabelEncoder <
        keys_strings: strings = ["AA", "DL", "HA", "UA"], values_floats: floats = [0.1, 0.2, 0.3, 0.4]
    > (x)
}
"""


@dataclass(frozen=True, slots=True)
class Question:
    """The body of a request; `header_bytes` is the JSON part of a binary one, 0 where all is JSON."""

    body: bytes
    header_bytes: int = 0

    @property
    def content_type(self) -> str:
        return "application/octet-stream" if self.header_bytes else "application/json"


def write_numbers(path: Path) -> None:
    """A dense network, 30 → 64 → 32 → 2, of fixed random weights: 17 KB, and microseconds a row."""
    random = np.random.default_rng(7)
    steps, weights, name = [], [], "x"
    for number, (wide, narrow) in enumerate(pairwise(_LAYERS)):
        weight = (random.standard_normal((wide, narrow)) / np.sqrt(wide)).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(weight, f"weight_{number}"))
        last = number == len(_LAYERS) - 2
        product, after = f"product_{number}", "y" if last else f"layer_{number}"
        steps.append(onnx.helper.make_node("MatMul", [name, f"weight_{number}"], [product]))
        steps.append(onnx.helper.make_node("Sigmoid" if last else "Relu", [product], [after]))
        name = after
    x, y = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", width])
        for name, width in (("x", COLUMNS), ("y", _LAYERS[-1]))
    )
    graph = onnx.helper.make_graph(steps, "numbers", [x], [y], weights)
    onnx.save(onnx.helper.make_model(graph, ir_version=9, opset_imports=[onnx.helper.make_opsetid("", 17)]), path)


def write_texts(path: Path) -> None:
    """Three columns of categories, looked up."""
    onnx.save(onnx.parser.parse_model(_OPSETS + _TEXTS), path)


def numbers(rows: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(rows).standard_normal((rows, COLUMNS)).astype(np.float32)


def texts() -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array([["AA", "UA", "HA"]], dtype=object)


def in_protocol_v2(values: np.ndarray[Any, Any]) -> Question:
    """JSON of the Open Inference Protocol."""
    return Question(json.dumps({"inputs": [_tensor(values) | {"data": values.ravel().tolist()}]}).encode())


def in_binary(values: np.ndarray[Any, Any]) -> Question:
    """The protocol's binary tensors, both ways."""
    raw = values.tobytes()
    head = json.dumps(
        {
            "inputs": [_tensor(values) | {"parameters": {"binary_data_size": len(raw)}}],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
        }
    ).encode()
    return Question(head + raw, len(head))


def in_rows(values: np.ndarray[Any, Any]) -> Question:
    """`{"x": [[…]]}`, for servers without a protocol."""
    return Question(json.dumps({"x": values.tolist()}).encode())


def in_mlflow(values: np.ndarray[Any, Any]) -> Question:
    return Question(json.dumps({"inputs": {"x": values.tolist()}}).encode())


def answer_in(body: bytes, header_bytes: int | None) -> Sequence[float]:
    """The values of output `y` in any of these words, flat."""
    if header_bytes is not None:
        return [float(value) for value in np.frombuffer(body[header_bytes:], dtype="<f4")]
    told = json.loads(body)
    found = told["outputs"][0]["data"] if "outputs" in told else told.get("predictions", told)["y"]
    return [float(value) for value in np.asarray(found, dtype=np.float64).ravel()]


def _tensor(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"name": "x", "datatype": "BYTES" if values.dtype == object else "FP32", "shape": list(values.shape)}
