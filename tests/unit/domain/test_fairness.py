"""Which criteria of fairness a policy may name, and for which models."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from slipway.domain.fairness import FairnessLimit, refuse_what_is_undefined
from slipway.domain.limits import SlicesLimit
from slipway.domain.model import Decision
from slipway.errors import BadFile

from tests import pages

_BOTH = FairnessLimit(demographic_parity=0.1, equal_opportunity=0.05)


def test_criteria_are_named_with_how_far_groups_may_be_apart() -> None:
    """A name alone would allow anything."""
    assert SlicesLimit(protected=("sex",), fairness=_BOTH).criteria == {
        "demographic_parity": 0.1,
        "equal_opportunity": 0.05,
    }


@pytest.mark.parametrize(
    "limit",
    [
        {"fairness": {"demographic_parity": 0.1}},
        {"protected": ["sex"]},
        {"protected": ["sex"], "fairness": {}},
        {"protected": ["sex"], "fairness": {"demographic_parity": 1.5}},
        {"protected": ["sex"], "fairness": {"equalised_odds": 0.1}},
    ],
)
def test_what_would_hold_nothing_is_refused(limit: dict[str, Any]) -> None:
    """A criterion without groups, groups without a criterion, or one that nobody computes, is never failed."""
    with pytest.raises(ValidationError):
        SlicesLimit.model_validate(limit)


def test_a_criterion_asks_for_a_page_of_its_own_and_none_for_the_old_one() -> None:
    """Releases that were measured before there were criteria are not measured again for nothing."""
    old = SlicesLimit(protected=("sex",), gap=0.1)

    assert old.asked == '{"columns":null,"values":50,"metric":null,"protected":["sex"]}'
    assert SlicesLimit(protected=("sex",), gap=0.1, fairness=_BOTH).asked != old.asked
    wider = FairnessLimit(demographic_parity=0.2, equal_opportunity=0.2)
    assert (
        SlicesLimit(protected=("sex",), fairness=wider).asked == SlicesLimit(protected=("sex",), fairness=_BOTH).asked
    )


@pytest.mark.parametrize(
    ("decision", "kind", "by"),
    [
        (Decision(output="p_late", classes=("no", "a bit", "yes")), "one of several classes", "Macro F1"),
        (Decision(output="p_late", noticeable=0.1), "a number", "MAE"),
    ],
)
def test_a_model_that_says_neither_yes_nor_no_is_refused_with_what_there_is_instead(
    decision: Decision, kind: str, by: str
) -> None:
    """A share decided yes does not exist there; the gap of its metric does."""
    model = pages.model().model_copy(update={"decision": decision})

    with pytest.raises(BadFile) as refused:
        refuse_what_is_undefined(_BOTH, model)

    assert refused.value.problem == (
        f"policies/slices.yaml: fairness: demographic_parity, equal_opportunity: flight-delay decides {kind}, and that "
        "is defined of yes or no"
    )
    assert f"`gap` holds its groups against each other by {by}" in refused.value.mend
    refuse_what_is_undefined(FairnessLimit(), model)
    refuse_what_is_undefined(None, model)


def test_a_model_that_says_yes_or_no_may_be_held_to_both() -> None:
    """It is what they were thought out for."""
    refuse_what_is_undefined(_BOTH, pages.model())
