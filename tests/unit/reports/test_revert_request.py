"""What is read by somebody who was asked at night to send an environment back."""

from __future__ import annotations

from slipway.reports.marker import read_marker
from slipway.reports.revert_request import WayBackAsked, way_back_body, way_back_title
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import text_outside_of_code


def asked(
    *, reason: str = "v1.2.0 would have had an F1 0.05 higher on the same rows", refused: str = ""
) -> WayBackAsked:
    return WayBackAsked(
        model="flight-delay",
        environment="production",
        version="v2.0.0",
        back_to="v1.2.0",
        digest=pages.digest("v1.2.0"),
        reason=reason,
        incident="2013-09-12-metric",
        refused=refused,
    )


def test_a_way_back(markdown_file: SnapshotAssertion) -> None:
    """Its reviewer must see at once what merging does, and why."""
    assert f"# {way_back_title(asked())}\n\n{way_back_body(asked())}" == markdown_file


def test_a_commit_that_was_refused(markdown_file: SnapshotAssertion) -> None:
    """The policy promised that nobody has to merge; now somebody has, and must be told."""
    assert way_back_body(asked(refused="GitHub refuses (PATCH): 422 Repository rule violations found")) == markdown_file


def test_what_people_wrote_stays_text() -> None:
    """A reason comes from a form on a web page."""
    text = way_back_body(asked(reason=pages.HOSTILE, refused=pages.HOSTILE))
    assert "<script>" not in text
    assert "@octocat" not in text_outside_of_code(text)


def test_it_is_found_again() -> None:
    """One incident has one way back."""
    assert read_marker(way_back_body(asked()))["incident"] == "2013-09-12-metric"
