"""How sure is a quantile of times, and a multiple of two that took turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.turns import quantile_of, quantiles_beside

_SECONDS = st.floats(1e-6, 1e3)


@given(st.lists(st.tuples(_SECONDS, _SECONDS), min_size=5, max_size=60), st.sampled_from((0.5, 0.99)))
def test_the_interval_holds_the_value(rounds: list[tuple[float, float]], share: float) -> None:
    """Whatever the times: a multiple outside of its own interval would be told to a reviewer."""
    found = quantiles_beside([one for one, _ in rounds], [other for _, other in rounds], share)

    assert found is not None
    for interval in found:
        assert interval.low <= interval.value <= interval.high


def test_two_of_one_speed_are_rarely_told_apart() -> None:
    """Of a hundred pairs that share their bursts of noise, few intervals of 95 % miss 1."""
    random, missed = np.random.default_rng(7), 0
    for _ in range(100):
        burst = np.repeat(random.exponential(1.0, 40), 5)
        ours, theirs = (1.0 + burst + random.exponential(0.2, 200) for _ in range(2))
        found = quantiles_beside(ours.tolist(), theirs.tolist(), 0.5)
        assert found is not None
        missed += not found[0].low <= 1.0 <= found[0].high
    assert missed <= 12


def test_one_that_is_twice_as_slow_is_found() -> None:
    """An interval that holds everything would be safe, and of no use."""
    random = np.random.default_rng(7)
    theirs = 1.0 + random.exponential(0.2, 200)
    found = quantiles_beside((2.0 * theirs).tolist(), theirs.tolist(), 0.5)

    assert found is not None
    ratio, more = found
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((2.0, 2.0, 2.0))
    assert 1.0 < more.low <= more.high < 1.5


def test_a_few_rounds_say_nothing() -> None:
    """Four times are no ground to refuse a release."""
    assert quantile_of([1.0] * 4, 0.5) is None
    assert quantiles_beside([1.0] * 9, [1.0] * 4, 0.5) is None
    assert quantile_of([1.0] * 5, 0.5) is not None


def test_the_same_times_give_the_same_interval() -> None:
    """A page that is made twice from what was clocked must not differ."""
    times = np.random.default_rng(1).exponential(1.0, 100).tolist()
    assert quantile_of(times, 0.99) == quantile_of(times, 0.99)
