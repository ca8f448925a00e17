"""Copies of a reference that are made up from its profile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.absence import Absent
from slipway.maths.copies import copied, has_values
from slipway.maths.distances import category_distance, kolmogorov_smirnov, missing_rate
from slipway.maths.profile import profile_of_categories, profile_of_numeric, sketch
from slipway.maths.windows import ServedBatch, count_window

_ROWS = 10_000
_NUMBERS = st.one_of(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=300),
    st.lists(st.sampled_from([0.0, 1.0, 7.5, float("nan")]), min_size=1, max_size=300),
)
_SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@given(values=_NUMBERS, moved=_SHARES)
def test_numbers_lie_as_far_as_they_were_moved(values: list[float], moved: float) -> None:
    """A watch can be tried on them only where the right answer is known."""
    reference = profile_of_numeric(np.array(values))
    if not has_values(reference):
        return
    made = copied(reference, rows=_ROWS, moved=moved)
    assert isinstance(made, np.ndarray)
    window = sketch(reference, made)

    distance = kolmogorov_smirnov(reference, window)
    assert not isinstance(distance, Absent)
    off = reference.resolution + 2 / max(1, window.counters.finite)
    assert distance.low <= moved + off
    assert distance.high >= moved - off
    assert abs(window.counters.rows - _ROWS) <= 4
    change = missing_rate(reference, window)
    assert not isinstance(change, Absent)
    assert abs(change.change) <= 4 / _ROWS


@given(values=st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=50), moved=_SHARES)
def test_words_lie_as_far_as_they_were_moved(values: list[str | None], moved: float) -> None:
    """The word that is moved to is one that nobody ever logged, or a rare one where others are not told apart."""
    reference = profile_of_categories(np.array(values, dtype=object), listed=10)
    if not has_values(reference):
        return
    made = copied(reference, rows=_ROWS, moved=moved)
    window = count_window({"word": reference}, [ServedBatch(_ROWS, {"word": made})]).columns["word"].sketch

    distance = category_distance(reference, window)  # type: ignore[arg-type]
    assert not isinstance(distance, Absent)
    rarest = min((count for _, count in reference.categories), default=0) / (reference.rows - reference.null)
    expected = moved * (1 - rarest) if reference.rest else moved
    assert distance.total_variation.low == pytest.approx(expected, abs=0.02)


def test_a_drifted_copy_of_words_that_are_mostly_not_listed_is_found() -> None:
    """The names of towns: the watch would else say of itself that it cannot be trusted, and be switched off."""
    reference = profile_of_categories(np.array([str(number) for number in range(5_000)], dtype=object), listed=100)
    made = copied(reference, rows=_ROWS, moved=0.5)
    window = count_window({"word": reference}, [ServedBatch(_ROWS, {"word": made})]).columns["word"].sketch

    distance = category_distance(reference, window)  # type: ignore[arg-type]
    assert not isinstance(distance, Absent)
    assert distance.total_variation.low > 0.45
