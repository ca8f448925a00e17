"""Rows at the splits of the trees in an ONNX file: on them `<` and `<=` differ, and a split that moved by one step.

Samples seldom hold a number that a tree splits at, so that a file that sends those to the wrong side answers the
samples as its source does. A probe is a sample row that comes to a split on its way down, with the number that is
compared there set to the threshold, to the float32 below it and to the one above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from slipway.converters.columns import Columns, Traced, Untraced, traced_columns
from slipway.converters.tree_nodes import OPERATORS, Trees, trees_of
from slipway.domain.rows import Batch, rows_in, take

_MOST_SPLITS = 2_000
_MOST_ROWS = 2_000  # samples that are sent down the trees
_EXACT_IN_FLOAT32 = 2**24
# What `onnx.reference` raises for an operator, or a form of one, that it does not know.
_CANNOT_COMPUTE = (RuntimeError, NotImplementedError, TypeError, ValueError, IndexError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """`rows` may be none; `problem` then says why, or why there are splits without a row."""

    rows: Batch
    splits: int
    probed: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Split:
    trees: Trees
    node: int
    matrix: npt.NDArray[Any]
    column: Traced | Untraced


def probes_of(model: ModelProto, samples: Batch) -> Probes | None:
    """Rows at up to 2,000 splits, evenly over all that a number of the inputs decides; None where there are no trees.

    `samples` are rows of the model's inputs, by name.
    """
    trees = [node for node in model.graph.node if node.op_type in OPERATORS]
    if not trees:
        return None
    nothing = take(samples, slice(0, 0))
    try:
        splits = [split for node in trees for split in _splits_of(model, node, take(samples, slice(0, _MOST_ROWS)))]
    except _CANNOT_COMPUTE as error:
        return Probes(nothing, 0, 0, f"what its trees read cannot be computed without onnxruntime: {error}")
    settable = [split for split in splits if isinstance(split.column, Traced)]
    chosen = [settable[place] for place in _evenly(len(settable))]
    tried = [_rows_at(split, samples, order=order) for order, split in enumerate(chosen)]
    changed = [rows for rows in tried if rows is not None]
    return Probes(
        rows=_joined([nothing, *changed]),
        splits=len(splits),
        probed=len(changed),
        problem=_why_not_all(splits, chosen=len(chosen), probed=len(changed)),
    )


def _splits_of(model: ModelProto, node: NodeProto, samples: Batch) -> Iterator[_Split]:
    name = node.input[0]
    values = _computed(model, name, samples)
    columns: Columns = traced_columns(model.graph, name, values)
    trees, matrix = trees_of(node), values[name].reshape(rows_in(samples), -1)
    for place in trees.splits.tolist():
        yield _Split(trees, place, matrix, columns[int(trees.column[place])])


def _computed(model: ModelProto, name: str, samples: Batch) -> Mapping[str, npt.NDArray[Any]]:
    """`name` and all that it is made of, a value a name."""
    needed, nodes = {name}, []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(node.input)
    answer = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes[::-1], "part", model.graph.input, [answer], model.graph.initializer)
    part = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, graph=graph)
    given = {info.name: samples[info.name] for info in model.graph.input}
    found: Any = ReferenceEvaluator(part).run(None, given, intermediate=True)
    return {name: value for name, value in found.items() if name in needed and value is not None}


def _evenly(count: int) -> Sequence[int]:
    """At most `_MOST_SPLITS` of `count` places."""
    places: list[int] = np.unique(np.linspace(0, count - 1, min(count, _MOST_SPLITS)).astype(np.int64)).tolist()
    return places if count else []


def _rows_at(split: _Split, samples: Batch, *, order: int) -> Batch | None:
    """A sample row that comes to the split, once a value; None where no sample does, or no value can be sent."""
    arriving = split.trees.arriving(split.node, split.matrix)
    assert isinstance(split.column, Traced)
    values = _values_around(split, samples[split.column.input].dtype)
    if not len(arriving) or not len(values):
        return None
    row = int(arriving[order % len(arriving)])
    changed = {name: np.repeat(column[row : row + 1], len(values), axis=0) for name, column in samples.items()}
    changed[split.column.input].reshape(len(values), -1)[:, split.column.position] = values
    return changed


def _values_around(split: _Split, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The threshold, as the input sends it, and what is next to it."""
    assert isinstance(split.column, Traced)
    threshold = split.column.stretch * float(split.trees.threshold[split.node]) + split.column.shift
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        whole = np.array([np.floor(threshold), np.floor(threshold) + 1])
        there: npt.NDArray[Any] = whole[np.abs(whole) <= min(_EXACT_IN_FLOAT32, np.iinfo(dtype).max)].astype(dtype)
        return there
    with np.errstate(over="ignore"):
        at = np.float32(threshold)
    around = np.array([at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf))])
    finite: npt.NDArray[Any] = around[np.isfinite(around)].astype(dtype)
    return finite


def _joined(parts: Sequence[Batch]) -> Batch:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _why_not_all(splits: Sequence[_Split], *, chosen: int, probed: int) -> str:
    behind = sorted({split.column.operator for split in splits if isinstance(split.column, Untraced)})
    reasons = [
        f"no single number of the inputs decides behind {', '.join(behind)}" if behind else "",
        f"no sample comes to {chosen - probed:,} of them" if chosen > probed else "",
    ]
    return "; ".join(reason for reason in reasons if reason)
