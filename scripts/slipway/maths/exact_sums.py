"""Sums of floats without any rounding, so that no order, batch size or processor changes a digit.

A float is an integer times a power of two, and integers add exactly. A sum is kept as one Python integer that counts
units of 2**-1127, the finest digit that `numpy.frexp` can show; only `to_float` rounds, once.
(The idea of a "long accumulator" is U. Kulisch's: Computer Arithmetic and Validity, 2008.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_MANTISSA_BITS = 53
_LOW_BITS = 26  # mantissas are summed in two halves, each of which leaves room for 2**36 values in an int64
_UNITS_PER_ONE = 1127
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
    fraction, exponent = np.frexp(ordered)
    mantissa = (fraction * 2.0**_MANTISSA_BITS).astype(np.int64)
    starts = _starts_of_equal_exponents(exponent, ends)
    high = np.add.reduceat(mantissa >> _LOW_BITS, starts).tolist()
    low = np.add.reduceat(mantissa & (2**_LOW_BITS - 1), starts).tolist()
    shift = (exponent[starts].astype(np.int64) + _UNITS_PER_ONE - _MANTISSA_BITS).tolist()
    run = np.searchsorted(ends, starts, side="right").tolist()
    for index, where in enumerate(run):
        totals[where] += ((high[index] << _LOW_BITS) + low[index]) << shift[index]
    return tuple(totals)


def _starts_of_equal_exponents(exponent: npt.NDArray[np.int32], ends: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Cut every run where the exponent changes: only mantissas of one exponent may be added."""
    changes = np.flatnonzero(np.diff(exponent)) + 1
    starts = np.union1d(np.concatenate(([0], ends)), changes)
    return starts[starts < exponent.size]


def to_float(total: int, *, shared_by: int = 1) -> float:
    """The float nearest to an exact sum, or to its mean over so many values."""
    return total / (_UNIT_DENOMINATOR * shared_by)
