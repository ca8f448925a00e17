"""Linear models that scikit-learn trains in a moment, written as ONNX: what a team without TensorFlow would release.

Real data, real weights; no framework has to be started, since ONNX is taken as it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from onnx import TensorProto, helper, numpy_helper

from tests.e2e import flights as team

FIRST_DAY = np.datetime64("2025-06-01T12:00:00")
_DAYS = 30


@dataclass(frozen=True)
class Declared:
    """What a team declares of a model; `widths` are the shapes of its float32 inputs, by name."""

    name: str
    widths: dict[str, int]
    output: dict[str, Any]
    decision: dict[str, Any]

    @property
    def yaml(self) -> str:
        inputs = [
            {"name": name, "dtype": "float32", "shape": [width], "meaning": "As measured"}
            for name, width in self.widths.items()
        ]
        told = {
            "name": self.name,
            "summary": "What scikit-learn makes of it",
            "framework": "onnx",
            "source": "source",
            "owners": ["@flight-team"],
            "inputs": inputs,
            "outputs": [{"dtype": "float32", "meaning": "As answered", **self.output}],
            "decision": self.decision,
            "samples": {"path": "samples/held-out.parquet", "time": "time", "label": "label"},
        }
        return yaml.safe_dump(told, sort_keys=False)


def linear(declared: Declared, weights: npt.NDArray[Any], bias: npt.NDArray[Any], *, after: str) -> bytes:
    """`after`(inputs side by side times weights, plus bias): the operator Sigmoid, Softmax or Identity."""
    nodes = [
        helper.make_node("Concat", list(declared.widths), ["together"], axis=1),
        helper.make_node("Gemm", ["together", "weights", "bias"], ["sum"]),
        helper.make_node(after, ["sum"], [declared.output["name"]]),
    ]
    constants = {"weights": weights.astype(np.float32), "bias": bias.astype(np.float32)}
    graph = helper.make_graph(
        nodes,
        "linear",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])
            for name, width in declared.widths.items()
        ],
        [helper.make_tensor_value_info(declared.output["name"], TensorProto.FLOAT, ["N", len(bias)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def lay_down(checkout: Path, declared: Declared, model: bytes, *, samples: dict[str, Any]) -> None:
    """What a developer puts into models/<name>/; `samples` are its columns, of which `label` is one."""
    folder = checkout / "models" / declared.name
    for name in ("source", "samples"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"# {declared.name}\n\nA linear model.\n")
    (folder / "model.yaml").write_text(declared.yaml)
    (folder / "source" / "model.onnx").write_bytes(model)
    rows = len(next(iter(samples.values())))
    days = (np.arange(rows) * _DAYS // rows).astype("timedelta64[D]")
    columns = {name: arrow(column) for name, column in samples.items()}
    pq.write_table(pa.table({**columns, "time": FIRST_DAY + days}), folder / "samples" / "held-out.parquet")


def arrow(column: npt.NDArray[Any]) -> pa.Array:
    """A list a row where there are several values."""
    values = column.reshape(len(column), -1)
    return pa.array(values[:, 0] if values.shape[1] == 1 else values.tolist())


def set_limit(checkout: Path, policy: str, model: str, limit: dict[str, Any], **more: Any) -> None:
    """What holds for one model, in a policy of the team."""
    path = checkout / "policies" / f"{policy}.yaml"
    told = yaml.safe_load(path.read_text())
    override = {"reason": "What this test asks for", "limit": limit, **more}
    path.write_text(yaml.safe_dump({**told, "models": {**told.get("models", {}), model: override}}))


def push(checkout: Path, message: str) -> None:
    team.git(checkout, "add", "--all")
    team.git(checkout, "commit", "--quiet", "--message", message)
    team.git(checkout, "push", "--quiet", "origin", "main")


def slipway(checkout: Path, *words: str, expect: int = 0, variables: Mapping[str, str] | None = None) -> str:
    """A command as it is typed; what it says on both streams."""
    command = [sys.executable, "-c", "from slipway.cli import main; main()", "--quiet", *words]
    done = subprocess.run(
        command,
        cwd=checkout,
        env=team.variables(checkout, **variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
