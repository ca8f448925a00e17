"""At most two copies of a model are in memory at once: one that is read, and one that is written or loaded.

A third decides whether the largest models are released on a runner of 7 GB or not at all.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

_BYTES = 102_400_000
_WIDTH = 64
_MOST_COPIES = 2.2  # libraries take a little more when they are used for the first time
# Only a process that has done nothing yet tells the peak of what it does.
_MEASURE = """
import re, sys
from pathlib import Path
import onnxruntime
from slipway.adapters.onnx_session import open_model
from slipway.converters import onnx_file
from slipway.converters.__main__ import check, convert
from slipway.converters.job import Column, Job

def resident(key):
    return int(re.search(rf"^{key}:\\s+(\\d+) kB$", Path("/proc/self/status").read_text(), re.M)[1]) * 1024

def convert_and_check(job, written):
    onnx_file.refuse(job)
    convert(onnx_file, job, written)
    check(written.read_bytes())

source, written = Path(sys.argv[2]), Path(sys.argv[3])
job = Job(source, (Column("user", "int64"),), (Column("p", "float32"),))
before = resident("VmRSS")
match sys.argv[1]:
    case "convert":
        convert_and_check(job, written)
    case "load the source":
        onnx_file.load(job)
    case "open":
        open_model(source)
print((resident("VmHWM") - before) / source.stat().st_size)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of users, as a recommender has it: nearly all of the file is one tensor."""
    table = np.arange(_BYTES // 4, dtype=np.float32).reshape(-1, _WIDTH)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "user"], ["row"]), helper.make_node("ReduceSum", ["row", "axes"], ["p"])],
        "graph",
        [helper.make_tensor_value_info("user", TensorProto.INT64, ["N", 1])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([2]), "axes")],
    )
    graph.node[1].attribute.append(helper.make_attribute("keepdims", 0))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path_factory.mktemp("large") / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("deed", ["convert", "load the source", "open"])
def test_at_most_two_copies_of_a_model_are_in_memory(deed: str, large: Path, tmp_path: Path) -> None:
    """Each library that a model is handed to would make one more, if nobody let go of what it was made from."""
    command = [sys.executable, "-c", _MEASURE, deed, str(large), str(tmp_path / "written.onnx")]

    copies = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert 0.9 < copies <= _MOST_COPIES
