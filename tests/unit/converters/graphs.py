"""Random ONNX graphs, and what a converter may vary about them without changing what they compute."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import onnx
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

_ONE = ("Relu", "Tanh", "Neg", "Identity")
_TWO = ("Add", "Mul", "Sub", "Max")


@st.composite
def models(draw: st.DrawFn) -> ModelProto:
    """A graph over the inputs x, y [N, 1] and word (string), with constants, a table, equal and dead nodes."""
    values = ["x", "y", "looked-up"]
    nodes = [_table(draw), helper.make_node("Cast", ["number"], ["looked-up"], to=TensorProto.FLOAT)]
    constants = [_constant(draw, f"c{index}") for index in range(draw(st.integers(1, 4)))]
    values += [constant.name for constant in constants]
    for index in range(draw(st.integers(1, 12))):
        operator = draw(st.sampled_from(_ONE + _TWO))
        inputs = [draw(st.sampled_from(values)) for _ in range(1 if operator in _ONE else 2)]
        nodes.append(helper.make_node(operator, inputs, [f"v{index}"], name=f"node {index}", doc_string="text"))
        values.append(f"v{index}")
    outputs = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
    for index, value in enumerate(outputs):  # the sum gives each output a row for each row of x
        nodes.append(helper.make_node("Mul", ["x", "x"], [f"square {index}"]))
        nodes.append(helper.make_node("Add", [f"square {index}", value], [f"out{index}"]))
    return _model(nodes, constants, len(outputs))


def _table(draw: st.DrawFn) -> NodeProto:
    words = draw(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5, unique=True))
    numbers = draw(st.lists(st.integers(0, 4), min_size=len(words), max_size=len(words)))
    return helper.make_node(
        "CategoryMapper",
        ["word"],
        ["number"],
        domain="ai.onnx.ml",
        cats_strings=words,
        cats_int64s=numbers,
        default_int64=-1,
    )


def _constant(draw: st.DrawFn, name: str) -> TensorProto:
    value = draw(st.sampled_from([0.0, -0.0, 0.5, 2.0, 3.25]))
    return numpy_helper.from_array(np.full((1, 1), value, np.float32), name)


def _model(nodes: list[NodeProto], constants: list[TensorProto], outputs: int) -> ModelProto:
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["unk__1", 1]) for name in ("x", "y")]
    inputs.append(helper.make_tensor_value_info("word", TensorProto.STRING, ["unk__2", 1]))
    out = [helper.make_tensor_value_info(f"out{index}", TensorProto.FLOAT, ["unk__3", 1]) for index in range(outputs)]
    graph = helper.make_graph(nodes, "graph", inputs, out, constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 2)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_version="1.0", doc_string="when")


def varied(model: ModelProto, seed: int) -> ModelProto:
    """The same computation as another run of a converter might write it."""
    chance = random.Random(seed)
    copy = ModelProto()
    copy.CopyFrom(model)
    copy.producer_version, copy.doc_string = f"{chance.random()}", ""
    copy.opset_import.append(helper.make_opsetid("com.example.unused", 1))
    _vary_graph(copy.graph, chance, fixed={info.name for info in (*copy.graph.input, *copy.graph.output)})
    for index, info in enumerate((*copy.graph.input, *copy.graph.output)):
        info.type.tensor_type.shape.dim[0].dim_param = f"unk__{chance.randrange(100)}{index}"
    return copy


def _vary_graph(graph: GraphProto, chance: random.Random, *, fixed: set[str]) -> None:
    _copy_a_constant(graph, chance)
    nodes = _another_order(list(graph.node), chance)
    initializers = chance.sample(list(graph.initializer), len(graph.initializer))
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(initializers)
    _rename(graph, chance, fixed)
    for node in graph.node:
        _vary_table(node, chance)
        node.name = f"renamed {chance.random()}"


def _another_order(nodes: list[NodeProto], chance: random.Random) -> list[NodeProto]:
    """A topological order, drawn at random among the nodes that are ready."""
    ordered: list[NodeProto] = []
    waiting = {output for node in nodes for output in node.output}
    while nodes:
        ready = [index for index, node in enumerate(nodes) if not waiting.intersection(node_inputs(node))]
        ordered.append(nodes.pop(chance.choice(ready)))
        waiting -= set(ordered[-1].output)
    return ordered


def node_inputs(node: NodeProto) -> Iterator[str]:
    yield from node.input
    for body in (attribute.g for attribute in node.attribute if attribute.type == AttributeProto.GRAPH):
        yield from (name for inner in body.node for name in node_inputs(inner))


def _copy_a_constant(graph: GraphProto, chance: random.Random) -> None:
    """tf2onnx shares equal constants in one run and repeats them in another."""
    if not graph.initializer:
        return
    original = chance.choice(list(graph.initializer))
    graph.initializer.add().CopyFrom(original)
    graph.initializer[-1].name = f"{original.name} again"
    users = [node for node in graph.node if original.name in node.input]
    for node in users[: len(users) // 2]:
        node.input[:] = [f"{name} again" if name == original.name else name for name in node.input]


def _rename(graph: GraphProto, chance: random.Random, fixed: set[str]) -> None:
    inner = {name for node in graph.node for name in node.output} | {tensor.name for tensor in graph.initializer}
    names = {name: f"Func/{chance.random()}:{index}" for index, name in enumerate(sorted(inner - fixed))}
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    _rename_nodes(graph, names)


def _rename_nodes(graph: GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for body in (attribute.g for attribute in node.attribute if attribute.type == AttributeProto.GRAPH):
            _rename_nodes(body, names)


def _vary_table(node: NodeProto, chance: random.Random) -> None:
    by_name = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type == "CategoryMapper":
        words, numbers = by_name["cats_strings"].strings, by_name["cats_int64s"].ints
        pairs = chance.sample(list(zip(words, numbers, strict=True)), len(words))
        words[:], numbers[:] = [word for word, _ in pairs], [number for _, number in pairs]
    attributes = chance.sample(list(node.attribute), len(node.attribute))
    del node.attribute[:]
    node.attribute.extend(attributes)


# `If` and `Loop`: bodies that use values from around them, shadow no name, and pass values through.
BODIES = onnx.parser.parse_model("""
<ir_version: 8, opset_import: ["" : 18]>
with_bodies (float[n,1] x) => (float[m,1] out0, float[k,1] out1)
<float[1] half = {0.5}, int64 times = {3}, bool yes = {1}>
{
    total = ReduceSum<keepdims: int = 0>(x)
    zero = Constant<value: tensor = float {0}>()
    positive = Greater(total, zero)
    twice = Add(x, x)
    out0 = If(positive) <
        then_branch: graph = then () => (float[a,1] then_out) {
            scaled = Mul(twice, half)
            then_out = Sub(scaled, x)
        },
        else_branch: graph = otherwise () => (float[b,1] else_out) {
            else_out = Neg(twice)
        }
    >
    out1 = Loop(times, yes, x) <
        body: graph = body (int64 i, bool go, float[c,1] state) => (bool go_on, float[d,1] next) {
            go_on = Identity(go)
            step = Cast<to: int = 1>(i)
            moved = Add(state, step)
            next = Mul(moved, half)
        }
    >
}
""")
