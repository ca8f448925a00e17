"""Splits that send rows to the other side, and trees that are lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto
from slipway.domain.rows import Batch

from tests.mutations.damages.parts import TREES, any_changed, attribute_of, nodes, rewrite


def compare_with_less_for_less_or_equal(model: ModelProto, samples: Batch) -> bool:
    """Or the other way round, where the framework compares with `<`."""
    other = {b"BRANCH_LEQ": b"BRANCH_LT", b"BRANCH_LT": b"BRANCH_LEQ"}
    return any_changed(_change_lists(model, "nodes_modes", lambda modes: [other.get(mode, mode) for mode in modes]))


def _change_lists(model: ModelProto, name: str, change: Callable[[list[Any]], Sequence[Any]]) -> Iterator[bool]:
    for node in nodes(model, *TREES):
        attribute = attribute_of(node, name)
        if attribute is not None:
            values = attribute.strings or attribute.ints or attribute.floats
            yield rewrite(values, change(list(values)))


def _move_thresholds(model: ModelProto, towards: float, *, only_first: bool = False) -> bool:
    def moved(values: list[float]) -> list[float]:
        stepped = np.nextafter(np.array(values, np.float32), np.float32(towards)).tolist()
        return [stepped[0], *values[1:]] if only_first else stepped

    return any_changed(_change_lists(model, "nodes_values", moved))


def move_all_thresholds_up_one_float(model: ModelProto, samples: Batch) -> bool:
    return _move_thresholds(model, np.inf)


def move_all_thresholds_down_one_float(model: ModelProto, samples: Batch) -> bool:
    return _move_thresholds(model, -np.inf)


def move_the_first_threshold_one_float(model: ModelProto, samples: Batch) -> bool:
    return _move_thresholds(model, np.inf, only_first=True)


def round_thresholds_to_four_digits(model: ModelProto, samples: Batch) -> bool:
    return any_changed(_change_lists(model, "nodes_values", lambda values: [float(f"{value:.4g}") for value in values]))


def send_missing_values_to_the_other_side(model: ModelProto, samples: Batch) -> bool:
    return any_changed(
        _change_lists(model, "nodes_missing_value_tracks_true", lambda flags: [1 - flag for flag in flags])
    )


def _lose_a_tree(model: ModelProto, choose: Callable[[list[int]], int]) -> bool:
    changed = []
    for node in nodes(model, *TREES):
        kind = "class" if node.op_type == "TreeEnsembleClassifier" else "target"
        trees, weights = attribute_of(node, f"{kind}_treeids"), attribute_of(node, f"{kind}_weights")
        if trees is None or weights is None:
            continue
        lost = choose(list(trees.ints))
        kept = [0.0 if tree == lost else weight for tree, weight in zip(trees.ints, weights.floats, strict=True)]
        changed.append(rewrite(weights.floats, kept))
    return any(changed)


def lose_the_last_tree(model: ModelProto, samples: Batch) -> bool:
    return _lose_a_tree(model, max)


def lose_the_first_tree(model: ModelProto, samples: Batch) -> bool:
    return _lose_a_tree(model, min)
