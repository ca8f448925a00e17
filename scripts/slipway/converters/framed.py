"""A converted model in the frame that model.yaml declares: named inputs in front, named outputs behind.

Converters name and shape outputs as they like (a label is declared `[1]` where it has a value a row), and most
take one matrix. What is served has the declared names, `[N, *shape]` each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, compose, helper

from slipway.converters.job import Column

ELEMENTS = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A declared output: which output of the converted model it is, and which of its columns (None: all)."""

    column: Column
    position: int
    only: int | None = None


def framed(
    model: ModelProto, answers: Sequence[Answer], *, matrix: Sequence[Column] = (), inputs: Sequence[Column] = ()
) -> ModelProto:
    """Put the frame around `model`, which is changed; its names stay inside, so that none meets a declared one.

    `matrix` are the inputs that its only input is made of, in their order, and `inputs` stand for its inputs one by
    one; without both, its inputs stay as they are.
    """
    columns = matrix or inputs
    inner: ModelProto = compose.add_prefix(model, "inner/", rename_inputs=bool(columns), inplace=True)
    if columns:
        taken = list(inner.graph.input)
        front = _front(taken[0], matrix) if matrix else _under_other_names(taken, inputs)
        inner.graph.ClearField("input")
        inner.graph.input.extend(_info(column) for column in columns)
        for place, node in enumerate(front):  # a list that is written anew would hold the nodes twice
            inner.graph.node.insert(place, node)
    names = [output.name for output in inner.graph.output]
    inner.graph.ClearField("output")
    for answer in answers:
        inner.graph.node.extend(_back(answer, names[answer.position]))
        inner.graph.initializer.append(_integers(f"{answer.column.name}/shape", -1, *answer.column.shape))
        if answer.only is not None:
            inner.graph.initializer.append(_integers(f"{answer.column.name}/only", answer.only))
        inner.graph.output.append(_info(answer.column))
    return _with_operators(inner)


def _front(taken: ValueInfoProto, columns: Sequence[Column]) -> list[NodeProto]:
    """Each column is cast to the type of the matrix and flattened, then all are laid side by side."""
    element = taken.type.tensor_type.elem_type
    nodes: list[NodeProto] = []
    for column in columns:
        name = column.name
        if ELEMENTS[column.dtype] != element:
            nodes.append(helper.make_node("Cast", [name], [f"{column.name}/cast"], to=element))
            name = f"{column.name}/cast"
        if len(column.shape) != 1:
            nodes.append(helper.make_node("Flatten", [name], [f"{column.name}/flat"]))
            name = f"{column.name}/flat"
        nodes.append(helper.make_node("Identity", [name], [f"{column.name}/part"]))
    parts = [f"{column.name}/part" for column in columns]
    return [*nodes, helper.make_node("Concat", parts, [taken.name], axis=1)]


def _under_other_names(taken: Sequence[ValueInfoProto], columns: Sequence[Column]) -> list[NodeProto]:
    pairs = zip(taken, columns, strict=True)
    return [helper.make_node("Identity", [column.name], [info.name]) for info, column in pairs]


def _back(answer: Answer, name: str) -> list[NodeProto]:
    """Pick a column, shape it and cast it, as declared."""
    own = answer.column.name
    nodes: list[NodeProto] = []
    if answer.only is not None:
        nodes.append(helper.make_node("Gather", [name, f"{own}/only"], [f"{own}/picked"], axis=1))
        name = f"{own}/picked"
    return [
        *nodes,
        helper.make_node("Reshape", [name, f"{own}/shape"], [f"{own}/shaped"]),
        _cast(f"{own}/shaped", answer.column),
    ]


def _cast(name: str, column: Column) -> NodeProto:
    return helper.make_node("Cast", [name], [column.name], to=ELEMENTS[column.dtype])


def _info(column: Column) -> ValueInfoProto:
    return helper.make_tensor_value_info(column.name, ELEMENTS[column.dtype], ["N", *column.shape])


def _integers(name: str, *values: int) -> TensorProto:
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)


def _with_operators(model: ModelProto) -> ModelProto:
    """A file of trees alone names no version of the plain operators, which the frame is made of."""
    if not any(entry.domain in ("", "ai.onnx") for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid("", OPSET))
    return model


OPSET = 15  # the highest that all converters of trees know
