"""The numbers that the card states are the ones that everybody else computes under these names."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

LATE = np.array([True, True, True, False, False, False])
PROBABILITY = np.array([0.9, 0.6, 0.2, 0.6, 0.3, 0.1])
answers = st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.3, 0.7])), min_size=2, max_size=30)


def test_scores_by_hand(scores: ModuleType) -> None:
    """Two of three late flights found, one false alarm: all can be counted on fingers."""
    found = scores.Scores.of(LATE, PROBABILITY, threshold=0.5)

    assert (found.rows, found.precision, found.recall, found.f1) == pytest.approx((6, 2 / 3, 2 / 3, 2 / 3))
    assert found.always_late_f1 == pytest.approx(2 / 3)


@given(rows=answers)
def test_the_area_under_the_curve_is_the_share_of_pairs_in_order(
    scores: ModuleType, rows: list[tuple[bool, float]]
) -> None:
    """Ties are the usual mistake in rank formulas; the pairs themselves know no ranks."""
    late, probability = (np.array(column) for column in zip(*rows, strict=True))
    pairs = np.sign(probability[late][:, None] - probability[~late][None, :]) / 2 + 0.5

    expected = pairs.mean() if pairs.size else np.nan
    assert scores.auc(late, probability) == pytest.approx(expected, nan_ok=True)


def test_the_best_threshold_is_the_lowest_of_equal_ones(scores: ModuleType) -> None:
    """A rule for ties keeps the threshold the same wherever it is trained."""
    assert scores.best_threshold(np.array([True, False]), np.array([0.8, 0.305])) == pytest.approx(0.31)


def test_nothing_late_and_nothing_called_late_is_no_division_by_zero(scores: ModuleType) -> None:
    """A quiet day must not stop a report."""
    assert scores.f1(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool)) == 0
