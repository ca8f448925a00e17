"""What runs, beside what should."""

from __future__ import annotations

import pytest
from slipway.domain.live import LiveReport, LiveRow, LiveState, state_of


@pytest.mark.parametrize(
    ("wanted", "live", "passed", "verified", "state"),
    [
        ("a", "a", True, True, LiveState.IN_STEP),
        ("a", "a", True, False, LiveState.IN_STEP),  # a GitOps engine may be faster than rollout.yml
        ("a", "a", False, False, LiveState.NEVER_PASSED),  # merged around the check, and rolled out
        ("b", "a", True, False, LiveState.BEHIND),
        ("b", "a", True, True, LiveState.ANOTHER),  # it ran, and somebody went back by hand
        ("b", "a", False, False, LiveState.NEVER_PASSED),
        ("b", None, False, False, LiveState.NOTHING),
        ("b", None, False, True, LiveState.NOTHING),
        (None, "a", True, False, LiveState.ANOTHER),
        (None, "a", False, False, LiveState.NEVER_PASSED),
        (None, None, False, False, LiveState.IN_STEP),
    ],
)
def test_every_pair_has_one_name(
    wanted: str | None, live: str | None, passed: bool, verified: bool, state: LiveState
) -> None:
    """Between a merge and its rollout all is well; what never passed is never well, whatever git says of it."""
    assert state_of(wanted=wanted, live=live, passed=passed, verified=verified) is state


@pytest.mark.parametrize("state", LiveState)
def test_a_place_that_is_not_well_and_one_not_seen_are_two_things(state: LiveState) -> None:
    """The one is mended in the repository or in production, the other by asking again."""
    report = LiveReport(rows=(LiveRow(model="tip", environment="production", state=state),))

    assert report.is_well is (state in (LiveState.IN_STEP, LiveState.BEHIND, LiveState.NOT_SEEN))
    assert report.is_whole is (state is not LiveState.NOT_SEEN)
