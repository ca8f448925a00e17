"""Whether two models give the same answers to the same rows, by a tolerance that was measured.

A model does not even agree with itself to the last digit when batch size or processor change. That noise floor of the
source sets the tolerance; trees have a floor of exactly 0, so there is a minimum of a few steps of float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import FloatArray

MULTIPLE_OF_FLOOR = 10.0
_AT_ONCE = 1 << 16  # elements
SMALLEST_TOLERANCE = 16 * 2.0**-23  # 16 steps of float32 at 1
Answers = npt.NDArray[Any]


def differences(left: Answers, right: Answers) -> FloatArray:
    """|left - right| of each element, any shape.

    NaN and NaN agree, as do two infinities of one sign. A number and NaN, or different texts, are infinitely far apart.

    Raises:
        ValueError: the shapes differ.
    """
    if left.shape != right.shape:
        raise ValueError(f"answers of shape {left.shape} cannot be compared with {right.shape}")
    if not (_is_numeric(left) and _is_numeric(right)):
        return np.where(left == right, 0.0, np.inf)
    apart = np.empty(left.shape, np.float64)
    for into, one, other in zip(*map(_in_parts, (apart, left, right)), strict=True):
        into[:] = _apart(one.astype(np.float64), other.astype(np.float64))
    return apart


def _in_parts(answers: Answers) -> Iterator[Answers]:
    """What is computed on the way takes several times the memory of the answers."""
    flat = answers.reshape(-1)
    return (flat[start : start + _AT_ONCE] for start in range(0, flat.size, _AT_ONCE))


def _apart(one: FloatArray, other: FloatArray) -> FloatArray:
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf, which `same` has settled; beyond 1e308
        apart = np.abs(one - other)
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def tolerance(
    floor: float,
    answers: Answers,
    *,
    multiple: float = MULTIPLE_OF_FLOOR,
    minimum: float = SMALLEST_TOLERANCE,
) -> float:
    """max(multiple * floor, minimum * max(1, largest |answer|)), in the unit of the answers.

    A good conversion stays within 1.3 floors and a broken one beyond 1,000, so any multiple from 10 to 100 separates
    them. Only finite answers count.
    """
    size = np.abs(answers[np.isfinite(answers)].astype(np.float64))
    return max(multiple * floor, minimum * max(1.0, float(size.max(initial=0.0))))


def worst_rows(left: Answers, right: Answers, *, count: int = 5) -> tuple[int, ...]:
    """The rows that differ most, worst first, the earlier row first among equals; rows that agree are no part of it.

    Args:
        left, right: shape (N, ..), one row an answer.
    """
    apart = differences(left, right)
    apart = apart.max(axis=tuple(range(1, apart.ndim)), initial=0.0)
    order = np.argsort(-apart, kind="stable")[:count]
    return tuple(order[apart[order] > 0].tolist())


def _is_numeric(answers: Answers) -> bool:
    return answers.dtype.kind in "biuf"
