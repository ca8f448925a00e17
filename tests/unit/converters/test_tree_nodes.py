"""Trees of an ONNX file, in both forms that ONNX has."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import NodeProto, helper
from slipway.converters.tree_nodes import trees_of

from tests.unit.converters import trees

_ROWS = np.array([[1.0, 3.0], [1.5, 4.0], [2.0, 3.0], [np.nan, 3.0], [0.0, np.nan]], np.float32)


@pytest.mark.parametrize("node", [trees.by_id(), trees.indexed()], ids=["ai.onnx.ml 3", "ai.onnx.ml 5"])
def test_both_forms_are_read_as_the_same_splits(node: NodeProto) -> None:
    """A converter that moves to the new operator must not end the probing of trees."""
    found = trees_of(node)

    assert found.threshold[found.splits].tolist() == [1.5, 4.0]
    assert found.column[found.splits].tolist() == [0, 1]
    assert found.mode[found.splits].tolist() == ["BRANCH_LEQ", "BRANCH_LT"]


@pytest.mark.parametrize("node", [trees.by_id(), trees.indexed()], ids=["ai.onnx.ml 3", "ai.onnx.ml 5"])
def test_rows_go_down_as_onnx_sends_them(node: NodeProto) -> None:
    """A probe that starts from a row that never comes to the split tests nothing there; NaN has a side of its own."""
    first, second = trees_of(node).splits.tolist()

    assert trees_of(node).arriving(first, _ROWS).tolist() == [0, 1, 2, 3, 4]
    assert trees_of(node).arriving(second, _ROWS).tolist() == [0, 1, 4]


def test_nothing_is_known_below_a_split_by_categories() -> None:
    """Which side a row takes there is not told by one number."""
    node = trees.by_id()
    modes = next(attribute for attribute in node.attribute if attribute.name == "nodes_modes")
    modes.CopyFrom(helper.make_attribute("nodes_modes", ["BRANCH_MEMBER", "BRANCH_LT", "LEAF", "LEAF", "LEAF"]))

    (second,) = trees_of(node).splits.tolist()

    assert trees_of(node).arriving(second, _ROWS).tolist() == []
