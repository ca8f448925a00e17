"""An ONNX graph without names: each value is known by what computes it.

The *key* of a value is a hash of the operator, its attributes and the keys of its inputs; a constant's key is a
hash of its content, an input's of its name. Values with equal keys are equal, so they are computed once, and what
no output needs is left out. Bodies of `If`, `Loop` and `Scan` are read the same way: the inputs of a body are
known by its nesting level and their position.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto

from slipway.converters import pieces
from slipway.converters.pieces import Pieces, Weights, message_bytes
from slipway.converters.tables import in_order
from slipway.errors import ModelRefused

DEFAULT_DOMAIN = ("", "ai.onnx")
# Two such nodes are equal in everything but what they answer, so they must not become one.
_RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
_NO_CANONICAL_FORM = {AttributeProto.GRAPHS, AttributeProto.SPARSE_TENSOR, AttributeProto.SPARSE_TENSORS}


@dataclass(frozen=True, slots=True)
class Value:
    """What a name stands for; `depth` is the longest way to it from an input.

    `dtype` is a `TensorProto.DataType`, None where it is not known.
    """

    key: str
    depth: int = 0
    dtype: int | None = None


@dataclass(frozen=True)
class Node:
    """A node by content: `inputs` are keys ("" for one left out), `outputs` say which ones are asked for."""

    depth: int
    kind: tuple[str, str]
    attributes: tuple[Pieces, ...]
    bodies: tuple[tuple[str, Graph], ...]
    inputs: tuple[str, ...]
    outputs: tuple[bool, ...]

    @cached_property
    def key(self) -> str:
        bodies = [f"{name} {body.key}" for name, body in self.bodies]
        asked = repr(self.outputs)
        given = ("inputs", *self.inputs, "attributes")
        return _hash("node", *self.kind, asked, *given, *self.attributes, "bodies", *bodies)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The keys of all outputs, also of those that are not asked for."""
        return tuple(_hash(self.key, str(index)) for index in range(len(self.outputs)))

    @property
    def takes(self) -> set[str]:
        captured = {value.key for _, body in self.bodies for value in body.captured}
        return captured.union(self.inputs)


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph by content. `results` are its outputs, `captured` what it takes from the graphs around it."""

    inputs: tuple[tuple[str, ValueInfoProto], ...]
    results: tuple[tuple[Value, ValueInfoProto], ...]
    constants: Mapping[str, Weights]
    nodes: tuple[Node, ...]
    captured: tuple[Value, ...]

    @property
    def key(self) -> str:
        asked = (message_bytes(without_names(info)) for _, info in self.inputs)
        return _hash("graph", *asked, *(value.key for value, _ in self.results))


def read(graph: GraphProto, *, dtypes: Mapping[str, int], weights: Iterable[TensorProto] | None = None) -> Graph:
    """Read a model's graph; `dtypes` are the element types that are known, by name.

    `weights` stand for those of `graph`, where these have no numbers.

    Raises:
        ModelRefused: the graph draws random numbers, keeps weights outside of itself, or is not sorted.
    """
    own = graph.initializer if weights is None else weights
    return _read(graph, own, scope={}, level=0, dtypes=dtypes)


def _read(
    graph: GraphProto,
    weights: Iterable[TensorProto],
    *,
    scope: Mapping[str, Value],
    level: int,
    dtypes: Mapping[str, int],
) -> Graph:
    if graph.sparse_initializer:
        raise ModelRefused(
            "the model holds sparse weights, which no canonical form is known for",
            mend="make the weights dense before exporting the model",
        )
    tensors = {tensor.name: pieces.weights(tensor) for tensor in weights}
    asked = [info for info in graph.input if info.name not in tensors]  # one with a default is a constant
    inputs = {info.name: _input(info, level=level, position=index) for index, info in enumerate(asked)}
    constants = {name: Value(_hash("constant", tensor.pieces)) for name, tensor in tensors.items()}
    known = {**scope, **inputs, **constants}
    nodes = [_read_node(node, known, level=level, dtypes=dtypes) for node in graph.node]
    results = tuple((_look_up(info.name, known), info) for info in graph.output)
    needed = _needed(nodes, (value.key for value, _ in results))
    by_key = {constants[name].key: tensor for name, tensor in tensors.items()}
    own = {value.key for value in (*inputs.values(), *constants.values())}.union(*(node.answers for node in nodes))
    return Graph(
        inputs=tuple((inputs[info.name].key, info) for info in asked),
        results=results,
        constants={key: by_key[key] for key in sorted(needed.intersection(by_key))},
        nodes=in_one_order(node for node in nodes if needed.intersection(node.answers)),
        captured=tuple({value.key: value for value in scope.values() if value.key in needed - own}.values()),
    )


def _input(info: ValueInfoProto, *, level: int, position: int) -> Value:
    dtype = info.type.tensor_type.elem_type
    if level == 0:
        return Value(_hash("input", public_name(info.name)), dtype=dtype)
    typed = message_bytes(without_names(info))
    return Value(_hash("input of a body", str(level), str(position), typed), dtype=dtype)


def _read_node(node: NodeProto, known: dict[str, Value], *, level: int, dtypes: Mapping[str, int]) -> Node:
    """Find the node's key, and add its outputs to the known values."""
    domain = "" if node.domain in DEFAULT_DOMAIN else node.domain
    if domain == "" and node.op_type in _RANDOM:
        raise ModelRefused(
            f"the model draws random numbers (`{node.op_type}`), so it answers the same row differently each time",
            mend="export the model for inference, with its dropout and noise layers switched off",
        )
    taken = [_look_up(name, known) for name in _without_trailing_blanks(node.input)]
    bodies = _bodies(node, known, level=level + 1)
    captured = [value for _, body in bodies for value in body.captured]
    read_node = Node(
        depth=1 + max((value.depth for value in (*taken, *captured)), default=0),
        kind=(domain, node.op_type),
        attributes=_attributes(node, reads=taken[0].dtype if taken else None),
        bodies=bodies,
        inputs=tuple(value.key for value in taken),
        outputs=tuple(bool(name) for name in _without_trailing_blanks(node.output)),
    )
    for name, key in zip(node.output, read_node.answers, strict=False):
        known[name] = Value(key, read_node.depth, dtypes.get(name))
    return read_node


