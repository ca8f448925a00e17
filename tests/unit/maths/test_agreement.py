"""Two models agree within the source's own noise, or a row says where they do not."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from slipway.maths.agreement import (
    differences,
    tolerance,
    worst_rows,
)

FLOATS = arrays.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(1)))


@given(FLOATS)
def test_answers_agree_with_themselves(answers: np.ndarray) -> None:
    """NaN and infinities included: they are what the source says, too."""
    assert not differences(answers, answers.copy()).any()
    assert worst_rows(answers, answers.copy()) == ()


@given(arrays.arrays(np.float64, (7, 2)), arrays.arrays(np.float64, (7, 2)))
def test_a_difference_is_the_same_in_both_directions_and_never_nan(left: np.ndarray, right: np.ndarray) -> None:
    """A NaN among differences would make `max` NaN, and a comparison with it silently false."""
    there, back = differences(left, right), differences(right, left)

    assert there.tolist() == back.tolist()
    assert not np.isnan(there).any()


def test_a_number_against_nan_is_infinitely_far() -> None:
    """A conversion that returns NaN where the source has a number is broken, whatever the other rows say."""
    left = np.array([0.1, math.nan, math.nan, math.inf, math.inf])
    right = np.array([math.nan, 0.1, math.nan, math.inf, -math.inf])

    assert differences(left, right).tolist() == [math.inf, math.inf, 0.0, 0.0, math.inf]


def test_labels_agree_or_do_not() -> None:
    """A classifier's class names have no distance."""
    assert differences(np.array(["a", "b"], object), np.array(["a", "c"])).tolist() == [0.0, math.inf]
    assert differences(np.array([3, 2]), np.array([3, 4])).tolist() == [0.0, 2.0]


def test_answers_of_another_shape_are_refused() -> None:
    """numpy would compare [N, 1] with [N] as N times N rows."""
    with pytest.raises(ValueError, match="cannot be compared"):
        differences(np.zeros((2, 1)), np.zeros(2))


def test_the_tolerance_is_ten_floors_but_never_less_than_steps_of_float32() -> None:
    """Trees have a floor of exactly 0: ten times that would refuse every good conversion."""
    answers = np.array([[0.5], [math.nan], [math.inf]], np.float32)

    assert tolerance(1.2e-6, answers) == pytest.approx(1.2e-5)
    assert tolerance(0.0, answers) == 16 * 2.0**-23
    assert tolerance(0.0, np.array([-1000.0])) == 1000 * 16 * 2.0**-23
    assert tolerance(0.0, np.array([]), minimum=1e-5) == 1e-5


def test_the_worst_rows_come_first() -> None:
    """A person starts to look at the row that is furthest off; equal rows keep their order in any run."""
    left = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 3.0], [math.nan, 0.0], [1.0, 0.0]])

    assert worst_rows(left, np.zeros((5, 2))) == (3, 2, 4)
    assert worst_rows(left, np.zeros((5, 2)), count=1) == (3,)
    assert worst_rows(np.zeros((0, 1)), np.zeros((0, 1))) == ()


def test_a_comparison_takes_little_more_memory_than_what_comes_of_it() -> None:
    """Rows with an image each fill the memory once; five times in float64, they would end the process."""
    answers = np.zeros((2_000, 2_000), np.float32)  # so large that what other threads take is little beside it
    tracemalloc.start()
    try:
        found = differences(answers, answers)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 1.5 * found.nbytes
