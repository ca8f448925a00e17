"""Hostile ONNX files; runs in our own environment, which has onnx and onnxruntime too."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attempts_for_tests import Case, Exec, Payload, attempt_all, main
from onnx import ModelProto, NodeProto, TensorProto, external_data_helper, helper, numpy_helper
from slipway.adapters.onnx_session import open_model
from slipway.converters import onnx_file
from slipway.converters.job import Column, Job

COLUMNS = (Column("x", "float32", (3,)),)


class Everywhere:
    """The entry of a release: what came is refused by the converter, what is measured by the session too."""

    name, requirements = onnx_file.name, onnx_file.requirements

    def refuse(self, job: Job) -> None:
        onnx_file.refuse(job)

    def load(self, job: Job) -> object:
        onnx_file.load(job)
        return open_model(job.file(".onnx"))


def model(*nodes: NodeProto, **parts: Any) -> ModelProto:
    """p = the sum of x, behind whatever `nodes` do."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])]
    outputs = [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["N", 1])]
    weights = numpy_helper.from_array(np.ones((3, 1), np.float32), "weights")
    constants = [weights, *parts.pop("constants", ())]
    last = helper.make_node("MatMul", ["x", "weights"], ["p"])
    graph = helper.make_graph([*nodes, last], "graph", inputs, outputs, constants)
    opsets = [helper.make_opsetid(*one) for one in (("", 18), *parts.pop("opsets", ()))]
    return helper.make_model(graph, opset_imports=opsets, ir_version=parts.pop("ir", 8), **parts)


def saved(what: ModelProto) -> Callable[..., object]:
    return lambda folder, *_: (folder / "model.onnx").write_bytes(what.SerializeToString())


good = saved(model())


def case(what: ModelProto) -> Case:
    return Case(saved(what), twin=good)


def sizes(*values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), "sizes")


def decoy() -> ModelProto:
    """It defines one function of the foreign domain, and asks for another."""
    opsets = [("com.microsoft", 1)]
    own = helper.make_function(
        "com.microsoft",
        "Mine",
        ["a"],
        ["b"],
        [helper.make_node("Identity", ["a"], ["b"])],
        [helper.make_opsetid("", 18)],
    )
    return model(helper.make_node("Gelu", ["x"], ["unused"], domain="com.microsoft"), opsets=opsets, functions=[own])


def with_weights_in(location: str) -> Callable[[Path, Payload], None]:
    def write(folder: Path, payload: Payload) -> None:
        (folder.parent / "secret").write_bytes(bytes(12))
        changed = model()
        external_data_helper.set_external_data(changed.graph.initializer[0], location.format(folder=folder.parent))
        changed.graph.initializer[0].ClearField("raw_data")
        if location == "linked":
            (folder / "linked").symlink_to(folder.parent / "secret")
        if location == "piped":
            os.mkfifo(folder / "piped")
        saved(changed)(folder)

    return write


def hidden_weights() -> ModelProto:
    tensor = numpy_helper.from_array(np.ones((1, 1), np.float32), "hidden")
    external_data_helper.set_external_data(tensor, location="../secret")
    tensor.ClearField("raw_data")
    answer = helper.make_tensor_value_info("c", TensorProto.FLOAT, [1, 1])
    body = helper.make_graph([helper.make_node("Constant", [], ["c"], value=tensor)], "body", [], [answer])
    yes = numpy_helper.from_array(np.array(True), "yes")
    return model(helper.make_node("If", ["yes"], ["unused"], then_branch=body, else_branch=body), constants=[yes])


def large(operator: str, inputs: list[str], *dims: int) -> ModelProto:
    return model(helper.make_node(operator, inputs, ["large"]), constants=[sizes(*dims)])


def dims(*values: int) -> ModelProto:
    return model(constants=[TensorProto(name="w", data_type=TensorProto.FLOAT, dims=values, raw_data=bytes(8))])


def nested(folder: Path, _: Payload) -> None:
    """Graphs inside of graphs, written from the inside: field 6 of an attribute, 5 of a node, 1 of a graph."""
    content = b""
    for _step in range(3000):
        for field in (6, 5, 1):
            content = bytes([field << 3 | 2]) + _varint(len(content)) + content
    (folder / "model.onnx").write_bytes(b"\x08\x08" + bytes([7 << 3 | 2]) + _varint(len(content)) + content)


def _varint(value: int) -> bytes:
    more = []
    while value > 127:
        more.append(value & 127 | 128)
        value >>= 7
    return bytes([*more, value])


def pickled(folder: Path, payload: Payload) -> None:
    (folder / "model.onnx").write_bytes(pickle.dumps(Exec(payload.code)))


CASES: dict[str, Case] = {
    "a pickle": Case(pickled, control=lambda folder: pickle.loads((folder / "model.onnx").read_bytes()), twin=good),
    "an operator of others": case(
        model(helper.make_node("Gelu", ["x"], ["u"], domain="com.microsoft"), opsets=[("com.microsoft", 1)])
    ),
    "an operator of others, behind one of its own": case(decoy()),
    "weights above": Case(with_weights_in("../secret"), twin=good),
    "weights anywhere": Case(with_weights_in("{folder}/secret"), twin=good),
    "weights behind a link": Case(with_weights_in("linked"), twin=good),
    "weights in a pipe": Case(with_weights_in("piped"), twin=good),
    "weights above, in a body": case(hidden_weights()),
    "17 TB": case(large("ConstantOfShape", ["sizes"], 1 << 42)),
    "17 TB a row": case(large("Expand", ["x", "sizes"], 1 << 42, 1, 3)),
    "dims that overflow": case(dims(1 << 32, 1 << 32)),
    "dims beyond the bytes": case(dims(1 << 40)),
    "dims below zero": case(dims(-1)),
    "a version of tomorrow": case(model(ir=99)),
    "nested without end": Case(nested, twin=good),
    "a pipe": Case(lambda folder, _: os.mkfifo(folder / "model.onnx"), twin=good),
}


def attempts(job: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = attempt_all(Everywhere(), CASES, job, columns=COLUMNS)
    return said


if __name__ == "__main__":
    main(attempts)
