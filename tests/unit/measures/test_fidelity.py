"""What fidelity measures besides samples: edge rows, rows at splits of trees, rows that the source refuses."""

from __future__ import annotations

import numpy as np
import pytest
from slipway.domain.conversion import SplitProbes
from slipway.domain.model import Decision
from slipway.measures import fidelity

_DECISION = Decision(output="p_late", threshold=0.5)


def scores(*values: float) -> dict[str, np.ndarray]:
    return {"p_late": np.array(values, np.float32).reshape(-1, 1)}


def test_an_edge_row_with_a_huge_answer_counts_in_proportion() -> None:
    """A linear model answers 2^24 with 10^10, in steps of 1,024; a good conversion may be one off."""
    found = fidelity.measure(
        source=scores(2.0),
        onnx=scores(2.0),
        source_edges=scores(2e10, -3.0),
        onnx_edges=scores(2e10 + 2048, -3.0),
        noise_floor={},
        decision=_DECISION,
    )

    assert found.largest_difference == pytest.approx(2048 / 1e10)


def test_rows_at_splits_are_compared_by_their_largest_difference() -> None:
    """Which of them differ by too much is for the gate to say; a page holds no infinity."""
    splits = SplitProbes(splits=9, probed=3, problem="no sample comes to 6 of them")
    both = {**scores(0.1, 0.2, 0.3, 0.4), "label": np.array([[0], [1], [1], [1]])}
    other = {**scores(0.1, 0.5, 0.3, np.nan), "label": np.array([[0], [1], [0], [1]])}

    found = fidelity.at_splits(splits, source=both, onnx=other)

    assert (found.rows, found.different) == (4, 3)
    assert found.differences == pytest.approx((np.finfo(np.float64).max, 1.0, 0.3))
    assert (found.splits, found.probed, found.problem) == (9, 3, "no sample comes to 6 of them")


def test_a_page_lists_the_thousand_largest_differences_and_counts_all() -> None:
    """A page is read by people, and kept for good."""
    apart = np.linspace(0.1, 0.9, 1500)
    found = fidelity.at_splits(SplitProbes(splits=500, probed=500), source=scores(*apart), onnx=scores(*[0.0] * 1500))

    assert (found.different, len(found.differences)) == (1500, 1000)
    assert found.differences[0] == pytest.approx(0.9)


def test_no_row_at_any_split_is_told_with_its_reason() -> None:
    """Trees behind an encoder of words alone have no number to set."""
    found = fidelity.at_splits(SplitProbes(splits=9, probed=0, problem="why"), source={}, onnx={})

    assert (found.rows, found.different, found.splits, found.problem) == (0, 0, 9, "why")


def test_answers_to_what_the_source_refuses_are_counted() -> None:
    """scikit-learn raises on NaN where ONNX answers NaN; TensorFlow and ONNX both refuse an unknown id."""
    found = fidelity.where_refused([scores(np.nan), None, scores(0.5)])

    assert (found.rows, found.answered, found.finite) == (3, 2, 1)
