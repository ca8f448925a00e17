"""A process that loads one file, and tells what that took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from onnx import TensorProto, helper


def test_it_tells_json_and_nothing_else(tmp_path: Path) -> None:
    """The process that reads it takes all that was written for the answer."""
    shown = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "graph", shown[:1], shown[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())

    done = subprocess.run(
        [sys.executable, "-m", "slipway.adapters.onnx_loading", str(tmp_path / "model.onnx")],
        capture_output=True,
        check=True,
    )

    told = json.loads(done.stdout)
    assert told.keys() == {"loads", "memory"}
    assert 1 <= len(told["loads"]) <= 20
    assert all(seconds > 0 for seconds in told["loads"])


def test_what_cannot_be_loaded_ends_it(tmp_path: Path) -> None:
    """A made-up time would read like a measured one."""
    done = subprocess.run(
        [sys.executable, "-m", "slipway.adapters.onnx_loading", str(tmp_path / "none.onnx")],
        capture_output=True,
        check=False,
    )

    assert done.returncode != 0
    assert done.stdout == b""
