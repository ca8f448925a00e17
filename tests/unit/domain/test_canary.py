"""When a canary may have all of the traffic, and what its page tells of itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.canary import CanaryEvidence, CanaryVerdicts
from slipway.domain.freezes import Freeze
from slipway.domain.incident import Window
from slipway.domain.promotion import Stay, Wait, wait_of_canary
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.verdict import Finding, Verdict

_SINCE = datetime(2026, 6, 1, 12, tzinfo=UTC)
_BAD = Finding(gate="outputs", title="?", verdict=Verdict.FAIL, measured="", allowed="", problem="NaN in 3 answers")


def waiting(title: str, measured: str, allowed: str) -> Finding:
    return Finding(gate="canary", title=title, verdict=Verdict.NOT_ENOUGH_EVIDENCE, measured=measured, allowed=allowed)


def told(verdict: Verdict, *findings: Finding, **changes: Any) -> CanaryVerdicts:
    made = {
        "model": "tip",
        "environment": "production",
        "version": "v1.1.0",
        "digest": "sha256:" + "1" * 64,
        "commit": "c" * 40,
        "stable": "v1.0.0",
        "stable_digest": "sha256:" + "0" * 64,
        "seen": date(2026, 6, 2),
        "since": _SINCE,
        "verdict": verdict,
        "findings": findings,
        "rows": 1200,
        "rows_needed": 2000,
        "hours": 10.0,
        "hours_needed": 24.0,
        "policies_digest": "sha256:p",
    }
    return CanaryVerdicts.model_validate({**made, **changes})


def wait(
    judged: CanaryVerdicts | None, *, at: float = 10, limit: RolloutLimit | None = None, held: tuple[str, ...] = ()
) -> Wait | None:
    stay = Stay("production", _SINCE, held=held)
    now = _SINCE + timedelta(hours=at)
    return wait_of_canary(stay, judged, limit=limit or RolloutLimit(), now=now)


def test_one_that_passed_goes_on_at_once() -> None:
    """Its hours were those of the trial: the soak of an environment is another one."""
    assert wait(told(Verdict.PASS), limit=RolloutLimit(soak_hours=1000)) is None


def test_one_that_was_not_judged_waits_for_the_watch() -> None:
    """No clock says when that is."""
    assert wait(None) == Wait(until=None, reasons=("what it answers was not judged yet",))


def test_what_it_has_is_told_beside_what_it_needs() -> None:
    """And the first moment at which it may have run long enough."""
    rows, hours = waiting("Rows?", "1,200 rows", "≥ 2,000 rows"), waiting("Hours?", "10 hours", "≥ 24 hours")

    assert wait(told(Verdict.NOT_ENOUGH_EVIDENCE, rows, hours)) == Wait(
        until=_SINCE + timedelta(hours=24),
        reasons=("it has 1,200 rows of 2,000 rows and 10 hours of 24 hours",),
    )


def test_where_only_rows_are_missing_no_clock_ends_it() -> None:
    """Users decide when they ask."""
    rows = waiting("Rows?", "1,200 rows", "≥ 2,000 rows")
    found = wait(told(Verdict.NOT_ENOUGH_EVIDENCE, rows), at=30)
    assert found == Wait(until=None, reasons=("it has 1,200 rows of 2,000 rows",))


def test_one_that_failed_is_never_proposed() -> None:
    """Also while its withdrawal waits to be merged."""
    assert wait(told(Verdict.FAIL, _BAD)) == Wait(
        until=None, reasons=("it failed, and is to be withdrawn: NaN in 3 answers",)
    )


def test_a_freeze_of_its_environment_holds_it_and_so_does_quarantine() -> None:
    """All of the traffic is as much a change as the next environment is."""
    until = _SINCE + timedelta(hours=50)
    limit = RolloutLimit(freezes=(Freeze(reason="Holidays", start=_SINCE, end=until, environments=("production",)),))

    assert wait(told(Verdict.PASS), limit=limit) == Wait(until=until, reasons=("production is frozen: Holidays",))
    assert wait(told(Verdict.PASS), held=("quarantined",)) == Wait(until=None, reasons=("quarantined",))


@given(st.sampled_from([Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE]), st.floats(0, 10_000))
def test_no_time_that_passes_proposes_what_did_not_pass(verdict: Verdict, later: float) -> None:
    """Only another verdict does."""
    assert wait(told(verdict, _BAD), at=later) is not None


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_its_share_is_of_what_both_answered(rows: int, stable: int) -> None:
    """Nothing answered by anybody is no share, and no error."""
    window = Window(
        start=date(2026, 6, 1),
        end=date(2026, 6, 2),
        version="v1.1.0",
        rows=rows,
        labelled=0,
        drift=(),
        schema_breaks=(),
        trailing=None,
        previous=None,
    )
    page = CanaryEvidence(
        model="tip",
        environment="production",
        version="v1.1.0",
        digest="d",
        commit="c",
        stable="v1.0.0",
        stable_digest="s",
        since=_SINCE,
        hours=1.0,
        window=window,
        at_release={},
        stable_rows=stable,
    )

    assert (page.share is None) == (rows + stable == 0)
    assert page.share is None or page.share * (rows + stable) == pytest.approx(rows)
    assert page.model_copy(update={"stable_rows": None}).share is None
