"""A table of cases for each gate of a release: the limit itself, just beyond it, and what is said then."""

from __future__ import annotations

from typing import Any

import pytest
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import Evidence, FidelityEvidence, OutputsEvidence
from slipway.domain.limits import FidelityLimit, OutputsLimit, SignatureLimit, WayBackLimit
from slipway.domain.metric_limits import MetricLimit, MetricsLimit
from slipway.domain.release import Rehearsal
from slipway.domain.signature import DataType, Tensor
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.gates import RELEASE_GATES, WINDOW_GATES, fidelity, metrics, outputs, signature, way_back

from tests import pages

_PASS, _FAIL, _OPEN = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE


def case(evidence: Evidence | None = None, rehearsal: Rehearsal | None = None) -> ReleaseCase:
    return ReleaseCase(
        identity=pages.identity(),
        evidence=evidence or pages.evidence(),
        rehearsal=rehearsal or pages.rehearsal(),
    )


def test_every_gate_has_a_policy_of_its_name() -> None:
    """One name for module, measure and policy: you find each by guessing."""
    gates = "promise fidelity metrics slices behaviour signature outputs budgets way_back"
    assert list(RELEASE_GATES) == gates.split()
    assert list(WINDOW_GATES) == ["metrics", "previous_version", "drift"]


# --- fidelity -----------------------------------------------------------------------------------------------


def fidelity_of(**changes: Any) -> Finding:
    measured: FidelityEvidence = pages.evidence().fidelity.model_copy(update=changes)
    (finding,) = fidelity.judge(case(pages.evidence(fidelity=measured)), FidelityLimit())
    return finding


_NOISE = 16 * 2.0**-23  # what float32 rounds anyway, for outputs up to 1


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, _PASS),
        ({"largest_difference": _NOISE, "noise_floor": 0.0}, _PASS),
        ({"largest_difference": _NOISE * 1.01, "noise_floor": 0.0}, _FAIL),
        ({"largest_difference": 0.99e-5, "noise_floor": 1e-6}, _PASS),
        ({"largest_difference": 1.1e-5, "noise_floor": 1e-6}, _FAIL),
        ({"largest_difference": 1e-4, "largest_output": 1000.0, "noise_floor": 0.0}, _PASS),
        ({"flips": 1, "flip_margins": (_NOISE / 2,)}, _PASS),
        ({"flips": 1, "flip_margins": (0.1,)}, _FAIL),
        ({"unlike_rows": 1}, _FAIL),
        ({"rows": 20_000}, _PASS),
        ({"rows": 19_999}, _OPEN),
        ({"rows": 10, "largest_difference": 1.0}, _FAIL),
    ],
)
def test_the_converted_model_answers_as_its_source_within_the_sources_own_noise(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    """What is served is a conversion; a swapped column is far beyond any noise."""
    assert fidelity_of(**changes).verdict is verdict


def test_a_conversion_that_differs_names_rows_and_the_usual_causes() -> None:
    """The developer looks at row 17 first."""
    finding = fidelity_of(largest_difference=0.25, flips=2, flip_margins=(0.1, 0.2))

    assert finding.measured == "max 2.5e-01 on 23,870 rows, 2 flips"
    assert finding.problem == (
        "the converted model differs from its source by 2.5e-01 (noise explains 1.9e-06) and decides 2 rows otherwise; "
        "worst sample rows: 17, 4211, 9020"
    )
    assert finding.mend.startswith("compare the two on these rows; a column order, a type or a scaler in float64")


def test_too_few_rows_say_how_many_are_missing() -> None:
    """A verdict that asks for more must say how much more."""
    finding = fidelity_of(rows=12_000)

    assert finding.problem == "12,000 sample rows cannot show that rare rows agree"
    assert finding.mend == "add about 8,000 rows to the samples"


def test_exactly_equal_answers_have_no_margin_to_divide() -> None:
    """Trees agree to the last bit."""
    assert fidelity_of(largest_difference=0.0).margin == "exact"


# --- metrics ------------------------------------------------------------------------------------------------


def metrics_of(low: float, high: float, **changes: Any) -> Finding:
    estimate = Estimate(value=(low + high) / 2, low=low, high=high)
    measured = pages.metrics(**{"metrics": {"f1": estimate}, **changes})
    limit = MetricsLimit(f1=MetricLimit(floor=0.60))
    (finding,) = metrics.judge(case(pages.evidence(metrics=measured)), limit)
    return finding


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.60, 0.70, _PASS), (0.599, 0.70, _OPEN), (0.50, 0.60, _OPEN), (0.50, 0.599, _FAIL)],
)
def test_a_metric_clears_its_floor_with_its_whole_interval(low: float, high: float, verdict: Verdict) -> None:
    """A number that only noise carries over the floor is neither good nor bad."""
    assert metrics_of(low, high).verdict is verdict


def test_a_metric_below_its_floor_says_where_the_floor_stands() -> None:
    """And that nobody lowers it alone."""
    finding = metrics_of(0.50, 0.54)

    assert finding.problem == "F1 is 0.520 [0.500, 0.540] on held-out rows, below its floor 0.60"
    assert "policies/metrics.yaml" in finding.mend
    assert (finding.allowed, finding.margin) == ("≥ 0.60", "-0.100")


def test_a_floor_inside_the_interval_says_how_many_rows_would_settle_it() -> None:
    """`Not enough evidence` alone would leave the developer to guess."""
    finding = metrics_of(0.58, 0.70)

    assert finding.problem == "F1 is 0.640 [0.580, 0.700]: the floor 0.60 lies inside the interval"
    assert finding.mend == "about 9,024 labelled positives more would settle it"


