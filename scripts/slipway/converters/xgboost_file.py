"""What an XGBoost file says of its trees, read without XGBoost, which follows what is written there unchecked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slipway.converters import ubjson
from slipway.converters.tree_shape import refuse_outside, refuse_tangled, whole_numbers
from slipway.errors import ModelRefused

_MOST_BYTES = 1 << 30
_MEND = "save the model again: booster.save_model('model.ubj')"


def refuse(file: Path) -> None:
    """Say no to a file that is another one than XGBoost writes, or whose trees are none.

    Raises:
        ModelRefused: a length or a number of a node, column or class lies, or the file is none of XGBoost's.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise ModelRefused(f"{file.name} has more than {_MOST_BYTES:,} bytes", mend="make the model smaller")
    try:
        learner = _parsed(file)["learner"]
        booster = learner["gradient_booster"]
        model = (booster.get("gbtree") or booster).get("model", {})
        if "trees" in model:
            _refuse_trees(file.name, model, learner["learner_model_param"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelRefused(f"{file.name} is none of XGBoost's own files: {error}", mend=_MEND) from error


def _parsed(file: Path) -> Any:
    content = file.read_bytes()
    if file.name.endswith(".ubj"):
        return ubjson.parse(content)
    return json.loads(content, object_pairs_hook=_without_twins)


def _without_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse_trees(name: str, model: Any, learned: Any) -> None:
    trees, columns = model["trees"], int(learned["num_feature"])
    groups = max(1, int(learned["num_class"])) * max(1, int(learned.get("num_target", 1)))
    count = int(model["gbtree_model_param"]["num_trees"])
    if count != len(trees):
        raise ModelRefused(f"{name} states {count:,} trees and holds {len(trees):,}", mend=_MEND)
    of_class = whole_numbers(model["tree_info"], what=f"{name}: `tree_info`", count=count)
    refuse_outside(of_class, below=groups, what=f"{name}: `tree_info`")
    begins = whole_numbers(model.get("iteration_indptr", []), what=f"{name}: `iteration_indptr`")
    refuse_outside(begins, below=count + 1, what=f"{name}: `iteration_indptr`")
    if (np.diff(begins) < 0).any():
        raise ModelRefused(f"{name}: `iteration_indptr` goes back", mend=_MEND)
    for index, tree in enumerate(trees):
        _refuse_tree(tree, columns=columns, what=f"{name}: tree {index}")


def _refuse_tree(tree: Any, *, columns: int, what: str) -> None:
    nodes = int(tree["tree_param"]["num_nodes"])
    left, right = (
        whole_numbers(tree[side], what=f"{what}, `{side}`", count=nodes) for side in ("left_children", "right_children")
    )
    splits = left != -1
    if nodes < 1 or ((right != -1) != splits).any():
        raise ModelRefused(f"{what} has a node with one child, or no node", mend=_MEND)
    refuse_tangled(np.concatenate([left[splits], right[splits]]), nodes=nodes, what=what)
    asked = whole_numbers(tree["split_indices"], what=f"{what}, `split_indices`", count=nodes)
    refuse_outside(asked[splits], below=columns, what=f"{what}, `split_indices`")
    for side in ("split_conditions", "default_left"):
        if len(tree[side]) != nodes:
            raise ModelRefused(f"{what}, `{side}` has {len(tree[side])} values for {nodes} nodes", mend=_MEND)
    _refuse_categories(tree, nodes=nodes, what=what)


def _refuse_categories(tree: Any, *, nodes: int, what: str) -> None:
    names = ("categories_nodes", "categories_segments", "categories_sizes")
    asked, begins, sizes = (whole_numbers(tree.get(name, []), what=f"{what}, `{name}`") for name in names)
    if not len(asked) == len(begins) == len(sizes):
        raise ModelRefused(f"{what} has categories of {len(asked)} nodes and sizes of {len(sizes)}", mend=_MEND)
    refuse_outside(asked, below=nodes, what=f"{what}, `categories_nodes`")
    last = len(tree.get("categories", [])) + 1
    for places in (begins, sizes, begins + sizes):
        refuse_outside(places, below=last, what=f"{what}, `categories_segments`")
