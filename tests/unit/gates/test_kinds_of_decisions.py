"""Limits of models that decide one of several classes or a number: which way is better, and what a share is of."""

from __future__ import annotations

import pytest
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import PreviousEvidence
from slipway.domain.limits import PreviousVersionLimit, PromiseLimit
from slipway.domain.metric_limits import MetricsLimit
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.gates import metrics, previous_version, promise
from slipway.maths.named_metrics import DecisionKind

from tests import pages

_PASS, _FAIL, _OPEN = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE
_LIMIT = MetricsLimit.model_validate({"mae": {"ceiling": 50, "rise": 5}})


def of_numbers(low: float, high: float, *, rows: int = 400) -> MetricsEvidence:
    estimate = Estimate(value=(low + high) / 2, low=low, high=high)
    return pages.metrics(
        kind=DecisionKind.NUMBER,
        metrics={"mae": estimate},
        rows=rows,
        positives=rows,
        always_positive_f1=None,
        auc=None,
    )


def at_release(measured: MetricsEvidence, limit: MetricsLimit = _LIMIT) -> Finding:
    case = ReleaseCase(
        identity=pages.identity(), evidence=pages.evidence(metrics=measured), rehearsal=pages.rehearsal()
    )
    (finding,) = metrics.judge(case, limit)
    return finding


@pytest.mark.parametrize(("low", "high", "verdict"), [(40, 50, _PASS), (51, 60, _FAIL), (45, 55, _OPEN)])
def test_an_error_must_stay_below_its_ceiling(low: float, high: float, verdict: Verdict) -> None:
    """With its whole interval, as a metric above its floor."""
    found = at_release(of_numbers(low, high))

    assert (found.title, found.allowed, found.verdict) == ("MAE", "≤ 50", verdict)


def test_what_would_settle_an_error_is_counted_in_rows() -> None:
    """There are no positives of a number."""
    found = at_release(of_numbers(46, 52))

    assert found.problem == "MAE is 49.000 [46.000, 52.000]: the ceiling 50 lies inside the interval"
    assert found.mend == "about 3,200 labelled rows more would settle it"


def test_too_few_rows_are_not_believed() -> None:
    """`positives` of the policy are rows here."""
    assert at_release(of_numbers(1, 2, rows=99)).measured.startswith("99 labelled rows")


def test_a_metric_that_was_not_measured_is_open() -> None:
    """A policy that names another metric after the release passes nothing that nobody looked at."""
    found = at_release(of_numbers(1, 2), MetricsLimit.model_validate({"median_absolute_error": {"ceiling": 1}}))

    assert (found.verdict, found.measured) == (_OPEN, "not measured")


@pytest.mark.parametrize(("low", "high", "verdict"), [(40, 46.9, _PASS), (47.1, 60, _FAIL)])
def test_in_production_an_error_may_rise(low: float, high: float, verdict: Verdict) -> None:
    """By so much above what it was at release."""
    evidence = pages.window_evidence(tuple(pages.window(number, trailing=of_numbers(low, high)) for number in (1, 2)))
    evidence = evidence.model_copy(
        update={"decision": DecisionKind.NUMBER, "at_release": {"mae": Estimate(value=42, low=40, high=44)}}
    )

    (found,) = metrics.judge_window(evidence, _LIMIT)

    assert (found.verdict, found.allowed) == (verdict, "≤ 47 (42 at release + rise 5)")


def compared(difference: Estimate) -> Finding:
    comparison = pages.comparison(
        kind=DecisionKind.NUMBER,
        differences={"mae": difference},
        before={"mae": Estimate(value=40, low=38, high=42)},
    )
    case = ReleaseCase(
        identity=pages.identity(), evidence=pages.evidence(comparison=comparison), rehearsal=pages.rehearsal()
    )
    (_, finding) = promise.judge(case, PromiseLimit(worse=0.05))
    return finding


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(-3, 1.9, _PASS), (2.1, 4, _FAIL), (1, 3, _OPEN), (-9, -5, _PASS)]
)
def test_a_minor_version_may_be_worse_by_a_share_of_the_error(low: float, high: float, verdict: Verdict) -> None:
    """A hundredth means nothing of a price in cents; 5 % of the error before does, and less error is better."""
    found = compared(Estimate(value=(low + high) / 2, low=low, high=high))

    assert (found.allowed, found.verdict) == ("≤ +2.000, 0.05 of it", verdict)


def test_going_back_is_right_where_the_error_falls() -> None:
    """The version before had 10 less of 50: that is a win, though the difference is below zero."""
    estimate = Estimate(value=50, low=48, high=52)
    replayed = PreviousEvidence(
        version="v1.2.0",
        rows=900,
        metric="mae",
        deployed=estimate,
        previous=Estimate(value=40, low=38, high=42),
        difference=Estimate(value=-10, low=-12, high=-8),
    )
    evidence = pages.window_evidence(tuple(pages.window(number, previous=replayed) for number in (1, 2)))

    (found,) = previous_version.judge_window(
        evidence.model_copy(update={"back_to": "v1.2.0"}), PreviousVersionLimit(gain=0.02)
    )

    assert (found.verdict, found.allowed) == (_FAIL, "not by more than 1, 2% of its MAE, twice in a row")
    assert "v1.2.0 would have had an MAE 10.00 lower on the same 900 rows" in found.problem


def test_pages_from_before_there_were_other_kinds_are_read() -> None:
    """A ledger is years old."""
    told = {"version": "v1.0.0", "rows": 9, "deployed_f1": None, "previous_f1": None, "difference": None}

    found = PreviousEvidence.model_validate(told)

    assert (found.metric, found.deployed, found.gain) == ("f1", None, None)
