"""The gate of behaviour: a table of cases, and what is said where an old golden answer is no longer asked."""

from __future__ import annotations

from typing import Any

import pytest
from slipway.domain.behaviour import BehaviourLimit, GoldenRequest
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import BehaviourEvidence, ChangedEvidence, GoldenEvidence, TeamTest
from slipway.domain.identity import Identity
from slipway.domain.verdict import Finding, Verdict, estimate_of
from slipway.gates import behaviour
from slipway.maths.intervals import share_interval

from tests import pages

_PASS, _FAIL, _OPEN = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE
CASE: dict[str, Any] = {"name": "case", "input": "carrier", "text": "lower-case"}
GOLDEN: dict[str, Any] = {"name": "evening", "inputs": {"hour": 20}, "answers": {"p_late": 0.5}}


def limit(**groups: list[dict[str, Any]]) -> BehaviourLimit:
    return BehaviourLimit.model_validate(groups)


def judge(
    expected: BehaviourLimit, measured: BehaviourEvidence | None, identity: Identity | None = None
) -> tuple[Finding, ...]:
    case = ReleaseCase(
        identity=identity or pages.identity(),
        evidence=pages.evidence(behaviour=measured),
        rehearsal=pages.rehearsal(),
    )
    return behaviour.judge(case, expected)


def changed(rows: int, violations: int, *, asked: str = "carrier in lower-case: same decision") -> BehaviourEvidence:
    share = estimate_of(share_interval(violations, rows)) if rows else None
    example = "sample row 17: carrier DL → dl moves p_late 0.2 → 0.4" if violations else ""
    one = ChangedEvidence(name="case", asked=asked, rows=rows, violations=violations, share=share, example=example)
    return BehaviourEvidence(changed=(one,))


def invariance(measured: BehaviourEvidence, **changes: Any) -> Finding:
    (finding,) = judge(limit(invariances=[{**CASE, **changes}]), measured)
    return finding


@pytest.mark.parametrize(
    ("rows", "violations", "allowed", "verdict"),
    [
        (1_000, 0, 0.0, _PASS),
        (999, 0, 0.0, _OPEN),
        (0, 0, 0.0, _OPEN),
        (20_000, 1, 0.0, _FAIL),
        (10, 1, 0.0, _FAIL),
        (20_000, 100, 0.01, _PASS),
        (20_000, 200, 0.01, _OPEN),
        (20_000, 260, 0.01, _FAIL),
        (10, 9, 0.01, _FAIL),
    ],
)
def test_what_must_not_matter_does_not_beyond_noise(
    rows: int, violations: int, allowed: float, verdict: Verdict
) -> None:
    """`Never` is disproved by one row; a share is kept by its whole interval."""
    assert invariance(changed(rows, violations), violations=allowed).verdict is verdict


def test_a_violation_names_the_row_that_moves_most() -> None:
    """The developer looks at it first."""
    finding = invariance(changed(20_000, 4_786))

    assert finding.title == "Invariance case"
    assert finding.measured == "4,786 of 20,000 rows otherwise [23.34%, 24.53%]"
    assert finding.allowed == "carrier in lower-case: same decision"
    assert finding.problem == (
        "4,786 of 20,000 rows behave otherwise than `carrier in lower-case: same decision`: sample row 17: carrier "
        "DL → dl moves p_late 0.2 → 0.4"
    )
    assert finding.mend.startswith("train it so that it holds, or have policies/behaviour.yaml say")


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        ({"days": 365}, "4,786 of 20,000 rows otherwise [23.34%, 24.53%]; 365 whole days drawn"),
        ({"days": 365, "groups": 1_200}, "4,786 of 20,000 rows otherwise [23.34%, 24.53%]; 1,200 whole groups drawn"),
    ],
)
def test_what_was_drawn_together_is_told(drawn: dict[str, int], told: str) -> None:
    """An interval of rows of one day says little, and its reader must see what it rests on."""
    (one,) = changed(20_000, 4_786).changed
    assert invariance(BehaviourEvidence(changed=(one.model_copy(update=drawn),))).measured == told


def test_more_rows_of_the_same_days_settle_nothing() -> None:
    """They would behave as those that are there."""
    (one,) = changed(20_000, 180).changed
    for drawn, words in (({"days": 30}, "of other days"), ({"days": 30, "groups": 9}, "of other groups")):
        measured = BehaviourEvidence(changed=(one.model_copy(update=drawn),))
        assert f"sample rows more, {words}, would" in invariance(measured, violations=0.01).mend


def test_an_open_question_says_how_many_rows_would_settle_it() -> None:
    """A verdict that asks for more must say how much more."""
    assert "about " in invariance(changed(20_000, 180), violations=0.01).mend
    assert invariance(changed(400, 0)).problem == "only 400 sample rows are changed by it, and 1,000 are asked for"


def test_an_answer_to_another_question_is_none() -> None:
    """The page keeps what was asked then; a policy that asks more now is not answered by it."""
    finding = invariance(changed(20_000, 0, asked="carrier in upper-case: same decision"))

    assert (finding.verdict, finding.measured) == (_OPEN, "not asked yet")
    assert "run the release of flight-delay@v1.4.0 again" in finding.mend


def test_an_expectation_of_later_versions_says_nothing_of_this_one() -> None:
    """It need not have been asked."""
    assert judge(limit(invariances=[{**CASE, "since": "v1.5.0"}]), BehaviourEvidence()) == ()


