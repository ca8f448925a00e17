"""What comes of asking again, on rows few enough to count by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from slipway.domain.behaviour import BehaviourLimit
from slipway.domain.evidence import BehaviourEvidence, ChangedEvidence
from slipway.domain.model import Decision, Feature, Framework, Model, Samples
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.signature import DataType
from slipway.maths.intervals import share_over_groups
from slipway.measures import behaviour

MODEL = Model(
    name="tips",
    summary="Will a table leave a tip?",
    framework=Framework.TENSORFLOW,
    source="source",
    owners=("@waiters",),
    inputs=(
        Feature(name="bill", dtype=DataType.FLOAT32, meaning="Sum"),
        Feature(name="kitchen", dtype=DataType.STRING, meaning="Kitchen"),
    ),
    outputs=(Feature(name="score", dtype=DataType.FLOAT32, meaning="How likely"),),
    decision=Decision(output="score", threshold=0.5),
    samples=Samples(path="samples.parquet", time="time", label="tip"),
)
BATCH = {
    "bill": np.array([10.0, 20.0, 30.0, np.nan], np.float32).reshape(-1, 1),
    "kitchen": np.array(["Grill", "grill", "pizza", "Pizza"], object).reshape(-1, 1),
}
_DAYS = np.array([1, 1, 2, 3])
ROWS = LabelledRows(batch=BATCH, labels=np.zeros(4, bool), days=_DAYS, counts=np.ones(4, bool))


def ask(batch: Batch) -> dict[str, npt.NDArray[Any]]:
    """A hundredth of the bill, and a bonus for a kitchen that is written in one way only."""
    bonus = np.where(batch["kitchen"] == "Grill", np.float32(0.6), np.float32(0.0))
    return {"score": (batch["bill"] * np.float32(0.01) + bonus).astype(np.float32)}


def measure(**groups: list[dict[str, Any]]) -> BehaviourEvidence:
    expected = BehaviourLimit.model_validate(groups)
    return behaviour.measure(expected, model=MODEL, rows=ROWS, answers=ask(BATCH), ask=ask)


def changed(kind: str, **one: Any) -> ChangedEvidence:
    (found,) = measure(**{kind: [{"name": "one", **one}]}).changed
    return found


def test_rows_that_the_change_leaves_alone_are_not_counted() -> None:
    """Of a thousand rows that are in lower case already, none shows that case does not matter."""
    found = changed("invariances", input="kitchen", text="lower-case")

    assert (found.rows, found.violations) == (2, 1)
    assert found.asked == "kitchen in lower-case: same decision"
    assert found.example == "sample row 1: kitchen Grill → grill moves score 0.7 → 0.1"
    assert found.share is not None
    expected = share_over_groups([True, False], [1, 3], seed=1)
    assert (found.share.low, found.share.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_rows_of_a_day_or_a_group_go_together() -> None:
    """A hundred tables of one evening, all answered otherwise, are one evening."""
    days = np.repeat(np.arange(10), 40)
    kitchen = np.where(days == 3, "Grill", "GRILL").astype(object).reshape(-1, 1)
    batch = {"bill": np.full((400, 1), 20, np.float32), "kitchen": kitchen}
    one = {"name": "one", "input": "kitchen", "text": "lower-case"}
    expected = BehaviourLimit.model_validate({"invariances": [one]})

    def share_with(groups: npt.NDArray[Any] | None) -> ChangedEvidence:
        rows = LabelledRows(batch, np.zeros(400, bool), days, np.ones(400, bool), groups=groups)
        return behaviour.measure(expected, model=MODEL, rows=rows, answers=ask(batch), ask=ask).changed[0]

    by_day, by_row = share_with(None), share_with(np.arange(400))

    assert (by_day.violations, by_day.days, by_day.groups) == (40, 10, None)
    assert (by_row.violations, by_row.days, by_row.groups) == (40, 10, 400)
    assert by_day.share is not None and by_row.share is not None
    assert by_day.share.high - by_day.share.low > 3 * (by_row.share.high - by_row.share.low)


def test_a_tolerance_asks_the_outputs_instead_of_the_decision() -> None:
    """A score may move far without crossing a threshold."""
    assert changed("invariances", input="bill", add=5).violations == 0
    assert changed("invariances", input="bill", add=5, tolerance=0.04).violations == 3
    assert changed("invariances", input="bill", add=5, tolerance=0.06).violations == 0


def test_what_is_missing_stays_missing() -> None:
    """NaN and one more is NaN: the row is not changed."""
    assert changed("invariances", input="bill", add=1).rows == 3


@pytest.mark.parametrize(("must", "violations"), [("not-fall", 0), ("not-rise", 3)])
def test_a_direction_counts_what_moves_the_wrong_way(must: str, violations: int) -> None:
    """A larger bill makes a tip likelier here."""
    assert changed("directions", input="bill", add=10, output="score", must=must).violations == violations


def test_a_move_within_the_tolerance_is_none() -> None:
    """float32 rounds: a score that falls by its last digit does not fall."""
    one = {"input": "bill", "add": -10, "output": "score", "must": "not-fall"}

    assert changed("directions", **one, tolerance=0.2).violations == 0
    assert changed("directions", **one, tolerance=0.05).violations == 3


def test_a_number_that_becomes_none_moves_the_wrong_way() -> None:
    """NaN is neither more nor less, and no comparison would find it."""

    def ask_logarithm(batch: Batch) -> dict[str, npt.NDArray[Any]]:
        with np.errstate(invalid="ignore"):
            return {"score": np.log(batch["bill"]).astype(np.float32)}

    one = {"name": "one", "input": "bill", "add": -15, "output": "score", "must": "not-rise"}
    expected = BehaviourLimit.model_validate({"directions": [one]})
    found = behaviour.measure(expected, model=MODEL, rows=ROWS, answers=ask_logarithm(BATCH), ask=ask_logarithm)

    assert (found.changed[0].rows, found.changed[0].violations) == (3, 1)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"text": "upper-case"}, ["GRILL", "GRILL", "PIZZA", "PIZZA"]),
        ({"text": "spaces-around"}, [" Grill ", " grill ", " pizza ", " Pizza "]),
        ({"replace": {"grill": "pizza", "pizza": "grill"}}, ["Grill", "pizza", "grill", "Pizza"]),
        ({"set": "salads"}, ["salads"] * 4),
    ],
)
def test_words_are_changed_as_declared(change: dict[str, Any], after: list[str]) -> None:
    """Two names can be swapped: each word is replaced once."""
    one = BehaviourLimit.model_validate({"invariances": [{"name": "x", "input": "kitchen", **change}]}).invariances[0]

    assert behaviour.after_change(BATCH["kitchen"], one).ravel().tolist() == after


@pytest.mark.parametrize(
    ("change", "after"), [({"add": 1}, [11, 21]), ({"multiply": 2}, [20, 40]), ({"set": 7}, [7, 7])]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_numbers_keep_their_type(dtype: str, change: dict[str, Any], after: list[int]) -> None:
    """The model refuses a column of another type."""
    one = BehaviourLimit.model_validate({"invariances": [{"name": "x", "input": "bill", **change}]}).invariances[0]
    column = behaviour.after_change(np.array([[10], [20]], dtype), one)

    assert (column.dtype, column.ravel().tolist()) == (np.dtype(dtype), after)


def test_a_change_that_changes_no_row_has_no_share() -> None:
    """Nothing was asked, so nothing is known."""
    found = changed("invariances", input="kitchen", replace={"sushi": "salads"})

    assert (found.rows, found.share, found.example) == (0, None, "")


@pytest.mark.parametrize(
    ("expects", "kept", "answered"),
    [
        ({"answers": {"score": 0.8}}, True, "score 0.8"),
        ({"answers": {"score": 0.81}}, False, "score 0.8"),
        ({"answers": {"score": 0.81}, "tolerance": 0.02}, True, "score 0.8"),
        ({"decision": True}, True, "decision yes"),
        ({"decision": False}, False, "decision yes"),
        ({"answers": {"score": 0.8}, "decision": False}, False, "score 0.8, decision yes"),
    ],
)
def test_a_golden_request_keeps_its_answer_and_its_decision(expects: dict[str, Any], kept: bool, answered: str) -> None:
    """Both, where both are expected."""
    (found,) = measure(golden=[{"name": "one", "inputs": {"bill": 20, "kitchen": "Grill"}, **expects}]).golden

    assert (found.kept, found.answered) == (kept, answered)


def test_a_missing_number_is_asked_as_a_server_reads_it() -> None:
    """null is NaN; whether the model has an answer to it is for the team to say."""
    without = {"name": "one", "inputs": {"bill": None, "kitchen": "Grill"}}
    expects: list[tuple[dict[str, Any], bool]] = [
        ({"answers": {"score": None}}, True),
        ({"answers": {"score": 0.6}}, False),
    ]
    for answers, kept in expects:
        (found,) = measure(golden=[{**without, **answers}]).golden
        assert (found.kept, found.answered) == (kept, "score null")


def test_a_request_that_lacks_an_input_is_not_asked() -> None:
    """A client that sends this would be refused: no value is made up for it."""
    (found,) = measure(golden=[{"name": "one", "inputs": {"bill": 20}, "decision": True}]).golden

    assert (found.kept, found.problem) == (False, "the model asks for kitchen, which it does not name")


@pytest.mark.parametrize(
    ("decision", "expected", "kept"),
    [
        (Decision(output="score", noticeable=0.1), 0.75, True),
        (Decision(output="score", noticeable=0.1), 0.65, False),
        (Decision(output="name", classes=("none", "some")), "some", True),
        (Decision(output="name", classes=("none", "some")), "none", False),
        (Decision(output="each", classes=("none", "some")), "none", True),
    ],
)
def test_every_kind_of_decision_can_be_expected(decision: Decision, expected: Any, kept: bool) -> None:
    """A number is kept where users would not notice the difference."""

    def ask_all(batch: Batch) -> dict[str, npt.NDArray[Any]]:
        some = np.full((len(batch["bill"]), 1), "some", object)
        each = np.tile(np.array([0.9, 0.1], np.float32), (len(some), 1))
        return {"score": ask(batch)["score"], "name": some, "each": each}

    model = MODEL.model_copy(update={"decision": decision})
    one = {"name": "one", "inputs": {"bill": 20, "kitchen": "Grill"}, "decision": expected}
    limit = BehaviourLimit.model_validate({"golden": [one]})
    found = behaviour.measure(limit, model=model, rows=ROWS, answers=ask_all(BATCH), ask=ask_all)

    assert found.golden[0].kept is kept
