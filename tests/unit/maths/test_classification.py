"""Precision, recall and F1, also where they are undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.classification import (
    Confusion,
    confusion,
    confusion_rows,
    decide,
)

ROWS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=50)


@given(ROWS)
def test_the_metrics_are_what_their_definitions_say(rows: list[tuple[bool, bool]]) -> None:
    """Sets of rows, counted by hand, are the definition that people learn."""
    said, true = {i for i, row in enumerate(rows) if row[1]}, {i for i, row in enumerate(rows) if row[0]}

    found = confusion([row[0] for row in rows], [row[1] for row in rows])

    assert found.rows == len(rows)
    assert found.precision == (len(said & true) / len(said) if said else None)
    assert found.recall == (len(said & true) / len(true) if true else None)
    assert found.f1 == (pytest.approx(2 * len(said & true) / (len(said) + len(true))) if said or true else None)


@given(ROWS, st.integers(0, 50))
def test_counts_of_two_windows_add_up(rows: list[tuple[bool, bool]], cut: int) -> None:
    """A ledger of weekly counts must give the month's metric without the rows."""
    labels, decisions = np.array(rows, bool).reshape(-1, 2).T

    parts = confusion(labels[:cut], decisions[:cut]) + confusion(labels[cut:], decisions[cut:])

    assert parts == confusion(labels, decisions)


def test_a_model_that_never_says_yes_has_no_precision_but_an_f1_of_zero() -> None:
    """The stuck departure delay of the demo: F1 must fall to 0 and trip its floor, not vanish."""
    silent = Confusion(0, 0, 893, 5142)

    assert (silent.precision, silent.recall, silent.f1) == (None, 0.0, 0.0)


def test_nothing_is_known_without_rows() -> None:
    """A metric of no rows must not be 0, which would fail, nor 1, which would pass."""
    nothing = confusion([], [])

    assert (nothing.precision, nothing.recall, nothing.f1, nothing.always_positive_f1) == (None, None, None, None)


def test_a_constant_yes_is_scored_on_the_same_rows() -> None:
    """A model's F1 of 0.454 reads well until the constant answer's 0.470 stands beside it."""
    late, rows = 3628, 11_801

    always = Confusion(0, 0, late, rows - late).always_positive_f1

    assert always == pytest.approx(2 * late / (late + rows))
    assert always == confusion([True] * late + [False] * (rows - late), [True] * rows).f1


def test_each_row_is_counted_once() -> None:
    """The bootstrap adds these up day by day."""
    assert confusion_rows([1, 0, 1, 0], [1, 1, 0, 0]).tolist() == np.eye(4, dtype=int).tolist()


def test_a_score_on_the_threshold_is_a_yes_in_its_own_precision() -> None:
    """A float32 that prints as 0.24 lies below the float64 0.24; two places that decide must decide alike."""
    scores = np.array([0.24, 0.239, math.nan])

    assert decide(scores, threshold=0.24).tolist() == [True, False, False]
    assert decide(scores.astype(np.float32), threshold=0.24).tolist() == [True, False, False]
    assert decide(np.array([0, 1]), threshold=0.5).tolist() == [False, True]


def test_rows_that_do_not_match_are_refused() -> None:
    """numpy would stretch one label over all rows."""
    with pytest.raises(ValueError, match="1 rows cannot be compared with 2"):
        confusion([True], [True, False])


def test_a_label_that_is_neither_yes_nor_no_is_refused() -> None:
    """A label of 2, NaN or None counted as "no" would make a model look worse than it is."""
    for label in (2, math.nan, None):
        with pytest.raises(ValueError, match="0 and 1"):
            confusion(np.array([label, 1], object), [True, True])
