"""One look at what runs where."""

from __future__ import annotations

from slipway.domain.upkeep import StatusRow
from slipway.reports.status import status_table
from syrupy.assertion import SnapshotAssertion

from tests import pages

LIVE = StatusRow(
    model="flight-delay",
    environment="production",
    version="v1.3.0",
    digest=pages.digest("v1.3.0"),
    since="2013-08-02",
    outcome="revert",
    incident=7,
    quarantined=("v2.0.0", "v1.9.0"),
)


def absent(model: str, environment: str) -> StatusRow:
    return StatusRow(
        model=model, environment=environment, version=None, digest=None, since=None, outcome=None, incident=None
    )


def test_rows_are_ordered_and_absence_is_said(text_file: SnapshotAssertion) -> None:
    """An empty cell could mean "none" as well as "could not look"."""
    assert status_table([LIVE, absent("flight-delay", "staging"), absent("cargo-demand", "production")]) == text_file


def test_findings_in_audit_are_counted_until_the_policy_blocks(text_file: SnapshotAssertion) -> None:
    """Nobody remembers what only a policy file says."""
    assert status_table([LIVE.model_copy(update={"in_audit": 2}), absent("flight-delay", "staging")]) == text_file


def test_before_the_first_release_it_says_how_to_release() -> None:
    """A newcomer's first `slipway status` must not print a headline over nothing."""
    assert status_table([]).startswith("No model is released yet: git tag")
