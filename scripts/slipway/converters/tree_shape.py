"""Whether the nodes of a tree make a tree: libraries that ask them follow any number to wherever it leads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.errors import ModelRefused

_MEND = "save the model again, with the library that trained it"


def whole_numbers(values: Any, *, what: str, count: int | None = None) -> npt.NDArray[np.int64]:
    """The values as integers: shape [count].

    Raises:
        ModelRefused: there are more or fewer, or they are no whole numbers.
    """
    try:
        found = np.asarray(values if len(values) else np.zeros(0, np.int64))
        fits = found.ndim == 1 and found.dtype.kind in "iu" and count in (None, len(found))
        numbers = found.astype(np.int64) if fits else None
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None:
        raise ModelRefused(f"{what} is no list of {'' if count is None else count} whole numbers", mend=_MEND)
    return numbers


def refuse_tangled(children: npt.NDArray[np.int64], *, nodes: int, what: str) -> None:
    """Say no to nodes that are reached twice, or lie outside: asking such a tree never ends, or leaves its memory.

    Args:
        children: of all nodes, leaves left out; each is a node from 1 on, since 0 is the root.
        nodes: how many there are.
        what: the tree, for the message.

    Raises:
        ModelRefused: it is no tree.
    """
    if len(children) and (children.min() < 1 or children.max() >= nodes):
        raise ModelRefused(f"{what} names a node that it does not have", mend=_MEND)
    if len(np.unique(children)) != len(children):
        raise ModelRefused(f"{what} reaches a node by two ways, so it is no tree", mend=_MEND)


def refuse_outside(values: npt.NDArray[np.int64], *, below: int, what: str) -> None:
    """Say no to numbers of columns, classes or leaves that do not exist.

    Raises:
        ModelRefused: a value is negative, or not below `below`.
    """
    if len(values) and (values.min() < 0 or values.max() >= below):
        raise ModelRefused(f"{what} names {int(values.max())}, and there are {below}", mend=_MEND)
