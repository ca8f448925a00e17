"""Sums that no order, batch or processor can change."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.exact_sums import sums_of_runs, to_float

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, max_size=60), st.data())
def test_each_run_has_the_sum_that_fractions_give(values: list[float], data: st.DataObject) -> None:
    """The profile's digest depends on these digits; Python's fractions are the reference that cannot round."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=5)))
    ends = np.array([*cuts, len(values)], np.intp)

    sums = sums_of_runs(np.array(values, np.float64), ends)

    starts = [0, *cuts]
    for total, start, end in zip(sums, starts, ends, strict=True):
        assert Fraction(total, 2**1127) == sum(map(Fraction, values[start:end]))


def test_a_sum_that_floats_lose_is_kept() -> None:
    """1e16 + 1 - 1e16 is 0 in float64: enough to make two machines disagree on a digest."""
    (total,) = sums_of_runs(np.array([1e16, 1.0, -1e16]), np.array([3]))

    assert to_float(total) == 1.0


def test_the_smallest_and_the_largest_float_are_summed() -> None:
    """An overflow inside the integers would be silent."""
    extremes = np.array([sys.float_info.max, 5e-324, -sys.float_info.max])

    assert to_float(sums_of_runs(extremes, np.array([3]))[0]) == 5e-324


@pytest.mark.parametrize("value", [np.nextafter(2.0, 0.0), -np.nextafter(1e300, 0.0), 5e-324])
def test_a_long_run_of_one_value_does_not_overflow(value: float) -> None:
    """A stuck sensor fills one cell with all rows, and the integers that add them have 64 bits."""
    (total,) = sums_of_runs(np.full(10_001, value), np.array([10_001]))

    assert Fraction(total, 2**1127) == 10_001 * Fraction(value)


@given(FINITE, st.integers(1, 1000))
def test_the_mean_of_equal_values_is_the_value(value: float, count: int) -> None:
    """A constant column must have a standard deviation of exactly 0, so its mean may not be off by a digit."""
    (total,) = sums_of_runs(np.full(count, value), np.array([count]))

    assert to_float(total, shared_by=count) == value
