"""One form of an ONNX file for all files that compute the same, so that one source has one digest.

Converters vary names, the order of nodes and the order of dictionaries at each run. Here nodes are sorted by
(depth, operator, key) of the graph as `by_content` reads it, everything but the names of inputs and outputs is
renamed by that order, and what tells of the conversion alone (producer, texts, inferred shapes) is dropped.

This module runs in the environment of a converter too: it needs onnx and numpy, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto, helper, inliner, shape_inference

from slipway.converters.by_content import (
    DEFAULT_DOMAIN,
    Graph,
    Node,
    message_bytes,
    public_name,
    read,
    with_results_of_their_own,
    without_names,
)
from slipway.errors import ModelRefused

_KeyOrValue = TypeVar("_KeyOrValue")


def canonical(model: ModelProto, *, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> ModelProto:
    """Rewrite `model` so that equal computations have equal bytes; its answers stay the same to the bit.

    `inputs` and `outputs` are the order in which they are declared; without it, they are ordered by name.

    Raises:
        ModelRefused: the file draws random numbers, keeps weights outside of itself, is not sorted, or has other
            inputs or outputs than declared.
    """
    inlined = inliner.inline_local_functions(model) if model.functions else model
    graph = read(inlined.graph, dtypes=_dtypes(inlined))
    graph = replace(
        graph,
        inputs=_ordered("inputs", graph.inputs, inputs),
        results=_ordered("outputs", graph.results, outputs),
    )
    graph = with_results_of_their_own(graph, passed_on={key: info.name for key, info in graph.inputs})
    return _model(_write_graph(graph), like=inlined)


def serialise(model: ModelProto) -> bytes:
    """The bytes whose digest names the model."""
    return message_bytes(model)


def _dtypes(model: ModelProto) -> dict[str, int]:
    inferred = shape_inference.infer_shapes(model).graph
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


def _write_graph(graph: Graph) -> GraphProto:
    inputs = [info for _, info in graph.inputs]
    outputs = {value.key: info for value, info in graph.results}
    names = {key: info.name for key, info in graph.inputs}
    reserved = frozenset(names.values()) | {info.name for info in outputs.values()}
    answers = {key: info.name for key, info in outputs.items()}
    written = GraphProto(name="graph", input=inputs, output=outputs.values())
    _write_content(graph, written, names, answers=answers, prefix="", reserved=reserved)
    return written


def _write_body(graph: Graph, around: Mapping[str, str], *, prefix: str, reserved: frozenset[str]) -> GraphProto:
    """`around` are the names of the values around the body, by key."""
    inputs = [_named(info, f"{prefix}input_{index}") for index, (_, info) in enumerate(graph.inputs)]
    names = {**around, **{key: info.name for (key, _), info in zip(graph.inputs, inputs, strict=True)}}
    written = GraphProto(name=prefix.rstrip("/"), input=inputs)
    _write_content(graph, written, names, answers={}, prefix=prefix, reserved=reserved)
    written.output.extend(_named(info, names[value.key]) for value, info in graph.results)
    return written


def _named(info: ValueInfoProto, name: str) -> ValueInfoProto:
    return ValueInfoProto(name=name, type=without_names(info).type)


def _write_content(
    graph: Graph,
    written: GraphProto,
    names: dict[str, str],
    *,
    answers: Mapping[str, str],
    prefix: str,
    reserved: frozenset[str],
) -> None:
    """Write constants and nodes, and add their names to `names`; `answers` are names that are given already."""
    for index, (key, tensor) in enumerate(graph.constants.items()):
        names[key] = _free(f"{prefix}constant_{index}", reserved)
        written.initializer.add().CopyFrom(tensor)
        written.initializer[-1].name = names[key]
    for index, node in enumerate(graph.nodes):
        name = _free(f"{prefix}{node.kind[1]}_{index}", reserved)
        outputs = _output_names(node, name, answers)
        written.node.append(_write_node(node, name, outputs, names, reserved=reserved))
        names |= zip(node.answers, outputs, strict=True)


def _output_names(node: Node, name: str, answers: Mapping[str, str]) -> list[str]:
    inner = (name if index == 0 else f"{name}.{index}" for index in range(len(node.outputs)))
    given = (answers.get(key, own) for key, own in zip(node.answers, inner, strict=True))
    return [one if asked else "" for one, asked in zip(given, node.outputs, strict=True)]


def _write_node(
    node: Node, name: str, outputs: Sequence[str], names: Mapping[str, str], *, reserved: frozenset[str]
) -> NodeProto:
    domain, operator = node.kind
    inputs = [names[key] if key else "" for key in node.inputs]
    written = helper.make_node(operator, inputs, outputs, name, domain=domain)
    written.attribute.extend(node.attributes)
    for attribute, body in node.bodies:
        graph = _write_body(body, names, prefix=f"{name}/{attribute}/", reserved=reserved)
        written.attribute.append(helper.make_attribute(attribute, graph))
    return written


def _free(name: str, reserved: frozenset[str]) -> str:
    while name in reserved:
        name += "_"
    return name


def _model(graph: GraphProto, *, like: ModelProto) -> ModelProto:
    used = {"", *_domains(graph)}
    versions = {"" if entry.domain in DEFAULT_DOMAIN else entry.domain: entry.version for entry in like.opset_import}
    opsets = [helper.make_opsetid(domain, versions[domain]) for domain in sorted(versions) if domain in used]
    return ModelProto(ir_version=like.ir_version, producer_name="slipway", graph=graph, opset_import=opsets)


def _domains(graph: GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield node.domain
        for attribute in _body_attributes(node):
            yield from _domains(attribute.g)


def _body_attributes(node: NodeProto) -> Iterable[AttributeProto]:
    return (attribute for attribute in node.attribute if attribute.type == AttributeProto.GRAPH)
