"""Words and ids that are looked up in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper
from slipway.domain.rows import Batch

from tests.mutations.damages.parts import attribute_of, constant, nodes, rewrite, round_tensor


def _tables(model: ModelProto) -> Iterator[tuple[NodeProto, Any, Any]]:
    """Each table of words: its node, the words and what it answers; a OneHotEncoder answers their places."""
    pairs = {
        "LabelEncoder": ("keys_strings", ("values_int64s", "values_floats")),
        "CategoryMapper": ("cats_strings", ("cats_int64s",)),
    }
    for node in model.graph.node:
        words, answers = pairs.get(node.op_type, ("cats_strings", ()))
        keys = attribute_of(node, words)
        if keys is None or (node.op_type not in pairs and node.op_type != "OneHotEncoder"):
            continue
        values = [attribute for name in answers if (attribute := attribute_of(node, name)) is not None]
        yield node, keys.strings, (values[0].ints or values[0].floats) if values else None


def _embeddings(model: ModelProto) -> list[TensorProto]:
    """Tables of weights that a whole number looks up."""
    names = [node.input[0] for node in nodes(model, "Gather")]
    found = [constant(model, name) for name in names]
    return [one for one in found if one is not None and one.data_type == TensorProto.FLOAT and len(one.dims) == 2]


def shift_all_categories_by_one(model: ModelProto, samples: Batch) -> bool:
    """A table of weights that begins at 1, or that has a place for the unknown in front."""
    changed = [rewrite(words, [*words[1:], words[0]]) for _, words, _ in _tables(model)][:1]
    if not changed:
        changed = [round_tensor(table, lambda values: np.roll(values, 1, axis=0)) for table in _embeddings(model)][:1]
    return any(changed)


def confuse_the_rarest_category(model: ModelProto, samples: Batch) -> bool:
    """With its neighbour in the table, of the column whose rarest word is rarest in the samples."""
    counted = [
        (count, str(word), column)
        for column in samples.values()
        if column.dtype.kind == "O"
        for word, count in zip(*np.unique(column.astype(str), return_counts=True), strict=True)
    ]
    for _, word, _ in sorted(counted, key=lambda one: one[:2]):
        for _, words, _ in _tables(model):
            if word.encode() in words and len(words) > 1:
                place = list(words).index(word.encode())
                other = place - 1 if place else 1
                words[place], words[other] = words[other], words[place]
                return True
    return False


def answer_unknown_words_otherwise(model: ModelProto, samples: Batch) -> bool:
    """As the first known word."""
    changed = []
    for node, _, answers in _tables(model):
        default = attribute_of(node, "default_int64") or attribute_of(node, "default_float")
        if answers is None or default is None:
            continue
        first = answers[0]
        changed.append((default.i if default.name == "default_int64" else default.f) != first)
        default.CopyFrom(helper.make_attribute(default.name, first))
    return any(changed)
