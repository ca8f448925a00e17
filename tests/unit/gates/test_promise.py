"""What the number of a version promises, and when it is broken."""

from __future__ import annotations

from typing import Any

import pytest
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import ComparisonEvidence
from slipway.domain.limits import PromiseLimit
from slipway.domain.tag import Bump
from slipway.domain.verdict import Estimate, Finding, Verdict, worst
from slipway.gates.promise import judge, smallest_bump

from tests import pages

_SAME = {"largest_difference": 0.0, "now_positive": 0, "now_negative": 0}


def case(
    measured: ComparisonEvidence | None, *, bump: Bump = Bump.MINOR, stated: bool = False, **identity: Any
) -> ReleaseCase:
    return ReleaseCase(
        identity=pages.identity(bump=bump, **identity),
        evidence=pages.evidence(comparison=measured, break_is_stated=stated),
        rehearsal=pages.rehearsal(),
    )


def found(given: ReleaseCase, *, worse: float = 0.01) -> tuple[Verdict, list[Finding]]:
    findings = judge(given, PromiseLimit(worse=worse))
    return worst(finding.verdict for finding in findings), [one for one in findings if one.verdict is not Verdict.PASS]


def f1(low: float, high: float) -> dict[str, Estimate | None]:
    return {"f1": Estimate(value=(low + high) / 2, low=low, high=high)}


def test_a_first_version_makes_a_promise_and_keeps_none() -> None:
    """There is nothing to compare it with."""
    assert found(case(None, bump=Bump.FIRST, compared=None)) == (Verdict.PASS, [])


def test_what_was_adopted_by_its_digest_is_waived_and_not_released_again() -> None:
    """There is no tag of it that could be released again, and one question is asked about one gap."""
    opaque = pages.identity().compared
    assert opaque is not None
    before = opaque.model_copy(
        update={"adopted": True, "onnx": None, "declaration": None, "problem": "it has no model"}
    )

    verdict, (finding,) = found(case(None, compared=before))

    assert verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert finding.problem.endswith(": it has no model")
    assert finding.mend.startswith("waive the gate `promise` for this version")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        (_SAME, Verdict.PASS),
        ({**_SAME, "largest_difference": 1.9e-6}, Verdict.PASS),
        ({**_SAME, "largest_difference": 2.0e-6}, Verdict.FAIL),
        ({**_SAME, "now_positive": 1}, Verdict.FAIL),
        ({**_SAME, "now_negative": 1}, Verdict.FAIL),
        ({**_SAME, "unlike_rows": 1}, Verdict.FAIL),
        ({**_SAME, "rows": 0}, Verdict.NOT_ENOUGH_EVIDENCE),
        ({**_SAME, "signature_changes": ("input `x` (float32) is gone",)}, Verdict.FAIL),
    ],
)
def test_a_patch_gives_the_same_answers(changes: dict[str, Any], verdict: Verdict) -> None:
    """People merge it without reading; and no rows that differ of no rows is no agreement."""
    assert found(case(pages.comparison(**changes), bump=Bump.PATCH))[0] is verdict


def test_a_broken_patch_names_its_numbers_and_the_next_number() -> None:
    """With a commit of its own, since one commit is one version."""
    given = case(pages.comparison(unlike_rows=3), bump=Bump.PATCH, tag="flight-delay@v1.3.1", version="v1.3.1")

    (finding,) = found(given)[1]

    assert finding.problem == (
        "outputs differ from v1.3.0 by up to 2.2e-01 (allowed 1.9e-06), 3 rows have a number in one of the two only "
        "and 1,581 of 23,870 decisions flip"
    )
    assert finding.mend == (
        "a retrained model is at least a minor version: merge a commit of its own for it (an empty one will do), then\n"
        'git tag -a flight-delay@v1.4.0 -m "Train on two more months" && git push origin flight-delay@v1.4.0'
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.01, 0.02, Verdict.PASS),
        (-0.011, 0.02, Verdict.NOT_ENOUGH_EVIDENCE),
        (-0.05, -0.01, Verdict.NOT_ENOUGH_EVIDENCE),
        (-0.05, -0.011, Verdict.FAIL),
    ],
)
def test_a_minor_version_is_no_worse_than_allowed(low: float, high: float, verdict: Verdict) -> None:
    """The whole interval on one side of the limit, or nobody knows."""
    assert found(case(pages.comparison(differences=f1(low, high))))[0] is verdict


