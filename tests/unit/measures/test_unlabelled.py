"""The estimate without labels, and what it is worth: held against labels at release."""

from __future__ import annotations

import numpy as np
import pytest
from slipway.domain.model import Decision
from slipway.domain.rows import LabelledRows
from slipway.domain.unlabelled import UnlabelledCheck
from slipway.measures import unlabelled

_YES = Decision(output="score", threshold=0.4)
_ROWS = 4_000
_DAYS = np.repeat(np.arange(16_000, 16_040), 100)


def samples(*, overconfident: bool = False, decision: Decision = _YES) -> tuple[LabelledRows, dict[str, np.ndarray]]:
    """Labels that come true as often as the score says, or half as often."""
    random = np.random.default_rng(7)
    chances = random.beta(2, 4, _ROWS)
    labels = random.uniform(size=_ROWS) < (chances / 2 if overconfident else chances)
    outputs = {decision.output: chances.reshape(-1, 1)}
    return LabelledRows({}, labels, _DAYS, np.arange(_ROWS) % 2 == 0), outputs


def checked(*, overconfident: bool = False) -> UnlabelledCheck:
    rows, outputs = samples(overconfident=overconfident)
    check = unlabelled.check(rows, outputs, _YES, window_days=7)
    assert check is not None
    return check


def test_scores_that_hold_are_near_what_was_measured() -> None:
    """By weeks, of the rows that were held out alone; and the error is told, not assumed."""
    check = checked()

    assert (check.rows, check.blocks) == (2_000, 6)
    assert check.is_calibrated("f1")
    for name, error in check.largest_error.items():
        assert error is not None
        assert 0 < error < 0.1, name


def test_scores_that_promise_too_much_are_found_out() -> None:
    """Such a model would be estimated to be good for ever."""
    check = checked(overconfident=True)

    assert not check.is_calibrated("f1")
    assert not check.is_calibrated("unknown")


def test_a_window_has_only_what_held_at_release() -> None:
    """With how far it was off then beside it."""
    _, outputs = samples()
    counted = unlabelled.count(outputs, _DAYS, _YES)
    assert counted is not None
    check = checked().model_copy(update={"measured": {**checked().measured, "recall": 0.01}})

    estimate = unlabelled.measure(counted, _YES, check=check)

    assert set(estimate.metrics) == {"accuracy", "f1", "precision"}
    assert estimate.error == {name: check.largest_error[name] for name in estimate.metrics}
    assert (estimate.rows, estimate.days, estimate.blocks) == (4_000, 40, 6)


@pytest.mark.parametrize(
    ("decision", "column"),
    [
        (Decision(output="score", noticeable=1.0), np.full((4, 1), 0.5)),
        (Decision(output="score", threshold=0.4), np.array([[2.0], [0.1], [0.2], [0.3]])),
        (Decision(output="score", threshold=1), np.array([[2], [0], [1], [0]])),
        (Decision(output="score", classes=("a", "b")), np.array([["a"], ["b"], ["a"], ["b"]], object)),
        (Decision(output="score", classes=("a", "b")), np.full((4, 2), 0.7)),
    ],
    ids=["a number", "no chance", "whole numbers", "the class itself", "more than one together"],
)
def test_without_probabilities_there_is_no_estimate(decision: Decision, column: np.ndarray) -> None:
    """No number stands for what nobody knows."""
    assert unlabelled.count({"score": column}, np.zeros(4, np.int64), decision) is None


def test_of_several_classes_accuracy_and_macro_f1_are_estimated() -> None:
    """By the probabilities of each."""
    random = np.random.default_rng(3)
    decision = Decision(output="score", classes=("a", "b", "c"))
    chances = random.dirichlet([2.0, 1.0, 1.0], _ROWS)
    places = (random.uniform(size=(_ROWS, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    rows = LabelledRows({}, np.array(decision.classes)[places], _DAYS, np.ones(_ROWS, np.bool_))

    check = unlabelled.check(rows, {"score": chances}, decision, window_days=7)

    assert check is not None
    assert set(check.estimated) == {"accuracy", "f1_macro"}
    assert check.is_calibrated("f1_macro")


def test_of_few_rows_all_are_one_block() -> None:
    """A week of nine rows says nothing about an estimate."""
    rows, outputs = samples()
    few = LabelledRows({}, rows.labels, rows.days, np.arange(_ROWS) % 50 == 0)

    check = unlabelled.check(few, outputs, _YES, window_days=7)

    assert check is not None
    assert (check.rows, check.blocks) == (80, 1)