@pytest.mark.parametrize(("positives", "verdict"), [(100, _PASS), (99, _OPEN)])
def test_too_few_positives_are_not_believed(positives: int, verdict: Verdict) -> None:
    """Recall of twelve rows is a story, no number."""
    finding = metrics_of(0.65, 0.70, positives=positives)

    assert finding.verdict is verdict
    if verdict is _OPEN:
        assert finding.mend == "add labelled sample rows: about 1 positives more, on at least two days"


def test_a_metric_that_nobody_could_compute_is_an_open_question() -> None:
    """All rows of one day have no interval."""
    assert metrics_of(0.7, 0.8, metrics={"f1": None}).verdict is _OPEN


def test_every_metric_with_a_floor_has_a_row() -> None:
    """Precision and recall are asked where the policy names them."""
    limit = MetricsLimit(precision=MetricLimit(floor=0.3), recall=MetricLimit(floor=0.8))

    findings = metrics.judge(case(), limit)

    assert [(one.title, one.verdict) for one in findings] == [("F1", _FAIL), ("Precision", _PASS), ("Recall", _FAIL)]


# --- outputs and signature ----------------------------------------------------------------------------------


def outputs_of(count: int, *, allowed: float = 0.0, shapes: tuple[str, ...] = ()) -> Finding:
    measured = OutputsEvidence(rows=1000, not_finite={"p_late": count}, wrong_shapes=shapes)
    (finding,) = outputs.judge(case(pages.evidence(outputs=measured)), OutputsLimit(not_finite=allowed))
    return finding


@pytest.mark.parametrize(
    ("count", "allowed", "verdict"),
    [(0, 0.0, _PASS), (1, 0.0, _FAIL), (10, 0.01, _PASS), (11, 0.01, _FAIL)],
)
def test_answers_are_numbers_but_for_the_share_that_is_allowed(count: int, allowed: float, verdict: Verdict) -> None:
    """NaN is below every threshold and so decides something."""
    assert outputs_of(count, allowed=allowed).verdict is verdict


def test_a_nan_is_told_with_its_count() -> None:
    """And with where to look for it."""
    finding = outputs_of(12)

    assert finding.problem == "output `p_late` is NaN or infinite in 12 of 1,000 sample rows"
    assert finding.mend == "find the sample rows with a missing or extreme input, and handle it inside the model"


def test_another_shape_than_declared_fails() -> None:
    """Clients index into it."""
    assert outputs_of(0, shapes=("output `p_late` has shape [9, 2], declared is [9, 1]",)).verdict is _FAIL


def test_the_onnx_file_asks_what_is_declared() -> None:
    """Or every client fails after the merge."""
    found = pages.model().signature
    as_text = found.model_copy(update={"outputs": (Tensor(name="p_late", dtype=DataType.STRING),)})

    (good,) = signature.judge(case(), SignatureLimit())
    (bad,) = signature.judge(case(pages.evidence(onnx_signature=as_text)), SignatureLimit())

    assert (good.verdict, good.measured) == (_PASS, "7 inputs, 1 outputs")
    assert bad.verdict is _FAIL
    assert bad.problem == "against model.yaml, output `p_late` (float32) is now `p_late` (string)"
    assert bad.mend.startswith("correct models/flight-delay/model.yaml")


# --- the way back -------------------------------------------------------------------------------------------


def test_an_opaque_baseline_is_asked_about_by_the_promise_alone() -> None:
    """One gap is one waiver; that the way back was not tried is told all the same."""
    to = pages.released("v1.3.0").model_copy(update={"adopted": True, "onnx": None, "declaration": None})
    tried = {"fetched": False, "loaded": False, "golden_rows": 0, "golden_equal": 0, "problem": "it has no model"}

    (finding,) = way_back.judge(case(rehearsal=pages.rehearsal(to=to, **tried)), WayBackLimit())

    assert (finding.verdict, finding.measured) == (_PASS, "v1.3.0: its image alone is known")
    assert finding.notice == "the way back to v1.3.0 is by hand, and was not rehearsed: nothing of it can be asked"


def test_a_baseline_without_samples_loads_and_is_waived() -> None:
    """It is no failure that nobody had labelled rows on the day of the adoption."""
    known = {"adopted": True, "declaration": pages.identity().declaration, "golden": None}
    to = pages.released("v1.3.0").model_copy(update=known)

    (finding,) = way_back.judge(case(rehearsal=pages.rehearsal(to=to, golden_rows=0, golden_equal=0)), WayBackLimit())

    assert (finding.verdict, finding.problem) == (_OPEN, "v1.3.0 was adopted with 0 golden rows")
    assert finding.mend.startswith("waive the gate `way_back`")


@pytest.mark.parametrize(
    ("changes", "verdict", "problem"),
    [
        ({}, _PASS, ""),
        ({"to": None, "golden_rows": 0, "golden_equal": 0}, _PASS, ""),
        ({"golden_rows": 49, "golden_equal": 49}, _OPEN, "v1.3.0 was released with 49 golden rows"),
        ({"golden_equal": 49}, _FAIL, "v1.3.0 gives 49 of 50 answers that it gave at its release"),
        ({"loaded": False, "problem": "bad magic"}, _FAIL, "v1.3.0 no longer loads: bad magic"),
        ({"fetched": False, "problem": "404"}, _FAIL, "the image of v1.3.0 cannot be fetched: 404"),
    ],
)
def test_going_back_works_or_the_release_does_not_go_forward(
    changes: dict[str, Any], verdict: Verdict, problem: str
) -> None:
    """The night of a rollback is the wrong time to find out."""
    (finding,) = way_back.judge(case(rehearsal=pages.rehearsal(**changes)), WayBackLimit())

    assert (finding.verdict, finding.problem) == (verdict, problem)
    assert bool(finding.mend) is (verdict is not _PASS)
