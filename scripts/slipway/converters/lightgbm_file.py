"""What a LightGBM file says of its trees, read without LightGBM, which follows what is written there unchecked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from slipway.converters.tree_shape import refuse_outside, refuse_tangled, whole_numbers
from slipway.errors import ModelRefused

_MOST_BYTES = 1 << 30
_MOST_LEAVES = 1 << 24
_TREE = re.compile(rb"^Tree=.*$", re.MULTILINE)
_MEND = "save the model again: booster.save_model('model.txt')"


def refuse(file: Path) -> None:
    """Say no to a file whose sizes lie or whose trees are none.

    Raises:
        ModelRefused: a count, or a number of a node, leaf or column, does not fit what is there.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise ModelRefused(f"{file.name} has more than {_MOST_BYTES:,} bytes", mend="make the model smaller")
    content = file.read_bytes().partition(b"\nend of trees")[0]
    head, *trees = _TREE.split(content)
    try:
        of_file = _fields(head, what=file.name)
        columns = int(of_file["max_feature_idx"]) + 1
        _refuse_head(of_file, trees=len(trees), columns=columns, what=file.name)
        _refuse_sizes(of_file, content, what=file.name)
        for index, tree in enumerate(trees):
            what = f"{file.name}: tree {index}"
            _refuse_tree(_fields(tree, what=what), columns=columns, what=what)
    except (ValueError, KeyError) as error:
        raise ModelRefused(f"{file.name} is none of LightGBM's own files: {error}", mend=_MEND) from error


def _fields(content: bytes, *, what: str) -> dict[str, str]:
    text = content.decode(errors="replace")
    lines = [line.partition("=")[::2] for line in text.split("\n") if "=" in line]
    fields = dict(lines)
    if len(fields) != len(lines):
        raise ModelRefused(f"{what} states a value twice", mend=_MEND)
    return fields


def _refuse_head(fields: Mapping[str, str], *, trees: int, columns: int, what: str) -> None:
    """Classes and columns: memory is taken for as many as are stated."""
    of_class, names = int(fields["num_tree_per_iteration"]), len(fields["feature_names"].split())
    if not 0 < columns == names or len(fields["feature_infos"].split()) != names:
        raise ModelRefused(f"{what} states {columns:,} columns and names {names:,}", mend=_MEND)
    if not (0 < of_class <= max(1, trees) and 0 < int(fields["num_class"]) <= max(1, trees)):
        raise ModelRefused(f"{what} states {of_class:,} trees a round and holds {trees:,}", mend=_MEND)


def _refuse_sizes(fields: Mapping[str, str], content: bytes, *, what: str) -> None:
    """LightGBM finds its trees by the bytes that they are said to take."""
    begins = [found.start() for found in _TREE.finditer(content)]
    taken = [after - before for before, after in itertools.pairwise([*begins, len(content) + 1])]
    if "tree_sizes" in fields and [int(one) for one in fields["tree_sizes"].split()] != taken:
        raise ModelRefused(f"{what}: `tree_sizes` is not what its trees take", mend=_MEND)


def _refuse_tree(fields: Mapping[str, str], *, columns: int, what: str) -> None:
    leaves = int(fields["num_leaves"])
    if not 1 <= leaves <= _MOST_LEAVES:
        raise ModelRefused(f"{what} states {leaves:,} leaves", mend=_MEND)
    splits = leaves - 1
    left, right, asked = (
        whole_numbers([int(one) for one in fields.get(name, "").split()], what=f"{what}, `{name}`", count=splits)
        for name in ("left_child", "right_child", "split_feature")
    )
    for name, count in (("threshold", splits), ("decision_type", splits), ("leaf_value", leaves)):
        if len(fields.get(name, "").split()) != count:
            raise ModelRefused(f"{what}, `{name}` has not {count} values", mend=_MEND)
    children = np.concatenate([left, right])
    refuse_tangled(children[children >= 0], nodes=max(1, splits), what=what)
    refuse_outside(~children[children < 0], below=leaves, what=f"{what}, a child")
    refuse_outside(asked, below=columns, what=f"{what}, `split_feature`")
