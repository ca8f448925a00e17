"""Rows at the splits of trees: where `<` and `<=` differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper
from slipway.converters.splits import Probes, probes_of

from tests.unit.converters import trees

_FLOAT, _DOUBLE, _WHOLE = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
_SAMPLES = {"x": np.array([[1.0], [5.0]], np.float32), "y": np.array([[7.0], [7.0]], np.float32)}


def _side_by_side(*names: str) -> NodeProto:
    return helper.make_node("Concat", names, ["matrix"], axis=1)


def _probed(
    front: list[NodeProto], samples: dict[str, Any], *, tree: NodeProto | None = None, **constants: Any
) -> Probes:
    kinds = {np.dtype(np.float32): _FLOAT, np.dtype(np.float64): _DOUBLE, np.dtype(np.int64): _WHOLE}
    inputs = {name: (kinds[column.dtype], column.shape[1]) for name, column in samples.items()}
    found = probes_of(trees.model(front, tree or trees.by_id(), inputs=inputs, **constants), samples)
    assert found is not None
    return found


def _next_to(value: float) -> list[float]:
    at = np.float32(value)
    return [float(at), float(np.nextafter(at, np.float32(-np.inf))), float(np.nextafter(at, np.float32(np.inf)))]


@pytest.mark.parametrize("tree", [trees.by_id(), trees.indexed()], ids=["ai.onnx.ml 3", "ai.onnx.ml 5"])
def test_a_sample_that_comes_to_a_split_is_moved_onto_it_and_to_either_side(tree: NodeProto) -> None:
    """Only the first sample comes to the split of y: moved from the second, no probe would reach it."""
    probes = _probed([_side_by_side("x", "y")], _SAMPLES, tree=tree)

    assert (probes.splits, probes.probed, probes.problem) == (2, 2, "")
    assert probes.rows["x"][:, 0].tolist() == [*_next_to(1.5), 1.0, 1.0, 1.0]
    assert probes.rows["y"][:, 0].tolist() == [7.0, 7.0, 7.0, *_next_to(4.0)]


def test_behind_a_scaler_the_input_is_set_to_what_becomes_the_threshold() -> None:
    """scikit-learn scales in float64 in front of its forests."""
    front = [
        _side_by_side("x", "y"),
        helper.make_node("Sub", ["matrix", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "size"], ["scaled"]),
    ]
    constants = {"mean": np.array([10, 10], np.float32), "size": np.array([2, 4], np.float32)}
    samples = {"x": np.array([[10.0]], np.float32), "y": np.array([[30.0]], np.float32)}
    probes = _probed(front, samples, tree=trees.by_id("scaled"), **constants)

    assert probes.rows["x"][:3, 0].tolist() == _next_to(1.5 * 2 + 10)
    assert probes.rows["y"][3:, 0].tolist() == _next_to(4.0 * 4 + 10)


def test_float64_takes_the_steps_of_float32_in_which_trees_compare() -> None:
    """The next float64 is the same float32."""
    samples = {name: column.astype(np.float64) for name, column in _SAMPLES.items()}
    front = [
        helper.make_node("Concat", ["x", "y"], ["wide"], axis=1),
        helper.make_node("Cast", ["wide"], ["matrix"], to=_FLOAT),
    ]

    probes = _probed(front, samples)

    assert probes.rows["x"].dtype == np.float64
    assert probes.rows["x"][:3, 0].tolist() == _next_to(1.5)


def test_whole_numbers_take_the_ones_on_either_side() -> None:
    """There is none between them."""
    samples = {"x": np.array([[1]], np.int64), "y": _SAMPLES["y"][:1]}
    front = [helper.make_node("Cast", ["x"], ["cast"], to=_FLOAT), _side_by_side("cast", "y")]

    assert _probed(front, samples).rows["x"][:2, 0].tolist() == [1, 2]


def test_a_split_that_no_input_decides_alone_is_counted_with_the_reason() -> None:
    """`All splits agree` must not be said of splits that nobody asked."""
    mixed = [_side_by_side("x", "y"), helper.make_node("MatMul", ["matrix", "mix"], ["mixed"])]

    probes = _probed(mixed, _SAMPLES, tree=trees.by_id("mixed"), mix=np.array([[1, 2], [3, 4]], np.float32))

    assert (probes.splits, probes.probed) == (2, 0)
    assert {name: len(column) for name, column in probes.rows.items()} == {"x": 0, "y": 0}
    assert probes.problem == "no single number of the inputs decides behind MatMul"


def test_a_split_that_no_sample_comes_to_is_counted_with_the_reason() -> None:
    """A made-up row may be one that the source refuses."""
    samples = {name: column[1:] for name, column in _SAMPLES.items()}  # goes to the leaf at once

    probes = _probed([_side_by_side("x", "y")], samples)

    assert (probes.splits, probes.probed) == (2, 1)
    assert probes.problem == "no sample comes to 1 of them"


def test_a_model_without_trees_has_no_splits() -> None:
    """None is another thing than none of them: a gate that finds no probes must know which."""
    model = trees.model([], trees.by_id("x"), inputs={"x": (_FLOAT, 2)})
    model.graph.node[0].CopyFrom(helper.make_node("Identity", ["x"], ["answer"]))

    assert probes_of(model, {"x": np.zeros((1, 2), np.float32)}) is None


def test_what_cannot_be_computed_here_is_told_and_ends_no_conversion() -> None:
    """The environments of the frameworks hold no onnxruntime; onnx's own evaluator lacks some operators."""
    node = helper.make_node("Unknown", ["x"], ["matrix"], domain="nowhere")
    model = trees.model([node], trees.by_id(), inputs={"x": (_FLOAT, 2)})
    model.opset_import.append(helper.make_opsetid("nowhere", 1))

    found = probes_of(model, {"x": np.zeros((1, 2), np.float32)})

    assert found is not None
    assert (found.splits, found.probed) == (0, 0)
    assert found.problem.startswith("what its trees read cannot be computed without onnxruntime")
