"""What people read of a canary: that it failed and what withdraws it, that it is gone, and what it waits for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from slipway.domain.incident import IncidentVerdicts, Outcome, Reversion
from slipway.domain.limits import Reversion as Means
from slipway.domain.promotion import Onward, Wait
from slipway.domain.release import Rollout
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import OnItsWay, StatusRow
from slipway.domain.verdict import Finding, Verdict
from slipway.gates.rollout import judge_rollout, outcome_of
from slipway.reports.marker import read_marker
from slipway.reports.revert_request import WayBackAsked, way_back_body, way_back_title
from slipway.reports.rollout_issue import rollout_body, rollout_title, why_closed
from slipway.reports.status import status_table
from slipway.reports.waiting import waiting_text
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import html_in, text_outside_of_code

_WORSE = (
    Finding(
        gate="canary",
        title="Has the canary answered enough?",
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        measured="1,200 rows",
        allowed="≥ 2,000 rows",
        needed="800 rows more",
    ),
    Finding(
        gate="previous_version",
        title="Would v1.2.0 do better, same rows?",
        verdict=Verdict.FAIL,
        measured="+0.051 [+0.032, +0.070]",
        allowed="not by more than 0.02",
        problem="v1.2.0 would have had an F1 0.05 higher on the same 900 rows",
        mend="go back to v1.2.0",
    ),
)
_WAIT = Wait(
    until=datetime(2013, 8, 9, 6, 0, tzinfo=UTC),
    reasons=("it has 1,200 rows of 2,000 rows and 10 hours of 24 hours",),
)


def failure(**changes: Any) -> RolloutFailure:
    told = {
        "model": "flight-delay",
        "environment": "production",
        "version": "v2.0.0",
        "digest": pages.digest("v2.0.0"),
        "commit": "c" * 40,
        "incident": "2013-09-12-rollout-failed-v2.0.0",
        "seen": date(2013, 9, 12),
        "problem": RolloutProblem.WORSE,
        "said": "1,200 rows were answered by the canary: v1.2.0 would have had an F1 0.05 higher on the same 900 rows",
        "log": (),
        "golden_rows": 50,
        "golden_equal": 50,
        "serves": "v1.2.0",
        "back_to": "v1.2.0",
        "back_to_digest": pages.digest("v1.2.0"),
        "put_back_after": None,
        "canary": True,
        "findings": _WORSE,
    }
    return RolloutFailure.model_validate({**told, **changes})


def never_ready() -> RolloutFailure:
    said = "flight-delay v2.0.0 does not go live: its container ended with code 137"
    return failure(problem=RolloutProblem.NEVER_READY, said=said, log=("no memory",), golden_equal=None, findings=())


def issue(told: RolloutFailure, *, reversion: Reversion | None = None, owners: tuple[str, ...] = ()) -> str:
    verdicts = IncidentVerdicts(
        verdict=Verdict.FAIL,
        kind_of_incident=None,
        incident=told.incident,
        outcome=outcome_of(told),
        findings=judge_rollout(told, RolloutLimit()),
        policies_digest="sha256:p",
        means=Means.PULL_REQUEST,
    )
    title = rollout_title(told, verdicts, reversion=reversion)
    return f"# {title}\n\n{rollout_body(told, verdicts, reversion=reversion, owners=owners)}"


def reversion(**changes: Any) -> Reversion:
    told = failure()
    made = {
        "model": told.model,
        "environment": told.environment,
        "incident": told.incident,
        "version": told.version,
        "back_to": told.back_to,
        "back_to_digest": told.back_to_digest,
        "branch": "revert/production/flight-delay/v2.0.0-to-v1.2.0",
        "pull": 8,
        "commit": "d" * 40,
        "reason": told.said,
    }
    return Reversion.model_validate({**made, **changes})


def withdrawal(told: RolloutFailure | None, *, refused: str = "", reason: str = "") -> str:
    about = failure()
    asked = WayBackAsked(
        model=about.model,
        environment=about.environment,
        version=about.version,
        back_to="v1.2.0",
        digest=pages.digest("v1.2.0"),
        reason=reason or (told.said if told else "I do not trust it"),
        incident=about.incident,
        refused=refused,
        failure=told,
        withdraws=True,
    )
    return f"# {way_back_title(asked)}\n\n{way_back_body(asked)}"


def test_a_canary_that_is_worse(markdown_file: SnapshotAssertion) -> None:
    """Its owners see which question failed, what withdraws it, and who still gets its answers."""
    assert issue(failure(), reversion=reversion(), owners=("@ada", "@waiters/models")) == markdown_file


def test_a_canary_that_never_became_ready(markdown_file: SnapshotAssertion) -> None:
    """With the last lines of its server, as of any version that does not run; nothing was changed yet."""
    assert issue(never_ready()) == markdown_file


def test_a_canary_that_was_withdrawn_by_commit_says_what_is_left_to_do(markdown_file: SnapshotAssertion) -> None:
    """Its rollout did not begin by itself."""
    done = reversion(pull=None, branch="main", not_started="GitHub refuses (POST): 403")
    assert issue(failure(), reversion=done) == markdown_file


def test_it_always_leads_to_a_withdrawal() -> None:
    """What has the rest never left: there is nothing that could be missing to go back to."""
    assert {outcome_of(failure(back_to=None)), outcome_of(never_ready())} == {Outcome.REVERT}


def test_the_pull_request_that_withdraws_it(markdown_file: SnapshotAssertion) -> None:
    """A reviewer at night must see what merging does, and that nothing else changes."""
    assert withdrawal(failure()) == markdown_file


def test_the_pull_request_of_a_person(markdown_file: SnapshotAssertion) -> None:
    """With the reason that was given, and no incident of a machine."""
    assert withdrawal(None, refused="GitHub refuses (PATCH): 422") == markdown_file


def test_what_people_and_servers_wrote_stays_text() -> None:
    """A reason comes from a form, and a server prints what its model wants."""
    hostile = failure(said=pages.HOSTILE, log=(pages.HOSTILE,), problem=RolloutProblem.FELL_OVER, findings=())
    for text in (issue(hostile), withdrawal(hostile, reason=pages.HOSTILE, refused=pages.HOSTILE)):
        assert not any("script" in one for one in html_in(text))
        assert "@octocat" not in text_outside_of_code(text)


def test_both_are_found_again_by_a_line_that_nobody_sees() -> None:
    """Run again, they are updated and not opened twice."""
    assert read_marker(issue(failure())) == {
        "kind": "canary-failed",
        "model": "flight-delay",
        "environment": "production",
        "incident": "2013-09-12-rollout-failed-v2.0.0",
        "version": "v2.0.0",
    }
    assert read_marker(withdrawal(failure()))["kind"] == "revert"


def test_the_issue_is_closed_with_who_answers_now() -> None:
    """Whoever reads only the last mail knows that all is well."""
    stable = Rollout(
        environment="production",
        version="v1.2.0",
        digest=pages.digest("v1.2.0"),
        commit="b" * 40,
        live_since=date(2013, 8, 2),
        golden_rows=50,
        golden_equal=50,
    )
    assert why_closed(failure(), stable, None) == (
        "The canary v2.0.0 is withdrawn from production, where v1.2.0 answers all requests: closed by the rollout."
    )


def test_what_it_waits_for_is_told_at_the_end_of_a_rollout() -> None:
    """It is there already: what it waits for is the rest."""
    one = Onward(ReleaseTag.parse("flight-delay@v2.0.0"), "production", "production", _WAIT)
    assert waiting_text([one]) == (
        "flight-delay@v2.0.0 waits for all of production until 2013-08-09 06:00 UTC, because it has 1,200 rows of "
        "2,000 rows and 10 hours of 24 hours"
    )


def test_status_tells_a_canary_from_what_is_proposed() -> None:
    """Beside the version that has the rest."""
    row = StatusRow(
        model="flight-delay",
        environment="production",
        version="v1.2.0",
        digest=pages.digest("v1.2.0"),
        since="2013-08-02",
        outcome=None,
        incident=None,
        on_its_way=(OnItsWay(version="v2.0.0", wait=_WAIT, canary=True), OnItsWay(version="v2.0.0", canary=True)),
    )
    told = " ".join(status_table([row], width=400).split())
    assert "v2.0.0 a canary, waits for all of production until 2013-08-09 06:00 UTC, because it has" in told
    assert "v2.0.0 a canary, with the next rollout" in told
