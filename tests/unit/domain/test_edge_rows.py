"""Rows that real data seldom holds."""

from __future__ import annotations

import numpy as np
from slipway.domain.edge_rows import edge_rows
from slipway.domain.rows import rows_in

from tests.pages import model

_FLIGHTS = {
    **{name: np.array([[3.0], [np.nan], [9.0]], np.float32) for name in ("hour", "minute", "distance", "dow")},
    **{name: np.array([["b"], ["a"], ["b"]], object) for name in ("carrier", "origin", "dest")},
}


def test_each_row_varies_one_feature_around_the_first_sample() -> None:
    """So that a difference can be blamed on one input."""
    rows = edge_rows(model(), _FLIGHTS)

    changed = np.zeros(rows_in(rows), int)
    for name, column in rows.items():
        changed += (column != _FLIGHTS[name][0]).ravel()
    assert changed.max() == 1


def test_extremes_are_tried_although_a_value_is_missing() -> None:
    """One missing value once hid the smallest and the largest."""
    hours = edge_rows(model(), _FLIGHTS)["hour"].ravel()

    assert {9.0, 0.0, -1.0} <= set(hours[np.isfinite(hours)].tolist())
    assert np.isnan(hours).any()
    assert np.isinf(hours).any()


def test_every_known_word_and_some_unknown_ones_are_tried() -> None:
    """A look-up table that lost a category answers as if it had never been trained on it."""
    words = set(edge_rows(model(), _FLIGHTS)["carrier"].ravel())

    assert {"a", "b", "", "never seen"} <= words
