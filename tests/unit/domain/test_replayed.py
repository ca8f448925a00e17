"""What counts as the same when a release is measured again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.replayed import differences_between, other_verdicts
from slipway.domain.verdict import Finding, Verdict

from tests import pages

_STEP = 2.0**-23  # of float32 at 1


def finding(gate: str, title: str, verdict: Verdict) -> Finding:
    return Finding(gate=gate, title=title, verdict=verdict, measured="1", allowed="2")


@given(value=st.floats(0, 1), steps=st.integers(-12, 12))
def test_what_two_processors_round_otherwise_is_the_same(value: float, steps: int) -> None:
    """A replay on another machine must not cry wolf."""
    then = pages.evidence()
    fidelity = then.fidelity.model_copy(update={"largest_output": value})
    now = fidelity.model_copy(update={"largest_output": value + steps * _STEP})

    both = (then.model_copy(update={"fidelity": one}) for one in (fidelity, now))
    assert differences_between("evidence", *both) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"largest_output": 1.001}, ("fidelity.largest_output", "1.0", "1.001")),
        ({"flips": 1}, ("fidelity.flips", "0", "1")),
        ({"worst_rows": (1,)}, ("fidelity.worst_rows", "0 values", "1 values")),
        ({"flip_margins": (0.5,), "worst_rows": ()}, ("fidelity.flip_margins", "0 values", "1 values")),
    ],
)
def test_a_difference_names_its_field_and_both_values(changes: dict[str, object], said: tuple[str, str, str]) -> None:
    """The reader finds it in the page by these words."""
    plain = {"largest_output": 1.0, "flips": 0, "worst_rows": (), "flip_margins": ()}
    then = pages.evidence(fidelity=pages.evidence().fidelity.model_copy(update=plain))
    now = then.model_copy(update={"fidelity": then.fidelity.model_copy(update=changes)})

    (found,) = differences_between("evidence", then, now)
    assert (found.field, found.recorded, found.now) == said
    assert differences_between("evidence", then, now, leave_out={"fidelity"}) == []


def test_a_field_that_the_recorded_page_lacks_is_not_compared() -> None:
    """It was measured by a Slipway that did not know it."""
    told = pages.evidence().model_dump(mode="json")
    del told["calibration"]
    then = type(pages.evidence()).model_validate(told)
    now = pages.evidence()

    assert now.calibration is not None
    assert differences_between("evidence", then, now) == []
    assert [one.field for one in differences_between("evidence", now, then)] == ["calibration"]


def test_a_verdict_that_changed_and_a_question_that_only_one_asks_are_told() -> None:
    """A gate may answer several times under one title."""
    one, other = finding("metrics", "F1", Verdict.PASS), finding("promise", "Breaks", Verdict.PASS)
    found = other_verdicts(
        [one, other, other], [finding("metrics", "F1", Verdict.FAIL), other, finding("outputs", "Finite", Verdict.PASS)]
    )

    assert [(each.field, each.recorded, each.now) for each in found] == [
        ("metrics: F1", "pass", "fail"),
        ("promise: Breaks", "pass, pass", "pass"),
        ("outputs: Finite", "not asked", "pass"),
    ]
    assert other_verdicts([one, other], [other, one]) == []
