"""One form of an ONNX file for all files that compute the same, so that one source has one digest.

Converters vary names, the order of nodes and the order of dictionaries at each run. Here nodes are sorted by
(depth, operator, key) of the graph as `by_content` reads it, everything but the names of inputs and outputs is
renamed by that order, and what tells of the conversion alone (producer, texts, inferred shapes) is dropped.

This module runs in the environment of a converter too: it needs onnx and numpy, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, inliner, shape_inference

from slipway.converters.by_content import (
    DEFAULT_DOMAIN,
    Graph,
    Node,
    public_name,
    read,
    with_results_of_their_own,
    without_names,
)
from slipway.converters.pieces import Pieces, body, field, joined, message_bytes
from slipway.errors import ModelRefused

_LARGE = 1 << 16  # bytes
_KeyOrValue = TypeVar("_KeyOrValue")


@dataclass(frozen=True, slots=True)
class Form:
    """What is written: the file in pieces, the versions of its operators by domain, and which operators it has."""

    pieces: Pieces
    opsets: Mapping[str, int]
    operators: frozenset[str]

    def write(self, path: Path) -> None:
        with path.open("wb") as file:
            file.writelines(self.pieces)


def canonical(model: ModelProto, *, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> Form:
    """Rewrite `model` so that equal computations have equal bytes; its answers stay the same to the bit.

    `inputs` and `outputs` are the order in which they are declared; without it, they are ordered by name. The weights
    of the form are a copy: who needs memory lets go of the model.

    Raises:
        ModelRefused: the file draws random numbers, keeps weights outside of itself, is not sorted, or has other
            inputs or outputs than declared.
    """
    inlined = inliner.inline_local_functions(_without_numbers(model)) if model.functions else model
    graph = read(inlined.graph, dtypes=_dtypes(inlined), weights=model.graph.initializer)
    graph = replace(
        graph,
        inputs=_ordered("inputs", graph.inputs, inputs),
        results=_ordered("outputs", graph.results, outputs),
    )
    graph = with_results_of_their_own(graph, passed_on={key: info.name for key, info in graph.inputs})
    return _form(graph, like=inlined)


def serialise(form: Form) -> bytes:
    """The bytes whose digest names the model."""
    return b"".join(form.pieces)


def _without_numbers(model: ModelProto) -> ModelProto:
    """A copy without those of large weights: neither types nor functions depend on them."""
    copy = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    for name in ("node", "input", "output", "value_info", "sparse_initializer"):
        getattr(copy.graph, name).extend(getattr(model.graph, name))
    for tensor in model.graph.initializer:
        large = len(tensor.raw_data) > _LARGE
        shape = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        copy.graph.initializer.append(shape if large else tensor)
    return copy


def _dtypes(model: ModelProto) -> dict[str, int]:
    """By name, where a table asks for them: see `tables`."""
    if not any(node.op_type == "CategoryMapper" for node in model.graph.node):
        return {}
    inferred = shape_inference.infer_shapes(_without_numbers(model)).graph
    return {info.name: info.type.tensor_type.elem_type for info in (*inferred.value_info, *inferred.output)}


def _ordered(
    kind: str, values: Sequence[tuple[_KeyOrValue, ValueInfoProto]], names: Sequence[str]
) -> tuple[tuple[_KeyOrValue, ValueInfoProto], ...]:
    by_name = {public_name(info.name): (value, _with_batch(info)) for value, info in values}
    if len(by_name) < len(values) or (names and set(names) != set(by_name)):
        found, declared = (", ".join(f"`{name}`" for name in sorted(some)) for some in (by_name, names))
        raise ModelRefused(
            f"the converted model has the {kind} {found}; declared are {declared or 'none'}",
            mend=f"declare in model.yaml the {kind} of the source's signature, each name once",
        )
    return tuple(by_name[name] for name in names or sorted(by_name))


def _with_batch(info: ValueInfoProto) -> ValueInfoProto:
    """Name the free first axis `N`, and other free axes after the tensor: converters number them at random."""
    copy = ValueInfoProto(name=public_name(info.name), type=info.type)
    for axis, dimension in enumerate(copy.type.tensor_type.shape.dim):
        dimension.ClearField("denotation")
        if not dimension.HasField("dim_value"):
            dimension.dim_param = "N" if axis == 0 else f"{copy.name}_{axis}"
    return copy


def _write_graph(graph: Graph) -> Pieces:
    inputs = [info for _, info in graph.inputs]
    outputs = {value.key: info for value, info in graph.results}
    names = {key: info.name for key, info in graph.inputs}
    reserved = frozenset(names.values()) | {info.name for info in outputs.values()}
    answers = {key: info.name for key, info in outputs.items()}
    content = _write_content(graph, names, name="graph", answers=answers, prefix="", reserved=reserved)
    return (*content, message_bytes(GraphProto(input=inputs, output=outputs.values())))


def _write_body(graph: Graph, around: Mapping[str, str], *, prefix: str, reserved: frozenset[str]) -> Pieces:
    """`around` are the names of the values around the body, by key."""
    inputs = [_named(info, f"{prefix}input_{index}") for index, (_, info) in enumerate(graph.inputs)]
    names = {**around, **{key: info.name for (key, _), info in zip(graph.inputs, inputs, strict=True)}}
    content = _write_content(graph, names, name=prefix.rstrip("/"), answers={}, prefix=prefix, reserved=reserved)
    outputs = [_named(info, names[value.key]) for value, info in graph.results]
    return (*content, message_bytes(GraphProto(input=inputs, output=outputs)))


def _named(info: ValueInfoProto, name: str) -> ValueInfoProto:
    return ValueInfoProto(name=name, type=without_names(info).type)


def _write_content(
    graph: Graph,
    names: dict[str, str],
    *,
    name: str,
    answers: Mapping[str, str],
    prefix: str,
    reserved: frozenset[str],
) -> Pieces:
    """The nodes, the graph's name and the constants; adds what they are called to `names`.

    `answers` are names that are given already.
    """
    constants: list[Pieces] = []
    for index, (key, weights) in enumerate(graph.constants.items()):
        names[key] = _free(f"{prefix}constant_{index}", reserved)
        constants.append(field(GraphProto, "initializer", weights.named(names[key])))
    nodes: list[Pieces] = []
    for index, node in enumerate(graph.nodes):
        own = _free(f"{prefix}{node.kind[1]}_{index}", reserved)
        outputs = _output_names(node, own, answers)
        nodes.append(field(GraphProto, "node", _write_node(node, own, outputs, names, reserved=reserved)))
        names |= zip(node.answers, outputs, strict=True)
    return (*joined(nodes), message_bytes(GraphProto(name=name)), *joined(constants))


def _output_names(node: Node, name: str, answers: Mapping[str, str]) -> list[str]:
    inner = (name if index == 0 else f"{name}.{index}" for index in range(len(node.outputs)))
    given = (answers.get(key, own) for key, own in zip(node.answers, inner, strict=True))
    return [one if asked else "" for one, asked in zip(given, node.outputs, strict=True)]


def _write_node(
    node: Node, name: str, outputs: Sequence[str], names: Mapping[str, str], *, reserved: frozenset[str]
) -> Pieces:
    domain, operator = node.kind
    inputs = [names[key] if key else "" for key in node.inputs]
    bodies = (
        body(attribute, _write_body(graph, names, prefix=f"{name}/{attribute}/", reserved=reserved))
        for attribute, graph in node.bodies
    )
    attributes = (field(NodeProto, "attribute", one) for one in (*node.attributes, *bodies))
    head = message_bytes(helper.make_node(operator, inputs, outputs, name))
    return (head, *joined(attributes), message_bytes(NodeProto(domain=domain)))


def _free(name: str, reserved: frozenset[str]) -> str:
    while name in reserved:
        name += "_"
    return name


def _form(graph: Graph, *, like: ModelProto) -> Form:
    kinds = frozenset(_kinds(graph))
    used = {"", *(domain for domain, _ in kinds)}
    versions = {"" if entry.domain in DEFAULT_DOMAIN else entry.domain: entry.version for entry in like.opset_import}
    opsets = {domain: versions[domain] for domain in sorted(versions) if domain in used}
    head = ModelProto(ir_version=like.ir_version, producer_name="slipway")
    tail = ModelProto(opset_import=[helper.make_opsetid(domain, version) for domain, version in opsets.items()])
    content = field(ModelProto, "graph", _write_graph(graph))
    return Form(
        (message_bytes(head), *content, message_bytes(tail)),
        opsets=opsets,
        operators=frozenset(operator for _, operator in kinds),
    )


def _kinds(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        yield node.kind
        for _, inner in node.bodies:
            yield from _kinds(inner)
