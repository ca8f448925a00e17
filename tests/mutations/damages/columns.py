"""Inputs that reach the model in another order, or as less than they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper
from slipway.domain.rows import Batch

from tests.mutations.damages.parts import add_constant, put_behind


def swap_two_columns(model: ModelProto, samples: Batch) -> bool:
    """The two that differ most in their sample values, of one type."""
    return _reorder_columns(model, samples, lambda order: [order[1], order[0], *order[2:]])


def rotate_the_columns(model: ModelProto, samples: Batch) -> bool:
    """The order of the training is lost: each column gets its neighbour's values."""
    return _reorder_columns(model, samples, lambda order: [*order[1:], order[0]])


def _reorder_columns(model: ModelProto, samples: Batch, reorder: Callable[[list[Any]], list[Any]]) -> bool:
    same = [name for name, column in samples.items() if column.dtype.kind == "f" and column.shape[1:] == (1,)]
    if len(same) >= 2:
        other = dict(zip(same, reorder(same), strict=True))
        for node in model.graph.node:
            node.input[:] = [other.get(name, name) for name in node.input]
        return True
    wide = next((name for name, column in samples.items() if column.ndim == 2 and column.shape[1] > 1), None)
    if wide is None:
        return False
    order = add_constant(model, "damage/order", np.array(reorder(list(range(samples[wide].shape[1]))), np.int64))
    put_behind(model, wide, make=lambda old, new: [helper.make_node("Gather", [old, order], [new], axis=1)])
    return True


def read_inputs_in_half_precision(model: ModelProto, samples: Batch) -> bool:
    return _cast_inputs(model, samples, through=TensorProto.FLOAT16)


def cut_off_the_fractions_of_inputs(model: ModelProto, samples: Batch) -> bool:
    """A column that was declared as whole numbers by mistake."""
    return _cast_inputs(model, samples, through=TensorProto.INT64)


def _cast_inputs(model: ModelProto, samples: Batch, *, through: int) -> bool:
    floats = [name for name, column in samples.items() if column.dtype.kind == "f"]
    for name in floats:
        back = TensorProto.FLOAT if samples[name].dtype == np.float32 else TensorProto.DOUBLE
        put_behind(
            model,
            name,
            make=lambda old, new, back=back: [  # type: ignore[misc]  # bound now
                helper.make_node("Cast", [old], [f"{new}/through"], to=through),
                helper.make_node("Cast", [f"{new}/through"], [new], to=back),
            ],
        )
    return bool(floats)


def clip_whole_numbers(model: ModelProto, samples: Batch) -> bool:
    """A table that was cut: the largest id becomes the one below it."""
    whole = [name for name, column in samples.items() if column.dtype.kind == "i"]
    for name in whole:
        dtype = samples[name].dtype
        least = add_constant(model, f"{name}/least", np.array(samples[name].min(), dtype))
        most = add_constant(model, f"{name}/most", np.array(samples[name].max() - 1, dtype))
        put_behind(
            model,
            name,
            make=lambda old, new, least=least, most=most: [helper.make_node("Clip", [old, least, most], [new])],  # type: ignore[misc]  # bound now
        )
    return bool(whole)
