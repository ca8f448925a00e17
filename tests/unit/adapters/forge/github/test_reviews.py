"""Who is asked for a review, and who cannot be."""

from __future__ import annotations

import logging

import pytest
from slipway.errors import ForgeRefused

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.forge.github.conftest import World


def test_whom_github_does_not_take_is_left_out_and_the_others_are_asked(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """GitHub refuses all for one; a name that left the team must not stop a release, and must be seen."""
    caplog.set_level(logging.WARNING)
    world.hosted.strangers = {"gone", "/old-team"}
    asked = ["@gone", "@bob", "@team/old-team", "@team/flights", "@other/flights", "@slipway[bot]"]
    world.forge().update_pull(1, reviewers=asked)

    assert world.hosted.threads[1].asked == ["ada", "bob", "/flights"]
    told = [record.getMessage().partition(" is not asked for a review: ") for record in caplog.records]
    assert [name for name, _, _ in told] == ["@gone", "@team/old-team", "@other/flights", "@slipway[bot]"]
    assert "collaborator" in told[0][2]
    assert "author" in told[-1][2]


def test_who_has_reviewed_is_not_asked_again(world: World) -> None:
    """GitHub takes a reviewer out of those who are asked: a rerun would bother who said yes already."""
    forge = world.forge()
    forge.update_pull(1, reviewers=["@team/flights"])
    world.hosted.threads[1].reviewers.clear()
    forge.update_pull(1, reviewers=["@Ada", "@Team/Flights"])
    assert world.hosted.threads[1].asked == ["ada", "/flights"]


def test_a_team_is_no_person_of_the_same_name(world: World) -> None:
    """`@team/ada` was never asked, though `@ada` was."""
    world.forge().update_pull(1, reviewers=["@team/ada"])
    assert world.hosted.threads[1].asked == ["ada", "/ada"]


def test_a_token_that_may_not_ask_a_team_opens_the_pull_request_all_the_same(world: World) -> None:
    """A GitHub App without the right to read the organisation's members."""
    said = "Resource not accessible by integration"
    world.github.faults.waiting[:] = [Fault(403, path="requested_reviewers", message=said, retry_after="")]
    pull = world.forge().open_pull(branch="r/2", base="main", title="Two", body="", reviewers=["@team/flights", "@bob"])
    assert world.hosted.threads[pull.number].asked == ["bob"]


def test_a_pull_request_that_is_gone_is_no_missing_reviewer(world: World) -> None:
    """Only an answer about the reviewer may be passed over."""
    world.github.faults.waiting[:] = [Fault(404, path="requested_reviewers")]
    with pytest.raises(ForgeRefused, match="404"):
        world.forge().update_pull(1, reviewers=["@bob"])
