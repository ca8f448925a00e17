"""Who asks for a canary gets one, and who cannot have one is told before a release needs it."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slipway.domain.rollout_limit import CanaryLimit, RolloutLimit, canary_asked
from slipway.domain.settings import LogMode, RolloutEngine
from slipway.errors import BadFile

CANARY = CanaryLimit(share=0.2)


@given(share=st.floats(min_value=0.001, max_value=0.5))
def test_beside_so_many_pods_a_canary_never_gets_more_than_its_share(share: float) -> None:
    """And one pod less would not do: each that is there only for the canary costs money."""
    beside = CanaryLimit(share=share).stable_pods

    assert 1 / (1 + beside) <= share * (1 + 1e-6)
    assert beside == 1 or 1 / beside > share


@pytest.mark.parametrize("share", [0, -0.1, 0.51, 1, 25])
def test_more_than_half_is_no_canary(share: float) -> None:
    """25 is a slip for 0.25, and would be all of it."""
    with pytest.raises(ValidationError, match="share"):
        CanaryLimit(share=share)


def test_rows_alone_can_be_asked_for() -> None:
    """What is asked a thousand times a minute has shown itself long before an hour is over; without a row, nothing."""
    assert CanaryLimit(share=0.2, hours=0).hours == 0
    with pytest.raises(ValidationError, match="rows"):
        CanaryLimit(share=0.2, hours=0, rows=0)


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if engine.is_cluster])
def test_a_canary_is_tried_where_it_is_asked_for(engine: RolloutEngine) -> None:
    """Of environments that are not named, each has its traffic shared out."""
    production = CANARY.model_copy(update={"environments": ("production",)})

    assert canary_asked(RolloutLimit(), environment="production", engine=engine) is None
    assert canary_asked(RolloutLimit(canary=CANARY), environment="staging", engine=engine) == CANARY
    assert canary_asked(RolloutLimit(canary=production), environment="staging", engine=engine) is None
    assert canary_asked(RolloutLimit(canary=production), environment="production", engine=engine) == production


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if not engine.is_cluster])
def test_an_engine_without_a_cluster_refuses_it_with_file_and_field(engine: RolloutEngine) -> None:
    """To give it all of the traffic instead is what the team wanted not to happen."""
    assert canary_asked(RolloutLimit(), environment="production", engine=engine) is None
    with pytest.raises(BadFile, match=r"policies/rollout\.yaml: limit: canary: ") as caught:
        canary_asked(RolloutLimit(canary=CANARY), environment="production", engine=engine)
    assert "rollout_engine in slipway.yaml" in str(caught.value)


def test_a_log_of_counts_alone_refuses_it_with_file_and_field() -> None:
    """Nothing would be known of a single answer, and all of the traffic would follow."""
    asked = partial(canary_asked, environment="production", engine=RolloutEngine.KUBERNETES, log_mode=LogMode.SKETCH)
    assert asked(RolloutLimit()) is None
    with pytest.raises(BadFile, match=r"policies/rollout\.yaml: limit: canary: .*log_mode: sketch"):
        asked(RolloutLimit(canary=CANARY))
