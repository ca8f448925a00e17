"""Which ONNX files are refused before anything loads them. Crafted files cost no process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper
from slipway.converters.job import Job
from slipway.converters.whole_onnx import IR_VERSIONS, OPSETS, whole
from slipway.errors import ModelRefused


def model(*, opset: int = 18, learning: int = 3, ir: int = 10, domain: str = "") -> ModelProto:
    """x times a weight, through an operator of classic machine learning."""
    nodes = [
        helper.make_node("Mul", ["x", "weight"], ["product"], domain=domain),
        helper.make_node("Normalizer", ["product"], ["y"], domain="ai.onnx.ml", norm="MAX"),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(np.array([[2]], np.float32), "weight")],
    )
    versions = {"": opset, "ai.onnx.ml": learning, **({domain: 1} if domain else {})}
    opsets = [helper.make_opsetid(name, version) for name, version in versions.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def outside(location: str, **more: str) -> ModelProto:
    """The weight is said to lie in another file."""
    changed = model()
    weight = changed.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        weight.external_data.add(key=key, value=value)
    return changed


def write(folder: Path, content: ModelProto) -> Job:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(content.SerializeToString())
    return Job(folder)


def _highest() -> list[ModelProto]:
    return [model(opset=OPSETS[""][-1]), model(learning=OPSETS["ai.onnx.ml"][-1]), model(ir=IR_VERSIONS[-1])]


def _one_more() -> list[ModelProto]:
    return [model(opset=OPSETS[""].stop), model(learning=OPSETS["ai.onnx.ml"].stop), model(ir=IR_VERSIONS.stop)]


@pytest.mark.parametrize("highest", _highest())
def test_the_highest_versions_are_let_through_and_load(highest: ModelProto, tmp_path: Path) -> None:
    """A limit below what onnxruntime can do would be felt with each new exporter."""
    whole(write(tmp_path, highest))
    onnxruntime.InferenceSession(highest.SerializeToString())


@pytest.mark.parametrize("newer", _one_more())
def test_a_newer_version_is_refused_as_onnxruntime_would(newer: ModelProto, tmp_path: Path) -> None:
    """An upgrade of onnxruntime fails here, and so reminds of the limit."""
    with pytest.raises(ModelRefused, match="onnxruntime loads"):
        whole(write(tmp_path, newer))
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.Fail):
        onnxruntime.InferenceSession(newer.SerializeToString())


@pytest.mark.parametrize("older", [model(opset=6), model(ir=2)])
def test_a_version_that_onnxruntime_does_not_promise_to_load_is_refused(older: ModelProto, tmp_path: Path) -> None:
    """It may load today, and answer with what the operator once was."""
    with pytest.raises(ModelRefused, match="onnxruntime loads"):
        whole(write(tmp_path, older))


def test_operators_of_others_are_refused_wherever_they_are(tmp_path: Path) -> None:
    """onnx's own checker lets them pass; inside a body they are seen last."""
    in_a_body = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 18, "com.example" : 1]>
        graph (bool[1] c, float[N,1] x) => (float[N,1] y) {
            y = If (c) <then_branch = a () => (float[N,1] r) { r = com.example.Mine (x) },
                        else_branch = b () => (float[N,1] s) { s = Neg (x) }>
        }""")

    for foreign in (model(domain="com.example"), in_a_body):
        with pytest.raises(ModelRefused, match=r"operators of com\.example"):
            whole(write(tmp_path, foreign))


def test_a_function_that_the_file_brings_itself_is_let_through(tmp_path: Path) -> None:
    """PyTorch's exporter writes such functions; they are made of ONNX's own operators."""
    brought = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 18, "mine" : 1]>
        graph (float[N,1] x) => (float[N,1] y) { y = mine.Twice (x) }
        <domain: "mine", opset_import: ["" : 18]> Twice (a) => (b) { b = Add (a, a) }""")

    assert whole(write(tmp_path, brought)) == brought


