"""Take ONNX models of other tools, and one trained here, as sources: runs in the environment of onnxruntime.

The folder of the scikit-learn models must lie beside the one of this script.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from slipway.converters import onnx_file
from slipway.converters.batches import read_batch
from slipway.domain.rows import Batch
from trained_for_tests import AWKWARD, Case, convert_all

PROBABILITY = [("p", "float32", [1])]
FIRST_SECOND = 1_000_000.0  # near it, float32 has steps of 1/16


def written(content: bytes) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        (folder / "model.onnx").write_bytes(content)

    return save


def of_scikit_learn(case: str, outputs: list[Any]) -> Callable[[Batch], Case]:
    def make(_: Batch) -> Case:
        folder = Path.cwd().parents[2] / "scikit_learn_models_for_tests" / case
        samples = read_batch(folder / "samples.npz")
        return {"save": written((folder / "model.onnx").read_bytes()), "samples": samples, "outputs": outputs}

    return make


def trained_here(save: Callable[[onnx.ModelProto], Callable[[Path], None]]) -> Callable[[Batch], Case]:
    """A logistic regression over a table of origins, a distance, and seconds in float64, by gradient descent."""

    def make(flights: Batch) -> Case:
        samples = _samples(flights)
        model = _model(*_trained(samples, flights["late"][:, 0]))
        return {"save": save(model), "samples": samples, "edges": _edges(samples), "outputs": PROBABILITY}

    return make


def _samples(flights: Batch) -> dict[str, Any]:
    origins = np.unique(flights["origin"].astype(str), return_inverse=True)[1].reshape(-1, 1)
    seconds = FIRST_SECOND + flights["dep_delay"].astype(np.float64) / 60 + 0.001
    return {"origin": origins.astype(np.int64), "distance": flights["distance"], "seconds": seconds}


def _edges(samples: Batch) -> dict[str, Any]:
    """Awkward distances, then origins that the table does not have: 3 and 2^24+1 raise, and -1 counts from the end."""
    rows = len(AWKWARD)
    edges = {name: np.repeat(column[:1], rows + 4, axis=0) for name, column in samples.items()}
    edges["distance"][:rows, 0] = AWKWARD
    edges["origin"][rows:, 0] = (3, 2**24 + 1, -1, 2)
    return edges


def _trained(samples: Batch, late: Any) -> tuple[Any, Any]:
    shares = np.array([late[samples["origin"][:, 0] == origin].mean() for origin in range(3)])
    table = np.log(shares / (1 - shares)).astype(np.float32)[:, None]
    numbers = np.concatenate([samples["distance"] / 1000, samples["seconds"] - FIRST_SECOND], axis=1)
    weights = np.zeros(2)
    for _ in range(300):
        answers = 1 / (1 + np.exp(-(numbers @ weights + table[samples["origin"][:, 0], 0])))
        weights -= 0.5 * numbers.T @ (answers - late) / len(late)
    return table, weights.astype(np.float32)[:, None]


def _model(table: Any, weights: Any) -> onnx.ModelProto:
    constants = {
        "table": table,
        "weights": weights,
        "first": np.array([FIRST_SECOND]),
        "thousand": np.array([1000], np.float32),
    }
    nodes = [
        helper.make_node("Sub", ["seconds", "first"], ["since"]),
        helper.make_node("Cast", ["since"], ["short"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["distance", "thousand"], ["thousands"]),
        helper.make_node("Concat", ["thousands", "short"], ["numbers"], axis=1),
        helper.make_node("MatMul", ["numbers", "weights"], ["score"]),
        helper.make_node("Gather", ["table", "origin"], ["wide"]),
        helper.make_node("Flatten", ["wide"], ["looked_up"]),
        helper.make_node("Add", ["score", "looked_up"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["p:0"], doc_string="as TensorFlow names it"),
    ]
    asked = {"origin": TensorProto.INT64, "distance": TensorProto.FLOAT, "seconds": TensorProto.DOUBLE}
    graph = helper.make_graph(
        nodes,
        "trained",
        [helper.make_tensor_value_info(name, dtype, [None, 1]) for name, dtype in asked.items()],
        [helper.make_tensor_value_info("p:0", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def as_one_file(model: onnx.ModelProto) -> Callable[[Path], None]:
    return written(model.SerializeToString())


def with_weights_beside(model: onnx.ModelProto) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        (folder / "weights").mkdir()
        onnx.save(
            model, folder / "model.onnx", save_as_external_data=True, location="weights/all.bin", size_threshold=0
        )

    return save


CASES: dict[str, Callable[[Batch], Case]] = {
    "flights": of_scikit_learn("linear", PROBABILITY),
    "wine": of_scikit_learn("wine", [("probabilities", "float32", [3]), ("label", "string", [1])]),
    "wine, probabilities alone": of_scikit_learn("wine", [("probabilities", "float32", [3])]),
    "trained here": trained_here(as_one_file),
    "held out: diabetes": of_scikit_learn("held out: diabetes", [("target", "float32", [1])]),
    "weights beside": trained_here(with_weights_beside),
}


if __name__ == "__main__":
    convert_all(onnx_file, CASES, json.loads(Path(sys.argv[1]).read_text()))
