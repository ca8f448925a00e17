"""The rows of the fidelity gate beside the first: splits of trees, and what the source refuses."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import ProbesEvidence, RebaseEvidence, RefusedEvidence
from slipway.domain.identity import Rebase
from slipway.domain.limits import FidelityLimit, RefusedRows
from slipway.domain.verdict import Finding, Verdict
from slipway.gates import fidelity

from tests import pages

_NOISE = 16 * 2.0**-23  # what is allowed where outputs are at most 1 and the source has no noise


def findings(limit: FidelityLimit | None = None, **changes: Any) -> tuple[Finding, ...]:
    measured = pages.evidence().fidelity.model_copy(update={"noise_floor": 0.0, **changes})
    case = ReleaseCase(
        identity=pages.identity(), evidence=pages.evidence(fidelity=measured), rehearsal=pages.rehearsal()
    )
    return fidelity.judge(case, limit or FidelityLimit())


def probes(*differences: float, rows: int = 6_000, different: int | None = None, problem: str = "") -> ProbesEvidence:
    return ProbesEvidence(
        rows=rows,
        different=len(differences) if different is None else different,
        differences=differences,
        splits=2_431,
        probed=rows // 3,
        problem=problem,
    )


def test_a_page_from_before_the_probes_has_one_row() -> None:
    """The ledger keeps such pages for good, and a change of policy judges them again."""
    assert [finding.title for finding in findings()] == ["Same answers as source"]


@pytest.mark.parametrize(
    ("apart", "verdict"), [(0, Verdict.PASS), (120, Verdict.PASS), (121, Verdict.FAIL), (900, Verdict.FAIL)]
)
def test_rows_at_splits_are_judged_by_share(apart: int, verdict: Verdict) -> None:
    """A step of float32 may change sides there for a good conversion; `<` for `<=` does nearly everywhere."""
    _, finding = findings(probes=probes(*[0.02] * apart, *[_NOISE] * 50))

    assert (finding.title, finding.verdict) == ("Same answers at split thresholds", verdict)


def test_the_row_says_how_many_of_the_splits_were_asked() -> None:
    """Splits behind an encoder of words have no number to set, and a reader must not take 2,000 for all."""
    _, finding = findings(probes=probes(*[0.02] * 600))

    assert finding.measured == "10.0% of 6,000 rows differ, at 2,000 of 2,431 splits"
    assert (finding.allowed, finding.margin) == ("≤ 2.0% by more than 1.9e-06", "-8.0%")
    assert finding.problem == "600 of 6,000 rows at the splits of trees come out on another side than in the source"
    assert finding.mend.startswith("compare how source and ONNX split")


def test_rows_beyond_the_list_of_a_page_count_where_all_that_it_lists_do() -> None:
    """A page lists a thousand; a limit of half the rows must not be out of their reach."""
    listed = probes(*[sys.float_info.max] * 1000, different=4_000)
    _, finding = findings(FidelityLimit(probes=0.5), probes=listed)

    assert (finding.verdict, finding.measured[:5]) == (Verdict.FAIL, "66.7%")


def test_trees_without_a_row_at_any_split_say_so_and_pass_nothing() -> None:
    """What was not measured is neither good nor bad."""
    (finding,) = findings(probes=probes(rows=0, problem="no single number of the inputs decides behind LabelEncoder"))

    assert finding.measured.endswith(
        "0 flips; no rows at splits: no single number of the inputs decides behind LabelEncoder"
    )


@pytest.mark.parametrize(
    ("refused_rows", "answered", "verdict"),
    [
        (RefusedRows.ALLOW, 3, Verdict.PASS),
        (RefusedRows.FAIL, 3, Verdict.FAIL),
        (RefusedRows.FAIL, 0, Verdict.PASS),
    ],
)
def test_whether_onnx_may_answer_what_its_source_refuses_is_for_the_policy_to_say(
    refused_rows: RefusedRows, answered: int, verdict: Verdict
) -> None:
    """scikit-learn raises on NaN, ONNX answers NaN: some teams rely on the error."""
    refused = RefusedEvidence(rows=4, answered=answered, finite=0)
    _, finding = findings(FidelityLimit(refused_rows=refused_rows), refused=refused)

    assert (finding.title, finding.verdict) == ("Rows that the source refuses", verdict)
    assert finding.measured == f"4 edge rows; ONNX answers {answered}, 0 with a number"


def test_a_source_that_refuses_nothing_has_no_such_row() -> None:
    """A table is read by people."""
    assert len(findings(refused=RefusedEvidence(rows=0, answered=0, finite=0))) == 1


def on_another_runtime(measured: RebaseEvidence | None) -> Finding:
    told = Rebase(
        of="v1.3.0",
        before=pages.digest("old"),
        runtime=pages.digest("new"),
        onnxruntime="1.23.0",
        metrics={"f1": 0.53},
        profile=pages.file("profile.json"),
    )
    quiet = pages.evidence().fidelity.model_copy(update={"noise_floor": 0.0})
    case = ReleaseCase(
        identity=pages.identity(version="v1.3.0_r2", rebase=told),
        evidence=pages.evidence(fidelity=quiet, rebase=measured),
        rehearsal=pages.rehearsal(),
    )
    return fidelity.judge(case, FidelityLimit())[-1]


def moved(difference: float = 0.0, *, rows: int = 50, unlike_rows: int = 0, f1: float | None = 0.0) -> RebaseEvidence:
    return RebaseEvidence(
        rows=rows, unlike_rows=unlike_rows, largest_difference=difference, metrics_moved={"f1": f1, "auc": 0.0}
    )


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (moved(), Verdict.PASS),
        (moved(_NOISE), Verdict.PASS),
        (moved(_NOISE * 1.01), Verdict.FAIL),
        (moved(unlike_rows=1), Verdict.FAIL),
        (moved(f1=0.001), Verdict.FAIL),
        (moved(f1=None), Verdict.FAIL),
        (moved(rows=0), Verdict.NOT_ENOUGH_EVIDENCE),
        (None, Verdict.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_a_revision_answers_as_its_version_did(measured: RebaseEvidence | None, verdict: Verdict) -> None:
    """The noise of the source is all that another runtime image may add; it is the same model to its users."""
    finding = on_another_runtime(measured)

    assert (finding.title, finding.verdict) == ("Same answers on the new runtime", verdict)
    assert bool(finding.problem and finding.mend) is (verdict is not Verdict.PASS)


def test_what_is_no_revision_is_not_asked() -> None:
    """A retrained model answers otherwise, and is judged by its promise."""
    assert "Same answers on the new runtime" not in [finding.title for finding in findings()]
