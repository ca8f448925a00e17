"""Sums of floats without any rounding, so that no order, batch size or processor changes a digit.

A float is an integer times a power of two, and integers add exactly. A sum is kept as one Python integer that counts
units of 2**-1127, finer than any float; only `to_float` rounds, once.
(The idea of a "long accumulator" is U. Kulisch's: Computer Arithmetic and Validity, 2008.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_FRACTION_BITS = 52
_SHIFT = np.uint64(_FRACTION_BITS)
_FRACTION = np.uint64((1 << _FRACTION_BITS) - 1)
_EXPONENTS = 2047
_ADDED_AT_ONCE = 2048  # fractions fit into 64 bits
_UNITS_PER_ONE = 1127
_LOWEST = _UNITS_PER_ONE - 1074  # 2**-1074 is the smallest float
_UNIT_DENOMINATOR = 1 << _UNITS_PER_ONE


def sums_of_runs(ordered: npt.NDArray[np.float64], ends: npt.NDArray[np.intp]) -> tuple[int, ...]:
    """Sum the runs `ordered[0:ends[0]]`, `ordered[ends[0]:ends[1]]` and so on.

    Args:
        ordered: finite values, shape (N,). Any order gives the right sums; sorted values are fast.
        ends: where each run ends, ascending, the last one N.

    Returns:
        One integer a run, in units that `to_float` understands. An empty run sums to 0.
    """
    totals = [0] * len(ends)
    if ordered.size == 0:
        return tuple(totals)
    bits = np.ascontiguousarray(ordered, np.float64).view(np.uint64)
    starts = _starts_of_equal_exponents(bits >> _SHIFT, ends)
    fractions = np.add.reduceat(bits & _FRACTION, starts).tolist()
    signs_and_exponents = (bits[starts] >> _SHIFT).tolist()
    counts = np.diff(starts, append=ordered.size).tolist()
    run = np.searchsorted(ends, starts, side="right").tolist()
    for where, fraction, sign_and_exponent, count in zip(run, fractions, signs_and_exponents, counts, strict=True):
        exponent = sign_and_exponent & _EXPONENTS
        whole = fraction + (count << _FRACTION_BITS) if exponent else fraction  # the bit that is not written
        total = whole << (_LOWEST + max(exponent - 1, 0))
        totals[where] += -total if sign_and_exponent > _EXPONENTS else total
    return tuple(totals)


def _starts_of_equal_exponents(exponents: npt.NDArray[np.uint64], ends: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Cut every run where sign or exponent changes: only fractions of one exponent may be added, and not too many."""
    changes = np.flatnonzero(exponents[1:] != exponents[:-1]) + 1
    steps = np.arange(0, exponents.size, _ADDED_AT_ONCE)
    starts = np.unique(np.concatenate((steps, ends, changes)))
    return starts[starts < exponents.size]


def to_float(total: int, *, shared_by: int = 1) -> float:
    """The float nearest to an exact sum, or to its mean over so many values."""
    return total / (_UNIT_DENOMINATOR * shared_by)
