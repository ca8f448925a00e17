"""What runs beside what git says, and the issue about what never passed."""

from __future__ import annotations

from slipway.domain.live import LiveReport, LiveRow, LiveState
from slipway.reports.live import live_table, never_passed_issue, never_passed_title
from slipway.reports.marker import read_marker
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.pages.story import HOSTILE

_V13, _V14, _STRANGE = (pages.digest(name) for name in ("v1.3.0", "v1.4.0", "strange"))


def _row(model: str, state: LiveState, **known: str | None) -> LiveRow:
    return LiveRow.model_validate({"model": model, "environment": "production", "state": state, **known})


STRANGE = _row(
    "flight-delay",
    LiveState.NEVER_PASSED,
    wanted="v1.3.0",
    wanted_digest=_V13,
    digest=_STRANGE,
    called="v9.9.9",
)
GHOST = _row("ghost", LiveState.NEVER_PASSED, digest=_STRANGE, called="latest")


def test_each_state_is_told_in_words(text_file: SnapshotAssertion) -> None:
    """A tired person reads the last column and knows what to do."""
    wanted = {"wanted": "v1.4.0", "wanted_digest": _V14}
    before = {"version": "v1.3.0", "digest": _V13, "called": "v1.3.0"}
    rows = (
        _row("a-good", LiveState.IN_STEP, **wanted, version="v1.4.0", digest=_V14, called="v1.4.0"),
        _row("b-behind", LiveState.BEHIND, **wanted, **before),
        _row("c-another", LiveState.ANOTHER, **wanted, **before),
        _row("d-down", LiveState.NOTHING, **wanted),
        _row("e-dark", LiveState.NOT_SEEN, **wanted, problem="the cluster\ndoes not answer", mend="run again"),
        STRANGE,
        GHOST,
    )
    assert live_table(LiveReport(rows=rows)) == text_file


def test_nothing_at_all_is_a_sentence() -> None:
    """A headline over nothing would look like a defect."""
    assert live_table(LiveReport(rows=())).startswith("Nothing is deployed")


def test_the_issue_says_what_runs_what_should_and_what_to_do(markdown_file: SnapshotAssertion) -> None:
    """Whoever is called at night pastes one line."""
    assert never_passed_issue(STRANGE, owners=["@ada", "@waiters/kitchen"]) == markdown_file


def test_of_a_model_that_git_does_not_know_there_is_nothing_to_bring_back(markdown_file: SnapshotAssertion) -> None:
    """It is taken away, or released."""
    assert never_passed_issue(GHOST, owners=[]) == markdown_file


def test_it_is_found_again_by_its_place_whatever_it_is_called() -> None:
    """A name of production's could end the marker, or begin another one."""
    hostile = STRANGE.model_copy(update={"called": HOSTILE, "model": "flight-delay"})

    body = never_passed_issue(hostile, owners=[])

    assert read_marker(body) == {
        "kind": "never-passed",
        "model": "flight-delay",
        "environment": "production",
        "digest": _STRANGE,
    }
    assert "<script>" not in body
    assert len(never_passed_title(hostile)) < 120
