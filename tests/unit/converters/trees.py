"""A tree of two splits, in the two forms that ONNX has for trees.

`x <= 1.5` goes to the split `y < 4`, all else is the leaf 30; `y < 4` is the leaf 10, all else 20. A missing y is less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


def by_id(matrix: str = "matrix", *, columns: tuple[int, int] = (0, 1)) -> NodeProto:
    """As ai.onnx.ml 1 and 3 have it; x and y are these columns of the matrix."""
    return helper.make_node(
        "TreeEnsembleRegressor",
        [matrix],
        ["answer"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0] * 5,
        nodes_nodeids=[0, 1, 2, 3, 4],
        nodes_featureids=[columns[0], columns[1], 0, 0, 0],
        nodes_values=[1.5, 4.0, 0.0, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "BRANCH_LT", "LEAF", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 2, 0, 0, 0],
        nodes_falsenodeids=[4, 3, 0, 0, 0],
        nodes_missing_value_tracks_true=[0, 1, 0, 0, 0],
        target_treeids=[0, 0, 0],
        target_nodeids=[2, 3, 4],
        target_ids=[0, 0, 0],
        target_weights=[10.0, 20.0, 30.0],
    )


def indexed(matrix: str = "matrix") -> NodeProto:
    """As ai.onnx.ml 5 has it."""
    return helper.make_node(
        "TreeEnsemble",
        [matrix],
        ["answer"],
        domain="ai.onnx.ml",
        n_targets=1,
        tree_roots=[0],
        nodes_featureids=[0, 1],
        nodes_splits=numpy_helper.from_array(np.array([1.5, 4.0], np.float32), "splits"),
        nodes_modes=numpy_helper.from_array(np.array([0, 1], np.uint8), "modes"),
        nodes_truenodeids=[1, 0],
        nodes_trueleafs=[0, 1],
        nodes_falsenodeids=[2, 1],
        nodes_falseleafs=[1, 1],
        nodes_missing_value_tracks_true=[0, 1],
        leaf_targetids=[0, 0, 0],
        leaf_weights=numpy_helper.from_array(np.array([10.0, 20.0, 30.0], np.float32), "weights"),
    )


def model(
    front: Sequence[NodeProto], tree: NodeProto, *, inputs: Mapping[str, tuple[int, int]], **constants: np.ndarray
) -> ModelProto:
    """`front` computes what `tree` reads; `inputs` are element type and width, by name."""
    infos = [helper.make_tensor_value_info(name, kind, ["N", width]) for name, (kind, width) in inputs.items()]
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["N", 1])
    tensors = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph([*front, tree], "tree", infos, [answer], tensors)
    opsets = [
        helper.make_opsetid("", 18),
        helper.make_opsetid("ai.onnx.ml", 5 if tree.op_type == "TreeEnsemble" else 3),
    ]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)
