"""Evidence comes from another job and from older Slipways: what it says of answers is a profile, or is not there."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from slipway.domain.evidence import Evidence
from slipway.maths.profile import ColumnProfile, profile_of_categories, profile_of_numeric, profiles_from_json

from tests import pages

_PROFILES: dict[str, ColumnProfile] = {
    "p_late": profile_of_numeric(np.linspace(0, 1, 1_000)),
    "class": profile_of_categories(np.array(["late", "late", "early"], object)),
}


def told(**changes: Any) -> dict[str, Any]:
    return {**pages.evidence().model_dump(mode="json"), **changes}


def test_profiles_of_numbers_and_words_come_back_as_they_were() -> None:
    """A digit that a page loses would be a drift that nobody caused."""
    written = Evidence.model_validate(told(output_profile={name: one.to_json() for name, one in _PROFILES.items()}))
    read = Evidence.model_validate_json(written.model_dump_json())

    assert read.output_profile is not None
    assert profiles_from_json(read.output_profile) == _PROFILES


def test_a_page_from_before_answers_were_profiled_is_read() -> None:
    """The ledger holds pages of years."""
    before = told()
    before.pop("output_profile", None)

    assert Evidence.model_validate(before).output_profile is None


@pytest.mark.parametrize(
    "damage", [{"kind": "octave"}, {"counts": [1]}, {"quantiles": None}, {"counters": {"rows": 1, "weeks": 2}}]
)
def test_what_is_no_profile_is_refused_where_it_comes_in(damage: dict[str, Any]) -> None:
    """And not weeks later, when the watch reads it."""
    broken = {"p_late": {**json.loads(json.dumps(_PROFILES["p_late"].to_json())), **damage}}

    with pytest.raises(ValidationError, match="output_profile"):
        Evidence.model_validate(told(output_profile=broken))
