"""The trees inside an ONNX file, of every operator that holds trees, in one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, helper, numpy_helper

OPERATORS = ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
_GOES_TRUE: Mapping[str, Any] = {
    "BRANCH_LEQ": np.less_equal,
    "BRANCH_LT": np.less,
    "BRANCH_GTE": np.greater_equal,
    "BRANCH_GT": np.greater,
    "BRANCH_EQ": np.equal,
    "BRANCH_NEQ": np.not_equal,
}
_NONE = -1

Integers = npt.NDArray[np.int64]
Matrix = npt.NDArray[Any]  # shape [rows, columns], what a tree operator reads


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """All nodes of an ensemble, one entry a node: arrays of shape [nodes].

    `parent` is the place of the node above (-1: a root), `on_true` tells whether a node is the side of its parent
    to which a comparison that holds leads. `threshold` has the type in which ONNX compares. A mode that is none of
    the six comparisons, such as LEAF, splits nothing.
    """

    column: Integers
    threshold: npt.NDArray[np.floating[Any]]
    mode: npt.NDArray[np.str_]
    missing_is_true: npt.NDArray[np.bool_]
    parent: Integers
    on_true: npt.NDArray[np.bool_]

    @property
    def splits(self) -> Integers:
        """The places of the nodes that compare a number."""
        return np.flatnonzero(np.isin(self.mode, list(_GOES_TRUE)) & np.isfinite(self.threshold))

    def arriving(self, node: int, matrix: Matrix) -> Integers:
        """The rows of `matrix` that come to `node` on their way down; none where a node above compares no number."""
        rows = np.arange(len(matrix))
        for place in self._way_to(node):
            above = int(self.parent[place])
            if self.mode[above] not in _GOES_TRUE:
                return rows[:0]
            rows = rows[self._holds(above, matrix[rows, self.column[above]]) == self.on_true[place]]
        return rows

    def _way_to(self, node: int) -> list[int]:
        """`node` and what is above it but the root, from the top."""
        way = []
        while self.parent[node] != _NONE:
            way.append(node)
            node = int(self.parent[node])
        return way[::-1]

    def _holds(self, node: int, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        compared = _GOES_TRUE[str(self.mode[node])](values.astype(self.threshold.dtype), self.threshold[node])
        held: npt.NDArray[np.bool_] = np.where(np.isnan(values), self.missing_is_true[node], compared).astype(np.bool_)
        return held


def trees_of(node: NodeProto) -> Trees:
    """Read an operator of `OPERATORS`."""
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return _indexed(attributes) if node.op_type == "TreeEnsemble" else _by_id(attributes)


def _by_id(attributes: Mapping[str, Any]) -> Trees:
    """Of ai.onnx.ml 1 and 3: nodes are known by the number of their tree and their own."""
    modes = np.array([mode.decode() for mode in attributes["nodes_modes"]])
    own = list(zip(attributes["nodes_treeids"], attributes["nodes_nodeids"], strict=True))
    place = {pair: index for index, pair in enumerate(own)}
    parent, on_true = np.full(len(own), _NONE), np.zeros(len(own), np.bool_)
    for side, leads_true in (("nodes_falsenodeids", False), ("nodes_truenodeids", True)):
        for above in np.flatnonzero(modes != "LEAF"):
            below = place[own[above][0], attributes[side][above]]
            parent[below], on_true[below] = above, leads_true
    exact = attributes.get("nodes_values_as_tensor")
    thresholds = np.array(attributes["nodes_values"], np.float32) if exact is None else numpy_helper.to_array(exact)
    return Trees(
        column=np.array(attributes["nodes_featureids"], np.int64),
        threshold=thresholds,
        mode=modes,
        missing_is_true=_flags(attributes.get("nodes_missing_value_tracks_true"), len(own)),
        parent=parent,
        on_true=on_true,
    )


def _indexed(attributes: Mapping[str, Any]) -> Trees:
    """Of ai.onnx.ml 5: nodes are known by their place, and leaves stand in lists of their own."""
    thresholds = numpy_helper.to_array(attributes["nodes_splits"])
    parent, on_true = np.full(len(thresholds), _NONE), np.zeros(len(thresholds), np.bool_)
    for above, below, leads_true in _branches(attributes):
        parent[below], on_true[below] = above, leads_true
    modes = numpy_helper.to_array(attributes["nodes_modes"])
    return Trees(
        column=np.array(attributes["nodes_featureids"], np.int64),
        threshold=thresholds,
        mode=np.array([_MODES[mode] for mode in modes]),
        missing_is_true=_flags(attributes.get("nodes_missing_value_tracks_true"), len(thresholds)),
        parent=parent,
        on_true=on_true,
    )


def _branches(attributes: Mapping[str, Any]) -> Iterator[tuple[int, int, bool]]:
    """Node, the node below it, and the side; a tree that is one leaf alone points to it from both sides."""
    for side, leads_true in (("false", False), ("true", True)):
        below, is_leaf = attributes[f"nodes_{side}nodeids"], attributes[f"nodes_{side}leafs"]
        for above, (place, leaf) in enumerate(zip(below, is_leaf, strict=True)):
            if not leaf:
                yield above, place, leads_true


def _flags(values: Any, size: int) -> npt.NDArray[np.bool_]:
    return np.zeros(size, np.bool_) if values is None else np.array(values, np.bool_)
