"""What is read by somebody who was asked at night to send an environment back."""

from __future__ import annotations

from slipway.reports.marker import read_marker
from slipway.reports.revert_request import revert_body, revert_title
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import text_outside_of_code


def body(*, reason: str = "v1.2.0 would have had an F1 0.05 higher on the same rows", refused: str = "") -> str:
    return revert_body(
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
    title = revert_title(model="flight-delay", environment="production", version="v2.0.0", back_to="v1.2.0")
    assert f"# {title}\n\n{body()}" == markdown_file


def test_a_commit_that_was_refused(markdown_file: SnapshotAssertion) -> None:
    """The policy promised that nobody has to merge; now somebody has, and must be told."""
    assert body(refused="GitHub refuses (PATCH): 422 Repository rule violations found") == markdown_file


def test_what_people_wrote_stays_text() -> None:
    """A reason comes from a form on a web page."""
    text = body(reason=pages.HOSTILE, refused=pages.HOSTILE)
    assert "<script>" not in text
    assert "@octocat" not in text_outside_of_code(text)


def test_it_is_found_again() -> None:
    """One incident has one way back."""
    assert read_marker(body())["incident"] == "2013-09-12-metric"
