"""What a person reads at night who has a digest: the answer and the way back first."""

from __future__ import annotations

from datetime import date

import pytest
from slipway.domain.explanation import Adopted, Event, Explanation, Moment, Standing, Stay, Way
from slipway.domain.incident import IncidentKind, Outcome
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import JobResult
from slipway.domain.verdict import Verdict
from slipway.reports.explanation import explanation_text
from syrupy.assertion import SnapshotAssertion

from tests.pages import HOSTILE, digest
from tests.pages.explained import MERGE, explanation, incident, judged, merge, origin, place, refused

_BACK = Way(environment="production", to="v1.4.0", command="slipway rollback flight-delay --to v1.4.0")


def first_lines(told: Explanation) -> list[str]:
    return explanation_text(told).partition("\n\n")[0].splitlines()


def test_what_runs_is_told_with_its_way_back_in_the_second_line(text_file: SnapshotAssertion) -> None:
    """Who asks at night reads two lines."""
    told = explanation()

    assert explanation_text(told) == text_file
    assert first_lines(told) == [
        "flight-delay@v1.4.0 runs in production since 2026-11-03, in place of v1.3.0",
        "  go back: slipway rollback flight-delay --environment production --to v1.3.0",
    ]


def test_a_refused_release_is_told_with_its_mend(text_file: SnapshotAssertion) -> None:
    """It runs nowhere, so there is nothing to go back from."""
    assert explanation_text(refused()) == text_file


def test_all_that_can_go_wrong_is_told(text_file: SnapshotAssertion) -> None:
    """Quarantine, incidents, a squash, a source from elsewhere, a ledger that is old, and what nobody knows."""
    full = explanation()
    assert full.data is not None
    assert full.tag is not None
    told = explanation(
        places=(
            place(
                Standing.RAN,
                runs_now="v1.3.0",
                stays=(Stay(since=date(2026, 11, 3), until=date(2026, 11, 21), followed_by="v1.3.0"),),
                merges=(merge(is_merge=False, subject="Deploy flight-delay v1.4.0 (#12)"),),
            ),
        ),
        ways=(Way(environment="production", to=None, command="", why_not="v1.4.0 is quarantined by Ada: late"),),
        quarantine=(QuarantineEntry(model="flight-delay", version="v1.4.0", reason="late", by="Ada"),),
        incidents=(incident(), incident(is_open=False, outcome=Outcome.REVERT, back_to="v1.3.0", pull=16)),
        data=full.data.model_copy(update={"origin": origin()}),
        tag=full.tag.model_copy(update={"moved_to": MERGE, "at": None}),
        story=(
            *full.story,
            Event(at="2026-11-20T04:00:00+00:00", what=Moment.INCIDENT, environment="production", said="it drifts"),
            Event(
                at="2026-11-21T04:00:00+00:00",
                what=Moment.WAY_BACK,
                environment="production",
                version="v1.3.0",
                number=16,
                said="late",
            ),
            Event(
                at="2026-11-21T08:00:00+00:00",
                what=Moment.TAKEN_OUT,
                environment="production",
                version="v1.3.0",
                commit=MERGE,
            ),
        ),
        ledger=full.ledger.model_copy(
            update={"stale": ("nothing was written to it for 9 days",), "mend": "git fetch origin ledger"}
        ),
        unknown=("the commit of the Slipway that released it: its pages are older than that was recorded",),
    )

    assert explanation_text(told) == text_file


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"places": (place(stays=(Stay(since=date(2026, 11, 3), remained=False),)),)},
            "runs in production since 2026-11-03, in place of v1.3.0 (by a server that ended with its run)",
        ),
        (
            {"places": (place(Standing.CANARY, runs_now="v1.3.0"),)},
            "as a canary in production since 2026-11-03, beside",
        ),
        ({"places": (place(Standing.CANARY, stays=()),)}, "merged as a canary, and not verified, in production"),
        ({"places": (place(Standing.MERGED, stays=()),)}, "is merged, and not seen to run yet, in production"),
        ({"places": (place(Standing.FAILED, stays=()),)}, "is merged, and failed to roll out, in production"),
        (
            {"places": (place(Standing.WAS_FAILED, stays=(), runs_now="v1.3.0"),)},
            "failed to roll out in production, and was taken out; v1.3.0 runs there now",
        ),
        (
            {"places": (place(Standing.WAS_MERGED, stays=(), runs_now=None),)},
            "was merged for production, and taken out again; nothing runs there now",
        ),
        (
            {"places": (place(Standing.PROPOSED, stays=(), pulls=(12, 13)),)},
            "is proposed for production by #12 and #13, in place of v1.3.0, and is not merged there",
        ),
        ({"places": (), "judged": judged()}, "passed, and was not proposed yet"),
        ({"places": (), "judged": judged(verdict=Verdict.NOT_ENOUGH_EVIDENCE)}, "cannot be judged yet"),
        ({"places": (), "judged": None}, "was not judged; run it again: slipway release flight-delay@v1.4.0"),
        (
            {"places": (), "judged": None, "attempts": ({"fetch": JobResult.FAILURE},) * 2},
            "broke off before it was judged, 2 times",
        ),
    ],
)
def test_the_first_line_says_what_is_so(changes: dict[str, object], line: str) -> None:
    """Merged, verified, failed and gone are different answers to the same question."""
    assert line in first_lines(explanation(**changes))[0]