@pytest.mark.parametrize("location", ["../weights", "/etc/hostname", "a/../../weights", "", r"..\weights"])
def test_weights_outside_of_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    """They would be read into the file that is released, and may be anybody's secret."""
    (tmp_path / "weights").write_bytes(b"\0" * 4)

    with pytest.raises(ModelRefused, match="outside of the source"):
        whole(write(tmp_path / "source", outside(location)))


@pytest.mark.parametrize("linked", ["file", "folder", "model"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, linked: str) -> None:
    """The digest of the source covers the link, not what it points at."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "weights").write_bytes(b"\0" * 4)
    job = write(tmp_path / "source", outside("linked/weights" if linked == "folder" else "weights"))
    if linked == "folder":
        (job.source / "linked").symlink_to(elsewhere)
    elif linked == "file":
        (job.source / "weights").symlink_to(elsewhere / "weights")
    else:
        (job.source / "model.onnx").rename(elsewhere / "model.onnx")
        (job.source / "model.onnx").symlink_to(elsewhere / "model.onnx")

    with pytest.raises(ModelRefused, match="link out of the model's folder"):
        whole(job)


def test_weights_beside_a_source_that_is_one_file_are_refused(tmp_path: Path) -> None:
    """Only the file itself is under the digest of the source; what lies beside it could change unseen."""
    write(tmp_path, outside("weights"))
    (tmp_path / "weights").write_bytes(b"\0" * 4)

    with pytest.raises(ModelRefused, match="outside of the source"):
        whole(Job(tmp_path / "model.onnx"))


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ({}, "no valid ONNX"),
        ({"length": "400"}, "has 8 bytes, of which a tensor asks for 400"),
        ({"length": "-1"}, "a tensor asks for -1"),
        ({"length": "four"}, "a tensor asks for four"),
        ({"length": "4", "offset": "6"}, "cannot be read"),
        ({"length": "4", "offset": "x"}, "cannot be read"),
    ],
)
def test_weights_that_are_not_what_the_model_says_are_refused(
    tmp_path: Path, entries: dict[str, str], problem: str
) -> None:
    """A weight of 4 bytes in a file of 8: what is left over, missing or no number is a mistake or worse."""
    job = write(tmp_path, outside("weights", **entries))
    (tmp_path / "weights").write_bytes(b"\0" * 8)

    with pytest.raises(ModelRefused, match=problem):
        whole(job)


def test_weights_that_are_not_there_are_refused_by_name(tmp_path: Path) -> None:
    """The most common mistake: the file was saved, and its weights were not committed."""
    with pytest.raises(ModelRefused, match=r"the weights `weights` of model\.onnx are not there"):
        whole(write(tmp_path, outside("weights")))


def _sparse(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def _one_large(folder: Path) -> Job:
    job = write(folder, model())
    _sparse(folder / "model.onnx", (1 << 30) + 1)
    return job


def _many_times_the_same(folder: Path) -> Job:
    """Each reads the same 600 MB, which lie on the disk once."""
    several = outside("weights")
    again = several.graph.initializer.add()
    again.CopyFrom(several.graph.initializer[0])
    again.name = "again"
    _sparse(folder / "weights", 600_000_000)
    return write(folder, several)


@pytest.mark.parametrize("large", [_one_large, _many_times_the_same])
def test_a_source_that_is_too_large_is_refused_before_it_is_read(large: Callable[[Path], Job], tmp_path: Path) -> None:
    """A file of zeros costs nothing to send, and all of the memory to load."""
    with pytest.raises(ModelRefused, match="at most 1,073,741,824 are read"):
        whole(large(tmp_path))


@given(content=st.binary(max_size=200))
def test_no_bytes_make_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """The file comes from a pull request: whatever it holds, the answer is a refusal."""
    source = tmp_path_factory.getbasetemp() / f"onnx-fuzz-{os.getpid()}"
    source.mkdir(exist_ok=True)
    (source / "model.onnx").write_bytes(content)

    with pytest.raises(ModelRefused):
        whole(Job(source))