def _bodies(node: NodeProto, known: Mapping[str, Value], *, level: int) -> tuple[tuple[str, Graph], ...]:
    bodies = {attribute.name: attribute.g for attribute in node.attribute if attribute.type == AttributeProto.GRAPH}
    return tuple(
        (name, with_results_of_their_own(_read(body, body.initializer, scope=known, level=level, dtypes={})))
        for name, body in sorted(bodies.items())
    )


def with_results_of_their_own(graph: Graph, *, passed_on: Mapping[str, str] | None = None) -> Graph:
    """Put an `Identity` before a result that no node computes, or that is a result already.

    `passed_on` are inputs that may be results, under the same name.
    """
    free = {key for node in graph.nodes for key in node.answers}
    results: list[tuple[Value, ValueInfoProto]] = []
    added: list[Node] = []
    for value, info in graph.results:
        own = value
        while own.key not in free and (passed_on or {}).get(own.key) != info.name:
            added.append(Node(own.depth + 1, ("", "Identity"), (), (), (own.key,), (True,)))
            own = Value(added[-1].answers[0], own.depth + 1)
            free |= {own.key} - {result.key for result, _ in results}
        free.discard(own.key)
        results.append((own, info))
    return replace(graph, results=tuple(results), nodes=in_one_order((*graph.nodes, *added)))


def in_one_order(nodes: Iterable[Node]) -> tuple[Node, ...]:
    different = {node.key: node for node in nodes}.values()
    return tuple(sorted(different, key=lambda node: (node.depth, node.kind, node.key)))


def public_name(name: str) -> str:
    """`hour:0` is how TensorFlow calls the first output of the node `hour`."""
    return name.removesuffix(":0")


def without_names(info: ValueInfoProto) -> ValueInfoProto:
    """The type alone; a free axis has no name."""
    copy = ValueInfoProto(type=info.type)
    for dimension in copy.type.tensor_type.shape.dim:
        dimension.ClearField("denotation")
        dimension.ClearField("dim_param")
    return copy


def _look_up(name: str, known: Mapping[str, Value]) -> Value:
    if not name:
        return Value("")
    if name not in known:
        raise ModelRefused(
            f"the model uses `{name}` before it is computed",
            mend="export the model again; its nodes must be sorted, as the ONNX format asks",
        )
    return known[name]


def _needed(nodes: Sequence[Node], results: Iterable[str]) -> set[str]:
    needed = set(results)
    for node in reversed(nodes):
        if needed.intersection(node.answers):
            needed |= node.takes
    return needed


def _attributes(node: NodeProto, *, reads: int | None) -> tuple[Pieces, ...]:
    """All but the bodies, sorted by name, tables sorted by content."""
    plain = [attribute for attribute in node.attribute if attribute.type != AttributeProto.GRAPH]
    if any(attribute.type in _NO_CANONICAL_FORM for attribute in plain):
        raise ModelRefused(
            f"a node `{node.op_type}` has an attribute of a kind that no canonical form is known for",
            mend="express it with dense tensors or with a body of `If` or `Loop`",
        )
    ordered = sorted(in_order(node.op_type, plain, reads=reads), key=lambda attribute: attribute.name)
    return tuple(pieces.attribute(attribute) for attribute in ordered)


def _without_trailing_blanks(names: Sequence[str]) -> Sequence[str]:
    length = max((index + 1 for index, name in enumerate(names) if name), default=0)
    return names[:length]


def _hash(*parts: str | bytes | Pieces) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = (part.encode(),) if isinstance(part, str) else (part,) if isinstance(part, bytes) else part
        digest.update(sum(map(len, content)).to_bytes(8, "big"))
        for piece in content:
            digest.update(piece)
    return digest.hexdigest()
