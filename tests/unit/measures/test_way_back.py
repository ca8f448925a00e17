"""Golden rows: questions that a version must answer again as it did at its release."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from slipway.domain.evidence import Golden
from slipway.measures.way_back import GOLDEN_ROWS, equal_rows, golden, on_another_runtime, questions

from tests import pages

_MODEL = pages.model()
_NUMBERS = ("hour", "minute", "distance", "dow")
_WORDS = ("carrier", "origin", "dest")


def batch(hours: np.ndarray) -> dict[str, np.ndarray]:
    rows = len(hours)
    return {
        **{name: hours.reshape(-1, 1).astype(np.float32) for name in _NUMBERS},
        **{name: np.array([["AA"]] * rows, object) for name in _WORDS},
    }


def answers(values: np.ndarray) -> dict[str, np.ndarray]:
    return {"p_late": values.reshape(-1, 1).astype(np.float32)}


@given(hours=arrays.arrays(np.float32, st.integers(1, 70), elements=st.floats(width=32)))
def test_the_questions_are_the_rows_that_were_asked(hours: np.ndarray) -> None:
    """Missing values included. A row with an infinity is left out, since JSON has none: NaN is another question."""
    kept = hours[~np.isinf(hours)][:GOLDEN_ROWS]
    stored = Golden.model_validate_json(golden(batch(hours), answers(np.zeros(len(hours)))).model_dump_json())

    assert stored.rows == len(kept)
    if stored.rows:
        np.testing.assert_array_equal(questions(_MODEL, stored)["hour"].ravel(), kept)
        assert questions(_MODEL, stored)["carrier"].dtype == object


@given(values=arrays.arrays(np.float32, st.integers(1, 70), elements=st.floats(width=32)))
def test_a_version_gives_its_own_answers_again(values: np.ndarray) -> None:
    """NaN included: it must be NaN again."""
    rows = batch(np.ones(len(values)))
    stored = Golden.model_validate_json(golden(rows, answers(values)).model_dump_json())
    kept = values[~np.isinf(values)][:GOLDEN_ROWS]

    assert equal_rows(stored, answers(kept)) == stored.rows


@pytest.mark.parametrize(
    ("now", "equal"),
    [
        ([0.5, 0.25, np.nan], 3),
        ([0.5 + 1e-6, 0.25, np.nan], 3),
        ([0.5 + 1e-5, 0.25, np.nan], 2),
        ([0.5, np.nan, np.nan], 2),
        ([0.5, 0.25, 0.1], 2),
        ([0.5, 0.25], 0),
    ],
)
def test_another_answer_is_found_row_by_row(now: list[float], equal: int) -> None:
    """Within the last digits of float32, which another processor may round otherwise."""
    stored = golden(batch(np.ones(3)), answers(np.array([0.5, 0.25, np.nan])))

    assert equal_rows(stored, answers(np.array(now))) == equal


def test_an_output_that_is_missing_is_no_equal_answer() -> None:
    """An empty answer would otherwise agree with everything."""
    stored = golden(batch(np.ones(2)), answers(np.zeros(2)))

    assert equal_rows(stored, {}) == 0


def test_answers_in_words_are_compared_as_words() -> None:
    """A model that names the airline must name it again."""
    told = {**answers(np.zeros(2)), "airline": np.array([["AA"], ["HA"]], object)}
    stored = Golden.model_validate_json(golden(batch(np.ones(2)), told).model_dump_json())
    others = {**told, "airline": np.array([["AA"], ["UA"]], object)}

    assert equal_rows(stored, told) == 2
    assert equal_rows(stored, others) == 1


@pytest.mark.parametrize(
    ("now", "unlike", "largest"),
    [
        ([0.5, 0.25, np.nan], 0, 0.0),
        ([0.5, 0.75, np.nan], 0, 0.5),
        ([np.nan, 0.5, np.nan], 1, 0.25),
        ([0.5, 0.25, 0.1], 1, 0.0),
    ],
)
def test_another_runtime_is_told_by_how_far_and_by_how_many(now: list[float], unlike: int, largest: float) -> None:
    """A number where none was is no distance, and must not hide one: JSON has no infinity either."""
    stored = golden(batch(np.ones(3)), answers(np.array([0.5, 0.25, np.nan])))
    found = on_another_runtime(stored, answers(np.array(now)), metrics_before={}, metrics=pages.metrics())

    assert (found.rows, found.unlike_rows, found.largest_difference) == (3, unlike, largest)


def test_metrics_are_held_against_what_was_recorded_as_far_as_both_know_them() -> None:
    """They stand for all sample rows, of which a page keeps no answers; a policy may have changed its questions."""
    stored = golden(batch(np.ones(1)), answers(np.array([0.5])))
    now = pages.metrics(metrics={**pages.metrics().metrics, "brier": None})
    before = {"f1": 0.5212, "precision": 0.4277, "brier": 0.2, "recall_at_5": 0.9}
    found = on_another_runtime(stored, answers(np.array([0.5])), metrics_before=before, metrics=now)

    assert found.metrics_moved == {"f1": pytest.approx(0.01), "precision": 0.0, "brier": None}