def test_a_worse_minor_version_says_by_how_much() -> None:
    """On the same rows, so that no other month can be blamed."""
    (finding,) = found(case(pages.comparison(differences=f1(-0.05, -0.02))))[1]

    assert (finding.title, finding.allowed, finding.margin) == ("F1 − v1.3.0, same rows", "≥ −0.010", "-0.040")
    assert finding.measured == "-0.035 [-0.050, -0.020]"
    assert finding.problem == "F1 may be 0.050 worse than v1.3.0"


def test_a_metric_that_cannot_be_compared_is_an_open_question() -> None:
    """On one day nothing shows how days differ."""
    verdict, (finding,) = found(case(pages.comparison(differences={"f1": None})))

    assert verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert finding.mend == "add labelled sample rows of more days"


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        (("input `dep_delay` (float32) is new",), "did not ask for it"),
        (("input `a` (float32) is new", "input `b` (string) is new"), "did not ask for them"),
        (("input `a` (float32) is gone",), "was otherwise"),
        (("output `a` (float32) is new",), "was otherwise"),
    ],
)
def test_a_minor_version_with_another_signature_names_each_change(changes: tuple[str, ...], ending: str) -> None:
    """And the number under which it may be released."""
    verdict, (finding,) = found(case(pages.comparison(signature_changes=changes), message="Use departure delay"))

    assert verdict is Verdict.FAIL
    assert finding.problem == f"{'; '.join(changes)}; v1.3.0, the highest passed version, {ending}"
    assert finding.mend == (
        "state the break in models/flight-delay/README.md, commit, then\n"
        'git tag -a flight-delay@v2.0.0 -m "Use departure delay" && git push origin flight-delay@v2.0.0'
    )


@pytest.mark.parametrize(("stated", "verdict"), [(True, Verdict.PASS), (False, Verdict.FAIL)])
def test_a_major_version_may_break_what_it_states(stated: bool, verdict: Verdict) -> None:
    """Its changes are listed as notices, whatever they are."""
    given = case(
        pages.comparison(signature_changes=("input `x` (float32) is gone",)),
        bump=Bump.MAJOR,
        stated=stated,
        tag="flight-delay@v2.0.0",
        version="v2.0.0",
    )

    assert found(given)[0] is verdict
    assert "input `x` (float32) is gone" in [finding.measured for finding in judge(given, PromiseLimit())]


def test_below_one_nothing_has_to_be_stated() -> None:
    """SemVer promises nothing there."""
    given = case(pages.comparison(), bump=Bump.MAJOR, tag="flight-delay@v0.2.0", version="v0.2.0")

    assert found(given)[0] is Verdict.PASS


@pytest.mark.parametrize("bump", [Bump.PATCH, Bump.MINOR, Bump.MAJOR])
def test_a_version_before_without_pages_is_no_first_version(bump: Bump) -> None:
    """It was released once; that nobody can ask it any more keeps no promise."""
    before = pages.released("v1.3.0").model_copy(update={"problem": "there is no image sha256:1"})

    verdict, (finding,) = found(case(None, bump=bump, compared=before))

    assert verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert finding.problem == "v1.3.0, the highest passed version, could not be asked: there is no image sha256:1"
    assert finding.mend == "release the tag of v1.3.0 again, which restores its image, then this one"


def smallest(measured: ComparisonEvidence | None, **identity: Any) -> Bump | None:
    return smallest_bump(case(measured, **identity), PromiseLimit())


def test_the_smallest_bump_is_found_from_evidence_alone() -> None:
    """Whatever number was tagged."""
    assert smallest(None, compared=None) is Bump.FIRST
    assert smallest(pages.comparison(**_SAME)) is Bump.PATCH
    assert smallest(pages.comparison()) is Bump.MINOR
    assert smallest(pages.comparison(differences=f1(-0.05, -0.02))) is Bump.MAJOR
    assert smallest(pages.comparison(signature_changes=("input `x` (float32) is new",), rows=0)) is Bump.MAJOR
    assert smallest(pages.comparison(**_SAME, rows=0)) is None
    assert smallest(None) is None
