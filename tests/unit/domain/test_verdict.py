"""Three verdicts, and the interval that decides between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.verdict import EXIT_CODES, Estimate, Verdict, at_least, enclosing, widened, worst


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.75, 0.80, Verdict.PASS),
        (0.7499, 0.80, Verdict.NOT_ENOUGH_EVIDENCE),
        (0.70, 0.75, Verdict.NOT_ENOUGH_EVIDENCE),
        (0.70, 0.7499, Verdict.FAIL),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, verdict: Verdict) -> None:
    """The limit itself is good enough to pass, and touching it is no failure."""
    assert at_least(Estimate(value=(low + high) / 2, low=low, high=high), 0.75) is verdict


@given(st.lists(st.sampled_from(Verdict)))
def test_one_failure_fails_all_and_one_question_leaves_all_open(verdicts: list[Verdict]) -> None:
    """However many gates passed."""
    expected = next(
        (one for one in (Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE) if one in verdicts),
        Verdict.PASS,
    )

    assert worst(verdicts) is expected


def test_each_verdict_has_an_exit_code_that_no_error_has() -> None:
    """`It is bad` and `I could not look` never share one."""
    assert EXIT_CODES == {Verdict.PASS: 0, Verdict.FAIL: 10, Verdict.NOT_ENOUGH_EVIDENCE: 11}


def test_the_widened_interval_is_the_usual_one_where_there_is_one() -> None:
    """And it grows slowly: of fifty, by two thirds."""
    one = Estimate(value=0.0, low=-1.0, high=1.0)

    assert widened(one, among=1).high == pytest.approx(1.0)
    assert widened(one, among=50).high == pytest.approx(1.68, abs=0.01)


def test_an_interval_that_holds_two_reaches_as_far_as_the_wider_on_each_side() -> None:
    """Where two ways to be wrong are looked at, neither hides the other; and what one cannot tell is not told."""
    one, other = Estimate(value=0.1, low=0.09, high=0.2), Estimate(value=0.1, low=-0.3, high=0.12)

    assert enclosing(one, other) == Estimate(value=0.1, low=-0.3, high=0.2)
    assert enclosing(one, None) is enclosing(None, other) is None