@pytest.mark.parametrize("note", ["as it ran on the old platform", ""], ids=["a-note", "no-note"])
def test_what_was_adopted_is_nobodys_verdict(note: str, text_file: SnapshotAssertion) -> None:
    """A person's word in place of gates is told as that, also where it is no word."""
    adopted = _adopted(note=note)
    told = explanation(judged=None, tag=None, code=None, data=None, image=None, adopted=adopted, adoptions=(adopted,))

    assert explanation_text(told) == text_file


def test_who_adopted_it_is_told_of_each_place() -> None:
    """Whoever said it of staging did not say it of production."""
    both = (_adopted("staging", by="Grace"), _adopted("production", by="Ada"))
    told = explanation(judged=None, tag=None, code=None, data=None, image=None, adopted=both[-1], adoptions=both)

    assert "ran in staging and production before Slipway came: adopted by Grace and Ada" in first_lines(told)[0]


def _adopted(environment: str = "production", *, by: str = "Ada", note: str = "") -> Adopted:
    at = "2026-11-01T08:00:00+00:00"
    return Adopted(environment=environment, by=by, at=at, image=digest("adopted"), onnx=None, note=note)


def test_the_two_ways_are_not_mixed_up() -> None:
    """To come back to a version and to leave it are opposite commands."""
    gone = place(Standing.RAN, runs_now="v1.3.0")

    assert first_lines(explanation(places=(gone,), ways=(_BACK,)))[1].startswith("  bring it back: slipway rollback")
    nothing = Way(environment="production", to=None, command="", why_not="nothing ran in production before it")
    assert first_lines(explanation(ways=(nothing,)))[1] == (
        "  there is no way back in production: nothing ran in production before it"
    )


def test_a_way_back_that_a_person_asked_for_is_no_incident() -> None:
    """It would read as if something were broken still."""
    told = explanation(incidents=(incident(about=IncidentKind.REQUESTED, is_open=False),))

    assert "Incidents" not in explanation_text(told)


def test_what_somebody_wrote_moves_no_cursor_and_opens_no_line() -> None:
    """Tags, subjects and reasons are anybody's words."""
    full = explanation()
    assert full.tag is not None
    told = explanation(
        tag=full.tag.model_copy(update={"by": HOSTILE, "message": HOSTILE}),
        quarantine=(QuarantineEntry(model="flight-delay", version="*", reason=HOSTILE, by=HOSTILE),),
        incidents=(incident(problem=HOSTILE),),
        places=(place(merges=(merge(by=HOSTILE, subject=HOSTILE),)),),
    )
    text = explanation_text(told)

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not [line for line in text.splitlines() if line.startswith(("# heading", "| --- |"))]
