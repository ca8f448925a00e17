"""Thresholds in float32 that split float32 numbers as those in float64 do."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from slipway.converters.thresholds import rounded_down


@example(threshold=-3.402823364973241e38, value=0.0, steps=-1)  # next to the last float32
@given(st.floats(allow_nan=False), st.floats(width=32, allow_nan=False), st.integers(-2, 2))
def test_every_float32_stays_on_its_side(threshold: float, value: float, steps: int) -> None:
    """A row on the other side of one split is another answer; those next to the threshold are the ones in danger."""
    with np.errstate(over="ignore"):
        near = np.float32(threshold)
        for _ in range(abs(steps)):
            near = np.nextafter(near, np.float32(np.copysign(np.inf, steps)))
    rounded = rounded_down(np.array([threshold]))[0]

    for one in (np.float64(value), np.float64(near)):
        assert (one <= rounded) == (one <= threshold)


def test_the_middle_between_two_neighbours_belongs_to_the_lower_one() -> None:
    """So a tree puts its splits; rounding to the nearest would put every second one onto the upper neighbour."""
    upper = np.nextafter(np.float32(-0.6), np.float32(0))
    middle = (np.float64(np.float32(-0.6)) + np.float64(upper)) / 2

    assert rounded_down(np.array([middle]))[0] == np.float32(-0.6)


def test_infinity_stays() -> None:
    """A split by what is missing alone has it."""
    assert rounded_down(np.array([np.inf, -np.inf])).tolist() == [np.inf, -np.inf]
