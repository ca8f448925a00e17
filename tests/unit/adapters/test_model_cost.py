"""Real files in a real onnxruntime: each in a process of its own, then all in turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from slipway.adapters import model_cost
from slipway.domain.cost import Clocked
from slipway.domain.rows import Batch

_WEIGHTS = 4_000_000  # floats: 16 MB
ROWS: Batch = {"x": np.ones((40, 1), np.float32)}


def _model(folder: Path, name: str, *, asks: str = "x", weights: int = 1) -> Path:
    """y = the sum of x × weights."""
    tensors = [numpy_helper.from_array(np.ones((1, weights), np.float32), "w")]
    nodes = [
        helper.make_node("MatMul", [asks, "w"], ["wide"]),
        helper.make_node("ReduceMean", ["wide"], ["y"], axes=[1], keepdims=1),
    ]
    shown = [helper.make_tensor_value_info(one, TensorProto.FLOAT, ["N", 1]) for one in (asks, "y")]
    graph = helper.make_graph(nodes, "graph", shown[:1], shown[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def asked(clocked: Clocked) -> tuple[bool, bool]:
    return bool(clocked.requests), bool(clocked.batches)


def test_files_are_measured_beside_each_other(tmp_path: Path) -> None:
    """In turns, so that whatever else the machine does slows both."""
    files = {name: _model(tmp_path, name) for name in ("candidate", "v1.0.0")}

    found = model_cost.clock(files, ROWS)

    assert found.keys() == files.keys()
    for rounds in ("loads", "memories", "requests"):
        assert len({len(getattr(one, rounds)) for one in found.values()}) == 1
    for name, one in found.items():
        assert one.size == files[name].stat().st_size
        assert asked(one) == (True, True)
        assert min(*one.loads, *one.memories, *one.requests, *one.batches) > 0
        assert len(one.loads) >= 5


def test_a_larger_model_takes_a_larger_process(tmp_path: Path) -> None:
    """Measured after the small one and before it: what another model gave back must not hide it."""
    small, large = _model(tmp_path, "small"), _model(tmp_path, "large", weights=_WEIGHTS)

    for files in ({"small": small, "large": large}, {"large": large, "small": small}):
        found = {
            name: float(np.median(one.memories)) for name, one in model_cost.clock(files, {"x": ROWS["x"][:1]}).items()
        }
        assert found["large"] - found["small"] > 0.8 * 4 * _WEIGHTS


def test_a_version_that_asks_for_something_else_is_loaded_and_not_asked(tmp_path: Path) -> None:
    """A major version drops an input; that must not end its release."""
    files = {"candidate": _model(tmp_path, "candidate"), "v1.0.0": _model(tmp_path, "before", asks="z")}

    found = model_cost.clock(files, ROWS)

    assert (asked(found["candidate"]), asked(found["v1.0.0"])) == ((True, True), (False, False))
    assert found["v1.0.0"].loads


def test_a_file_that_cannot_be_loaded_ends_nothing(tmp_path: Path) -> None:
    """Whether what runs can still be loaded is for the rehearsal to say."""
    (tmp_path / "torn.onnx").write_bytes(b"\x08\x08torn")

    found = model_cost.clock({"candidate": _model(tmp_path, "candidate"), "v1.0.0": tmp_path / "torn.onnx"}, ROWS)

    assert found["v1.0.0"] == Clocked(size=6)
    assert asked(found["candidate"]) == (True, True)


def test_the_platform_is_named_as_images_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader compares it with the platforms of the image."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")

    assert model_cost.this_platform() == "linux/amd64"
