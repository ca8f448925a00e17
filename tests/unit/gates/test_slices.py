"""When a part of the users is worse off than all, and when that is only chance or unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import GapEvidence, SliceEvidence, SlicesEvidence
from slipway.domain.limits import SlicesLimit
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.gates import slices

from tests import pages


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def part(value: str, against_all: Estimate | None, *, positives: int = 500) -> SliceEvidence:
    return SliceEvidence(
        column="carrier",
        value=value,
        rows=4 * positives,
        positives=positives,
        value_of=around(0.6, 0.05),
        against_all=against_all,
    )


def pair(
    one: str, other: str, difference: Estimate, *, positives: int = 500, criterion: str = "", column: str = "sex"
) -> GapEvidence:
    return GapEvidence(
        column=column, one=one, other=other, positives=positives, difference=difference, criterion=criterion
    )


def case(**changes: object) -> ReleaseCase:
    return ReleaseCase(identity=pages.identity(), evidence=pages.evidence(**changes), rehearsal=pages.rehearsal())


def judged(
    *parts: SliceEvidence, gaps: tuple[GapEvidence, ...] = (), metric: str = "f1", **limit: Any
) -> list[Finding]:
    evidence = SlicesEvidence(
        metric=metric, overall=around(0.65, 0.02), slices=parts, gaps=gaps, columns=("carrier", "sex")
    )
    return list(slices.judge(case(slices=evidence), SlicesLimit(**limit)))


def test_pages_from_before_slices_were_measured_have_no_finding() -> None:
    """An edit of the policy judges them again, and must not refuse what nobody looked at."""
    assert slices.judge(case(), SlicesLimit()) == ()


def test_a_slice_within_the_limit_passes() -> None:
    """With its margin, in the unit of the metric."""
    [found] = judged(part("AA", around(0.01, 0.01)), part("HA", around(-0.05, 0.02)))

    assert (found.title, found.verdict, found.allowed) == (
        "Worst slice, carrier HA",
        Verdict.PASS,
        "≤ 0.15 worse than all rows",
    )
    assert found.measured == "F1 0.050 [+0.027, +0.073] worse, of 2 slices"


def test_a_slice_that_is_far_worse_fails_although_another_lacks_rows() -> None:
    """What is known to be bad is not made unknown by what is not."""
    [found] = judged(part("HA", around(-0.4, 0.05)), part("YV", None, positives=3))

    assert (found.title, found.verdict) == ("Worst slice, carrier HA", Verdict.FAIL)
    assert found.problem == "F1 of carrier HA is 0.400 worse than of all rows"


def test_too_few_positives_say_how_many_are_missing() -> None:
    """`About 40 more` is something to do."""
    [found] = judged(part("AA", around(0.0, 0.01)), part("HA", around(-0.3, 0.3), positives=61))

    assert (found.title, found.measured, found.allowed) == ("Worst slice, carrier HA", "61 positives", "≥ 100")
    assert (found.verdict, found.mend) == (
        Verdict.NOT_ENOUGH_EVIDENCE,
        "add labelled sample rows of it: about 40 more positives",
    )


def test_a_good_model_with_fifty_slices_is_not_refused_by_chance() -> None:
    """By its own 95 % interval each, one good model in three would be: of fifty slices, some look bad."""
    random = np.random.default_rng(20260101)
    refused = alone = 0
    for _ in range(200):
        shifts = random.normal(-0.15, 0.05, 50)  # each slice just as bad as is allowed
        parts = [part(f"{number}", around(shift, 1.96 * 0.05)) for number, shift in enumerate(shifts)]
        refused += any(one.verdict is Verdict.FAIL for one in judged(*parts))
        alone += any(-one.against_all.high > 0.15 for one in parts if one.against_all)

    assert refused <= 200 * 0.08
    assert alone > 200 * 0.5


def test_groups_too_far_apart_fail_whichever_is_the_better() -> None:
    """A gap has no sign."""
    for sign in (1, -1):
        [_, found] = judged(
            part("AA", around(0.0, 0.01)),
            gaps=(pair("f", "m", around(sign * 0.2, 0.03)), pair("f", "x", around(0.01, 0.01))),
            protected=("sex",),
            gap=0.05,
        )
        assert (found.title, found.verdict) == ("Gap between groups, sex", Verdict.FAIL)
        assert found.problem == "F1 of f and m is 0.200 apart (sex)"


def test_a_group_without_rows_leaves_its_gap_open() -> None:
    """That nobody of it was asked is no proof of fairness."""
    [_, found] = judged(
        part("AA", around(0.0, 0.01)),
        gaps=(pair("f", "m", around(0.0, 0.2), positives=12),),
        protected=("sex",),
        gap=0.05,
    )

    assert (found.verdict, found.measured) == (Verdict.NOT_ENOUGH_EVIDENCE, "12 positives")


_PARITY: dict[str, Any] = {"protected": ("sex",), "fairness": {"demographic_parity": 0.1}}


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [(0.05, Verdict.PASS), (0.09, Verdict.NOT_ENOUGH_EVIDENCE), (0.3, Verdict.FAIL), (-0.3, Verdict.FAIL)],
)
def test_groups_are_held_to_the_criterion_that_is_named(apart: float, verdict: Verdict) -> None:
    """By its interval, whatever the metric of the two groups says."""
    pairs = (pair("f", "m", around(0.4, 0.01)), pair("f", "m", around(apart, 0.03), criterion="demographic_parity"))

    [found] = judged(gaps=pairs, **_PARITY)

    assert (found.title, found.verdict, found.allowed) == ("Demographic parity, sex", verdict, "≤ 0.1 apart")
    assert found.measured.startswith(f"Share decided yes {abs(apart):.3f} [")


def test_support_is_counted_in_what_the_criterion_is_a_share_of() -> None:
    """Of decisions, rows; of what is deserved, those who deserve it."""
    fairness = {"demographic_parity": 0.1, "equal_opportunity": 0.1}
    pairs = tuple(pair("f", "m", around(0.0, 0.01), positives=60, criterion=name) for name in fairness)

    found = judged(gaps=pairs, protected=("sex",), fairness=fairness)

    assert [(one.title, one.measured, one.mend) for one in found] == [
        ("Demographic parity, sex", "60 rows", "add labelled sample rows of it: about 40 more rows"),
        ("Equal opportunity, sex", "60 positives", "add labelled sample rows of it: about 40 more positives"),
    ]


def test_a_criterion_that_was_named_after_the_release_is_open() -> None:
    """Nobody looked at it, and nothing passes unseen."""
    [told] = judged(gaps=(pair("f", "m", around(0.0, 0.01)),), **_PARITY)

    assert (told.title, told.verdict) == ("Slices by demographic parity", Verdict.NOT_ENOUGH_EVIDENCE)


def test_samples_of_one_group_show_nothing_about_another() -> None:
    """Without a pair there is no gap, and that must not read like none."""
    [gap, parity] = judged(protected=("sex",), gap=0.1, fairness={"demographic_parity": 0.1})

    assert (gap.title, parity.title) == ("Gap between groups, sex", "Demographic parity, sex")
    assert {(one.verdict, one.measured) for one in (gap, parity)} == {(Verdict.NOT_ENOUGH_EVIDENCE, "one group")}


def test_without_a_limit_no_gap_is_judged() -> None:
    """Which groups are protected is for a team to say."""
    assert len(judged(part("AA", around(0.0, 0.01)), gaps=(pair("f", "m", around(0.5, 0.01)),))) == 1


def test_of_an_error_the_limit_is_a_share_and_less_is_better() -> None:
    """A slice whose error is twice that of all rows is the bad one."""
    [found] = judged(part("AA", around(-0.3, 0.01)), part("HA", around(0.3, 0.01)), metric="mae")

    assert (found.title, found.verdict) == ("Worst slice, carrier HA", Verdict.FAIL)


def test_a_column_that_nobody_measured_is_told() -> None:
    """A policy that names another column after the release passes nothing that was not looked at."""
    found = judged(part("AA", around(0.0, 0.01)), protected=("age",), gap=0.05)[0]

    assert (found.title, found.verdict) == ("Slices by age", Verdict.NOT_ENOUGH_EVIDENCE)
