"""A process that loads files in turns, and tells what each load took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from slipway.adapters import onnx_loading


def _model(path: Path) -> Path:
    shown = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", shown[:1], shown[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def told_of(*paths: Path) -> list[dict[str, float]]:
    command = [sys.executable, "-m", onnx_loading.__name__, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_round_loads_every_file_and_begins_with_another(tmp_path: Path) -> None:
    """What else the machine does meets all of them alike, and none is always the one after the pause."""
    one, other = _model(tmp_path / "one.onnx"), _model(tmp_path / "other.onnx")

    told = told_of(one, other)

    assert 10 <= len(told) <= 50
    assert [line["file"] for line in told[:8]] == [0, 1, 1, 0, 0, 1, 1, 0]
    assert all(line.keys() == {"file", "seconds", "memory"} and line["seconds"] > 0 for line in told)


_STARTED = f"""
import sys
import {onnx_loading.__name__} as loading

loaded = loading._session(sys.argv[1])
print(loading._bytes(loading._PEAK))
"""


def test_memory_is_that_of_a_process_that_was_started(tmp_path: Path) -> None:
    """A forked one looks smaller by what it shares, and a limit on memory is about a server."""
    path = _model(tmp_path / "model.onnx")
    started = subprocess.run([sys.executable, "-c", _STARTED, str(path)], capture_output=True, check=True)

    found = np.median([line["memory"] for line in told_of(path)])

    assert found == pytest.approx(int(started.stdout), rel=0.1)


def test_the_empty_model_is_what_onnx_would_write(tmp_path: Path) -> None:
    """It stands in the code as bytes, which nobody can read."""
    assert _model(tmp_path / "model.onnx").read_bytes() == onnx_loading._EMPTY


def test_what_cannot_be_loaded_is_left_out(tmp_path: Path) -> None:
    """A made-up time would read like a measured one; and the other file still has its own."""
    (tmp_path / "torn.onnx").write_bytes(b"\x08\x08torn")

    told = told_of(tmp_path / "torn.onnx", _model(tmp_path / "model.onnx"))

    assert {line["file"] for line in told} == {1}
