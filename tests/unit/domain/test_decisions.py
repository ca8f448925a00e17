"""What answers are decided to be: yes or no, one of several classes, or a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.decisions import decided, flipped, scored, sureness
from slipway.domain.model import Decision
from slipway.domain.rows import LabelledRows

YES_OR_NO = Decision(output="answer", threshold=0.5)
SEVERAL = Decision(output="answer", classes=("cat", "dog", "hen"))
NUMBER = Decision(output="answer", noticeable=0.5)


def answers(*rows: Any, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    return {"answer": np.array(rows, dtype)}


def test_the_class_with_the_largest_number_is_decided() -> None:
    """The first among equals, and NaN is less than any number: argmax of numpy would take it for the largest."""
    outputs = answers([0.1, 0.7, 0.2], [0.4, 0.4, 0.2], [np.nan, -5, -6], [np.nan] * 3)

    assert decided(outputs, SEVERAL).tolist() == ["dog", "cat", "dog", ""]


def test_an_output_may_hold_the_class_itself() -> None:
    """As classifiers of scikit-learn do; an index that no class has is no class, and never the last one."""
    assert decided(answers(["hen"], ["ox"], dtype=object), SEVERAL).tolist() == ["hen", ""]
    assert decided(answers([2], [0], [-1], [3], dtype=np.int64), SEVERAL).tolist() == ["hen", "cat", "", ""]


def test_whole_numbers_are_names_where_all_classes_are_called_by_numbers() -> None:
    """Stars from 1 to 3 are not places from 0 on: every decision would be off by one."""
    stars = Decision(output="answer", classes=("1", "2", "3"))

    assert decided(answers([1], [3], [0], dtype=np.int64), stars).tolist() == ["1", "3", ""]


def test_a_number_is_decided_as_it_is_and_flips_when_it_moves_noticeably() -> None:
    """A patch that moves a price by a cent is none that users notice; one that loses the price is."""
    before = decided(answers([1.0], [1.0], [1.0], [np.nan], [np.inf]), NUMBER)
    after = decided(answers([1.5], [1.75], [np.nan], [np.nan], [np.inf]), NUMBER)

    assert flipped(before, after, NUMBER).tolist() == [False, True, True, False, False]


def test_classes_are_compared_by_name_and_not_by_place() -> None:
    """A version that lists its classes in another order decides the same."""
    turned = Decision(output="answer", classes=("hen", "dog", "cat"))

    assert not flipped(
        decided(answers([0.1, 0.7, 0.2], [0.9, 0, 0.1]), SEVERAL),
        decided(answers([0.2, 0.7, 0.1], [0.1, 0, 0.9]), turned),
        turned,
    ).any()


def test_decisions_of_two_kinds_agree_on_no_row() -> None:
    """A price is no yes."""
    assert flipped(decided(answers([1.0]), YES_OR_NO), decided(answers([1.0]), NUMBER), NUMBER).all()


@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=20), st.floats(0, 1))
def test_no_decision_flips_while_answers_move_by_less_than_they_are_sure(rows: list[list[float]], part: float) -> None:
    """What fidelity calls noise must be unable to change a class."""
    before = answers(*rows, dtype=np.float64)
    sure = sureness(before, SEVERAL)
    turned = np.where(np.arange(3) == before["answer"].argmax(axis=1)[:, None], -1.0, 1.0)
    after = {"answer": before["answer"] + turned * (sure * part * 0.999)[:, None]}

    moved = flipped(decided(before, SEVERAL), decided(after, SEVERAL), SEVERAL)

    assert not (moved & (sure > 1e-9)).any()


def labelled(labels: Any, **more: Any) -> LabelledRows:
    number = len(labels)
    return LabelledRows(
        batch={}, labels=np.array(labels), days=np.arange(number), counts=np.ones(number, np.bool_), **more
    )


def test_scores_are_put_in_the_order_in_which_labels_name_the_classes() -> None:
    """AUC would take a cat for a hen."""
    turned = Decision(output="answer", classes=("hen", "dog", "cat"))

    found = scored(labelled(["cat", "hen"]), answers([0.1, 0.2, 0.7], [0.6, 0.3, 0.1]), turned, labelled_by=SEVERAL)

    assert found is not None
    assert (found.labels.tolist(), found.decisions.tolist(), found.classes) == ([0, 2], [0, 2], 3)
    assert found.scores is not None
    assert found.scores[:, 0].tolist() == pytest.approx([0.7, 0.1])


def test_a_class_that_labels_do_not_know_is_a_wrong_decision() -> None:
    """It comes after the last class, so that it equals no label."""
    more = Decision(output="answer", classes=("cat", "ox"))

    found = scored(labelled(["cat", "hen"]), answers([0.1, 0.9], [0.9, 0.1]), more, labelled_by=SEVERAL)

    assert found is not None
    assert (found.decisions.tolist(), found.scores) == ([3, 0], None)


def test_answers_of_another_kind_than_the_labels_are_not_scored() -> None:
    """No metric tells how good a price is as a yes."""
    assert scored(labelled([True, False]), answers([1.0], [2.0]), NUMBER, labelled_by=YES_OR_NO) is None


def test_groups_are_drawn_where_there_are_any() -> None:
    """Ten rows of one customer are not ten answers to the question how good the model is."""
    outputs = answers([1.0], [2.0])

    by_day = scored(labelled([1.0, 2.0]), outputs, NUMBER, labelled_by=NUMBER)
    by_group = scored(labelled([1.0, 2.0], groups=np.array([7, 7])), outputs, NUMBER, labelled_by=NUMBER)

    assert by_day is not None
    assert by_group is not None
    assert (by_day.groups.tolist(), by_group.groups.tolist()) == ([0, 1], [7, 7])