def test_evidence_from_before_behaviour_was_measured_is_not_judged_by_it() -> None:
    """An update of the template must not fail what runs already."""
    assert judge(limit(invariances=[CASE]), None) == ()


# --- golden requests ----------------------------------------------------------------------------------------


def asked(**changes: Any) -> BehaviourEvidence:
    one = {"request": GoldenRequest.model_validate(GOLDEN), "answered": "p_late 0.5", "kept": True, **changes}
    return BehaviourEvidence(golden=(GoldenEvidence.model_validate(one),))


@pytest.mark.parametrize(
    ("measured", "verdict", "problem"),
    [
        (asked(), _PASS, ""),
        (
            asked(kept=False, answered="p_late 0.7"),
            _FAIL,
            "the golden request `evening` is answered with p_late 0.7, and must be with p_late 0.5 ± 0.0001",
        ),
        (
            asked(kept=False, answered="", problem="the model asks for dest, which it does not name"),
            _FAIL,
            "the golden request `evening` cannot be asked: the model asks for dest, which it does not name",
        ),
        (BehaviourEvidence(), _OPEN, "v1.4.0 was measured before this was expected of it"),
    ],
)
def test_a_golden_request_gets_the_answer_that_everybody_knows(
    measured: BehaviourEvidence, verdict: Verdict, problem: str
) -> None:
    """One request has no interval: it is answered as expected, or it is not."""
    (finding,) = judge(limit(golden=[GOLDEN]), measured)

    assert (finding.title, finding.verdict, finding.problem) == ("Golden request evening", verdict, problem)


def held_to(identity: Identity, *requests: dict[str, Any]) -> Identity:
    """Compared with a version that was held to these."""
    before = tuple(GoldenRequest.model_validate(one) for one in requests)
    assert identity.compared is not None
    compared = identity.compared.model_copy(update={"golden_requests": before})
    return identity.model_copy(update={"compared": compared})


_MINOR, _MAJOR = held_to(pages.identity(), GOLDEN), held_to(pages.major_identity(), GOLDEN)


@pytest.mark.parametrize(("identity", "verdict"), [(_MINOR, _FAIL), (_MAJOR, _PASS)])
@pytest.mark.parametrize(
    ("today", "told"),
    [
        ([], "no longer asked"),
        ([{**GOLDEN, "answers": {"p_late": 0.7}}], "now p_late 0.7 ± 0.0001"),
        ([{**GOLDEN, "tolerance": 0.3}], "now p_late 0.5 ± 0.3"),
        ([{**GOLDEN, "inputs": {"hour": 3}}], "another request, now p_late 0.5 ± 0.0001"),
        ([{**GOLDEN, "name": "renamed"}], "no longer asked"),
        ([{**GOLDEN, "below": "v1.4.0"}], "no longer asked"),
    ],
)
def test_an_old_golden_answer_is_not_changed_silently(
    identity: Identity, verdict: Verdict, today: list[dict[str, Any]], told: str
) -> None:
    """Whoever edits the answer until it passes is found out, except where the number says that it breaks."""
    found = [one for one in judge(limit(golden=today), asked(), identity) if one.title.endswith("as for v1.3.0")]

    assert [(one.title, one.verdict, one.measured) for one in found] == [
        ("Golden request evening as for v1.3.0", verdict, told)
    ]
    assert found[0].allowed.startswith("p_late 0.5 ± 0.0001")
    assert ("release a major version, or waive it" in found[0].mend) is (verdict is _FAIL)


def test_an_unchanged_or_stricter_golden_answer_is_not_told() -> None:
    """Nothing was taken away."""
    for today in (GOLDEN, {**GOLDEN, "tolerance": 1e-6}):
        found = judge(limit(golden=[today]), asked(request=GoldenRequest.model_validate(today)), _MINOR)
        assert [one.title for one in found] == ["Golden request evening"]


def test_a_version_whose_page_tells_no_golden_requests_was_held_to_none() -> None:
    """Pages of an older Slipway."""
    assert judge(limit(), BehaviourEvidence(), pages.identity()) == ()


# --- the team's own functions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tests", "verdict", "measured"),
    [
        ((TeamTest(name="test_a", passed=True), TeamTest(name="test_b", passed=True)), _PASS, "2 of 2 pass"),
        ((TeamTest(name="test_a", passed=True), TeamTest(name="test_b", passed=False)), _FAIL, "1 of 2 pass"),
        ((), _OPEN, "none was found"),
    ],
)
def test_every_function_of_the_team_must_pass(tests: tuple[TeamTest, ...], verdict: Verdict, measured: str) -> None:
    """A file without a function in it looks like a test and asks nothing."""
    (finding,) = judge(limit(), BehaviourEvidence(tests=tests))

    assert (finding.verdict, finding.measured) == (verdict, measured)


def test_a_function_that_fails_is_told_with_its_message() -> None:
    """The reader does not have to find the log."""
    failed = TeamTest(name="test_twins_get_one_answer", passed=False, message="assert 0.2 == 0.3")
    (finding,) = judge(limit(), BehaviourEvidence(tests=(failed,)))

    assert finding.problem == "test_twins_get_one_answer: assert 0.2 == 0.3"
    assert "tests/models/flight-delay" in finding.mend


def test_a_model_of_which_nothing_is_expected_has_no_row() -> None:
    """A row that says nothing hides those that do."""
    assert judge(limit(), BehaviourEvidence()) == ()
