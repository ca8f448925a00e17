"""What a version may cost to run: the limit, just beyond it, and what a busy machine can never do."""

from __future__ import annotations

import pytest
from slipway.domain.case import ReleaseCase
from slipway.domain.cost import Clocked, Cost, CostRatio, Times
from slipway.domain.limits import BudgetsLimit
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.gates import budgets
from slipway.measures import cost

from tests import pages

_PASS, _FAIL, _OPEN = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE
_ONLY_P50 = BudgetsLimit(size_bytes=None, size_ratio=None, memory_ratio=None, load_ratio=None, p50_ratio=2.0)


def judged(taken: Cost | None, limit: BudgetsLimit) -> tuple[Finding, ...]:
    case = ReleaseCase(identity=pages.identity(), evidence=pages.evidence(), rehearsal=pages.rehearsal(), cost=taken)
    return budgets.judge(case, limit)


def beside(candidate: Clocked, before: Clocked) -> Cost:
    return cost.measure(candidate=candidate, deployed={"v1.3.0": before}, platform="linux/amd64", batch_rows=1)


def answers(ms: float, *, spread: float = 0.01) -> Clocked:
    """200 requests around so many milliseconds."""
    return Clocked(size=1_000, requests=tuple(ms / 1e3 * (1 + spread * ((n * 37) % 21 - 10) / 10) for n in range(200)))


def p50_of(ratio: tuple[float, float], more_ms: tuple[float, float]) -> Verdict:
    times = Times(ratio=estimate(*ratio), more=estimate(*(ms / 1e3 for ms in more_ms)))
    one = CostRatio(version="v1.3.0", size=1, memory=None, load=None, p50=1, p99=None, batch=None, p50_times=times)
    (finding,) = judged(pages.cost(ratios=(one,)), _ONLY_P50)
    return finding.verdict


def estimate(low: float, high: float) -> Estimate:
    return Estimate(value=(low + high) / 2, low=low, high=high)


@pytest.mark.parametrize(
    ("ratio", "more_ms", "verdict"),
    [
        ((1.9, 2.0), (5.0, 6.0), _PASS),
        ((2.1, 2.2), (5.0, 6.0), _FAIL),
        ((1.9, 2.2), (5.0, 6.0), _OPEN),
        ((40.0, 50.0), (0.2, 1.0), _PASS),
        ((40.0, 50.0), (0.9, 1.1), _OPEN),
        ((1.9, 2.2), (0.9, 1.1), _OPEN),
        ((0.5, 90.0), (-80.0, 80.0), _OPEN),
    ],
)
def test_a_multiple_must_be_exceeded_beyond_noise_and_noticeably(
    ratio: tuple[float, float], more_ms: tuple[float, float], verdict: Verdict
) -> None:
    """Microseconds may double; and what only a busy machine could have done refuses nobody."""
    assert p50_of(ratio, more_ms) is verdict


def test_a_model_that_answers_three_times_as_slowly_is_refused_with_its_numbers() -> None:
    """Its answers are as good as before, and those who wait for them time out."""
    (finding,) = judged(beside(answers(30.0), answers(10.0)), _ONLY_P50)

    assert (finding.verdict, finding.title, finding.allowed) == (_FAIL, "Latency p50 × v1.3.0", "≤ ×2")
    assert finding.measured.startswith("×3.0")
    assert "policies/budgets.yaml" in finding.mend


def test_two_runs_that_pass_say_the_same() -> None:
    """No two runs measure the same, and the page of the same release must stay equal."""
    first, second = (judged(beside(answers(ms), answers(10.0)), BudgetsLimit()) for ms in (11.0, 12.5))

    assert first == second
    assert {one.verdict for one in first} == {_PASS}


def test_stalls_of_the_machine_fail_nobody() -> None:
    """They meet the candidate or the other by chance: the median hardly sees them."""
    stalled = Clocked(size=1_000, requests=tuple(0.4 if n % 5 == 0 else 0.01 for n in range(200)))

    (finding,) = judged(beside(stalled, answers(10.0)), _ONLY_P50)

    assert finding.verdict is not _FAIL


def test_a_first_release_is_held_to_what_is_absolute() -> None:
    """There is nothing yet to be a multiple of."""
    alone = cost.measure(candidate=answers(30.0), deployed={}, platform="linux/amd64", batch_rows=1)

    found = judged(alone, BudgetsLimit(size_bytes=999, p50_ms=20.0, p99_ms=40.0))

    assert [(one.title, one.verdict) for one in found] == [
        ("File size", _FAIL),
        ("Latency of one row, p50", _FAIL),
        ("Latency of one row, p99", _PASS),
    ]
    assert found[0].problem == "file size: 1,000 bytes, allowed is ≤ 999 bytes"


def test_small_files_and_processes_are_not_held_to_a_ratio() -> None:
    """A model of 10 kB that grows to 100 kB troubles nobody; one of 100 MB that grows to a gigabyte does."""
    small = judged(beside(Clocked(size=100_000), Clocked(size=10_000)), BudgetsLimit())
    grown = Clocked(size=10**9, memories=(3 * 10**9,) * 5)
    large = judged(beside(grown, Clocked(size=10**8, memories=(10**9,) * 5)), BudgetsLimit())

    assert {one.verdict for one in small} == {_PASS}
    assert {one.title for one in large if one.verdict is _FAIL} == {"File size × v1.3.0", "Memory × v1.3.0"}


def test_loads_that_differ_widely_decide_nothing() -> None:
    """Of five loads, one may be what it always is."""
    slow = Clocked(size=1, loads=(4.0, 9.0, 30.0, 4.0, 6.0))
    limit = BudgetsLimit(size_bytes=None, size_ratio=None)

    (open_question,) = judged(beside(slow, Clocked(size=1, loads=(1.0, 2.5, 3.0, 1.5, 2.5))), limit)
    (refused,) = judged(beside(slow, Clocked(size=1, loads=(0.9, 1.0, 1.1, 1.0, 1.0))), limit)

    assert (open_question.verdict, refused.verdict) == (_OPEN, _FAIL)
    assert open_question.problem.endswith("the rounds differ too much to tell")


@pytest.mark.parametrize(
    ("memories", "verdict"), [((90, 91, 92, 93, 99), _PASS), ((90, 95, 102, 101, 99), _OPEN), ((101,) * 5, _FAIL)]
)
def test_memory_is_held_to_its_limit_by_its_interval(memories: tuple[int, ...], verdict: Verdict) -> None:
    """Where a process may take 100 MB and no more, one that sometimes takes 102 is neither shown to fit nor not to."""
    taken = Clocked(size=1, memories=tuple(one * 10**6 for one in memories))
    alone = cost.measure(candidate=taken, deployed={}, platform="linux/amd64", batch_rows=1)

    (finding,) = judged(alone, BudgetsLimit(size_bytes=None, memory_bytes=10**8))

    assert finding.verdict is verdict
    assert finding.allowed == "≤ 100,000,000 bytes"


def test_memory_of_an_older_page_is_held_as_it_stands() -> None:
    """It was measured once, and a limit that holds today holds for it, too."""
    (finding,) = judged(pages.cost(), BudgetsLimit(size_bytes=None, memory_bytes=50_000_000))

    assert (finding.verdict, finding.measured) == (_FAIL, "58,720,256 bytes")


def test_a_release_whose_cost_was_not_measured_is_asked_nothing() -> None:
    """Pages of an older Slipway, and those without intervals, must not begin to fail."""
    assert judged(None, BudgetsLimit()) == ()
    told = judged(pages.cost(), _ONLY_P50)
    assert told == ()
