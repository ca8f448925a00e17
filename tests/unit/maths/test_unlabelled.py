"""What probabilities let expect of decisions, without a single label."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.absence import Absent
from slipway.maths.intervals import MetricEstimate
from slipway.maths.unlabelled import Expected, are_chances, expected

_DAYS = np.repeat(np.arange(20), 100)


def answered(seed: int = 1, *, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Chances of yes, (N, 1), and labels that come true as often as they say."""
    random = np.random.default_rng(seed)
    chances = np.clip(random.beta(2, 4, len(_DAYS)) + shift, 0, 1)
    return chances.reshape(-1, 1), random.uniform(size=len(_DAYS)) < chances


def by_hand(chances: np.ndarray, decisions: np.ndarray) -> dict[str, float]:
    """The formulas of facts and papers, in floats."""
    p, h = chances.ravel(), decisions.ravel().astype(float)
    both = float((p * h).sum())
    return {
        "f1": 2 * both / float(h.sum() + p.sum()),
        "precision": both / float(h.sum()),
        "recall": both / float(p.sum()),
        "accuracy": float((p * h + (1 - p) * (1 - h)).mean()),
    }


@pytest.mark.parametrize("metric", ["f1", "precision", "recall", "accuracy"])
def test_each_metric_is_its_formula(metric: str) -> None:
    """Counted in whole parts of a probability, and still right to the sixth digit."""
    chances, _ = answered()
    counted = expected(_DAYS, chances, chances >= 0.4)

    assert counted.value(metric) == pytest.approx(by_hand(chances, chances >= 0.4)[metric], abs=1e-6)


def test_where_probabilities_hold_the_estimate_is_near_the_truth() -> None:
    """Of 2,000 rows, in each of five weeks; and it follows rows that became harder."""
    for seed, shift in ((1, 0.0), (2, 0.1), (3, -0.1), (4, 0.2), (5, 0.0)):
        chances, labels = answered(seed, shift=shift)
        yes = (chances >= 0.4).ravel()
        true = 2 * (yes & labels).sum() / (yes.sum() + labels.sum())
        assert expected(_DAYS, chances, yes.reshape(-1, 1)).value("f1") == pytest.approx(true, abs=0.05)


def test_it_cannot_see_that_labels_changed() -> None:
    """Which is why it decides nothing: the same rows with other labels have the same estimate."""
    chances, labels = answered()
    yes = (chances >= 0.4).ravel()
    flipped = np.where(np.arange(len(labels)) % 5 == 0, ~labels, labels)
    told = expected(_DAYS, chances, yes.reshape(-1, 1)).value("f1")

    true = 2 * (yes & flipped).sum() / (yes.sum() + flipped.sum())
    assert abs(told - true) > 0.05


def test_an_interval_holds_the_value_and_tells_how_days_differ() -> None:
    """Days of one kind have a narrow one, and a single day has none."""
    chances, _ = answered()
    counted = expected(_DAYS, chances, chances >= 0.4)
    estimate = counted.estimate("f1", seed=1)

    assert isinstance(estimate, MetricEstimate)
    assert estimate.low < estimate.value < estimate.high
    assert isinstance(expected(_DAYS * 0, chances, chances >= 0.4).estimate("f1", seed=1), Absent)
    assert isinstance(Expected().estimate("f1", seed=1), Absent)
    assert math.isnan(Expected().value("f1"))


@given(cuts=st.lists(st.integers(0, len(_DAYS)), max_size=6), seed=st.integers(0, 50))
def test_order_and_batches_change_no_digit(cuts: list[int], seed: int) -> None:
    """Two runs over one log must write the same page."""
    chances, _ = answered()
    order = np.random.default_rng(seed).permutation(len(_DAYS))
    whole = expected(_DAYS, chances, chances >= 0.4)
    total = Expected()
    for start, end in pairwise(sorted({0, len(_DAYS), *cuts})):
        part = order[start:end]
        total += expected(_DAYS[part], chances[part], chances[part] >= 0.4)

    assert total == whole


def test_several_classes_are_the_mean_of_each() -> None:
    """Macro F1 over the classes that occur, accuracy as the chance of what was decided."""
    chances = np.array([[0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]])
    counted = expected(np.zeros(3, np.int64), chances, chances == chances.max(axis=1, keepdims=True))

    of_first, of_second = 2 * 1.3 / (2 + 1.5), 2 * 0.8 / (1 + 1.5)
    assert counted.value("accuracy") == pytest.approx((0.7 + 0.8 + 0.6) / 3, abs=1e-6)
    assert counted.value("f1_macro") == pytest.approx((of_first + of_second) / 2, abs=1e-6)


def test_a_row_without_a_number_is_left_out_and_told() -> None:
    """Nobody knows how likely it was."""
    chances = np.array([[0.7], [np.nan], [0.2]])
    counted = expected(np.zeros(3, np.int64), chances, chances >= 0.5)

    assert (counted.rows, counted.left_out) == (2, 1)


@pytest.mark.parametrize(
    ("chances", "can"),
    [
        ([[0.0], [1.0], [np.nan]], True),
        ([[1.01]], False),
        ([[-0.1]], False),
        ([[0.2, 0.8], [0.5, 0.5]], True),
        ([[0.2, 0.7]], False),
    ],
)
def test_what_cannot_be_a_probability_is_none(chances: list[list[float]], can: bool) -> None:
    """A margin or a sum of votes is a score, too, and no chance."""
    assert are_chances(np.array(chances)) is can
