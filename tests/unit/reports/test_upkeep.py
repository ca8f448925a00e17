"""What a person reads who is asked to mend what no night mends."""

from __future__ import annotations

from datetime import date

from slipway.domain.pages import Circumstances, Page
from slipway.domain.release import Attempt, JobResult
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import (
    MissedHeartbeat,
    MovedTag,
    Reconciliation,
    RewrittenPage,
    StoppedWorkflow,
    Unknown,
)
from slipway.reports.marker import read_marker
from slipway.reports.upkeep import reconciliation_text, stuck_release_issue, stuck_release_title, upkeep_issue
from syrupy.assertion import SnapshotAssertion

from tests import pages

TAG = ReleaseTag.parse("flight-delay@v1.4.0")
EVERYTHING = Reconciliation(
    due=("flight-delay@v1.4.0",),
    waiting=("flight-delay@v1.9.0",),
    under_way=("fraud@v1.0.0",),
    stuck=("fraud@v0.9.0",),
    too_old=("flight-delay@v0.1.0",),
    moved=(MovedTag(tag="flight-delay@v1.3.0", recorded="5d1f0c6f2f" * 4, now="b7f0d5e0c3" * 4),),
    deleted=("flight-delay@v1.2.0",),
    rewritten=(RewrittenPage(path="flight-delay/v1.1.0/verdicts.1.json", commit="0a1b2c3d4e" * 4),),
    missed=(
        MissedHeartbeat(model="flight-delay", environment="production", last=date(2026, 8, 31)),
        MissedHeartbeat(model="fraud", environment="production", last=None),
    ),
    stopped=(StoppedWorkflow(workflow="watch", last=date(2026, 9, 1)),),
    unknown=(Unknown(subject="odd in production", problem="newTag: `latest` is no version", mend="write a version"),),
)


def attempt(number: int, **jobs: JobResult) -> Page[Attempt]:
    told = Circumstances(
        written_at=f"2026-11-0{number}T04:50:00+00:00",
        seconds=0.1,
        host="runner",
        slipway="0.1.0",
        run_url=f"https://github.com/team/models/actions/runs/{number}" if number > 1 else None,
    )
    body = Attempt(jobs=jobs)
    return Page(kind="attempt", subject=str(TAG), number=number, reads={}, key="k", body=body, circumstances=told)


def test_all_that_can_need_a_person(markdown_file: SnapshotAssertion) -> None:
    """Each says what was found and what mends it."""
    assert upkeep_issue(EVERYTHING) == markdown_file


def test_only_what_was_found_is_told() -> None:
    """A heading without anything below it frightens for nothing."""
    text = upkeep_issue(Reconciliation(deleted=("flight-delay@v1.2.0",)))
    assert "deleted" in text and "moved" not in text and "ledger were changed" not in text
    assert read_marker(text) == {"kind": "upkeep"}


def test_the_list_in_the_terminal(text_file: SnapshotAssertion) -> None:
    """`slipway reconcile` on a laptop, and the log of the workflow."""
    assert f"{reconciliation_text(EVERYTHING)}\n" == text_file


def test_a_release_that_is_not_tried_again(markdown_file: SnapshotAssertion) -> None:
    """The owners are called, once, and find the run whose log says why."""
    attempts = [
        attempt(1, release=JobResult.FAILURE),
        attempt(2, fetch=JobResult.SUCCESS, convert=JobResult.CANCELLED, examine=JobResult.SKIPPED),
        attempt(3, fetch=JobResult.SUCCESS, convert=JobResult.SUCCESS, examine=JobResult.SUCCESS),
    ]
    assert stuck_release_title(TAG) == "flight-delay@v1.4.0 has no verdict: its runs end in errors"
    assert stuck_release_issue(TAG, attempts, owners=["@flight-team", "@team/models"]) == markdown_file


def test_only_a_name_is_called() -> None:
    """model.yaml is written by people; what is no name of a person or a team must call and link nobody."""
    text = stuck_release_issue(TAG, [], owners=[pages.HOSTILE, "@a @everyone", "flight-team"])
    assert "@a @everyone" not in text and pages.HOSTILE not in text
