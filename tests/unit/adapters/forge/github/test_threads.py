"""Who is assigned to an issue on GitHub, and who cannot be."""

from __future__ import annotations

import logging

import pytest
from slipway.errors import ForgeRefused

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.forge.github.conftest import World

_ISSUE = 2


@pytest.mark.parametrize("status", [403, 422])
def test_whom_github_refuses_is_left_out_and_the_others_are_assigned(
    world: World, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """A name that left the team must not cost the issue, and must be seen."""
    caplog.set_level(logging.WARNING)
    world.github.faults.waiting[:] = [Fault(status, path="assignees", message="Could not resolve", retry_after="")]
    world.forge().assign(_ISSUE, ["@gone", "@bob"])

    assert world.hosted.threads[_ISSUE].assignees == ["bob"]
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith("@gone is not assigned to #2: ")
    assert "Could not resolve" in told


def test_whom_github_leaves_out_without_a_word_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Else everybody believes that somebody has it."""
    caplog.set_level(logging.WARNING)
    world.hosted.strangers = {"gone"}
    world.forge().assign(_ISSUE, ["@gone", "@Bob"])

    assert world.hosted.threads[_ISSUE].assignees == ["Bob"]
    [told] = [record.getMessage() for record in caplog.records]
    assert told == "@gone is not assigned to #2: GitHub knows no such person with access"


def test_who_is_assigned_is_not_assigned_again(world: World) -> None:
    """GitHub writes to each person whom somebody assigns; its names have no case."""
    world.hosted.threads[_ISSUE].assignees = ["Ada"]
    before = len(world.github.faults.asked)
    world.forge().assign(_ISSUE, ["@ada", "@team/flights"])
    assert [asked for asked in world.github.faults.asked[before:] if not asked.startswith("GET ")] == []


def test_an_issue_that_is_gone_is_no_missing_person(world: World) -> None:
    """Only an answer about the person may be passed over."""
    world.github.faults.waiting[:] = [Fault(404, path="assignees")]
    with pytest.raises(ForgeRefused, match="404"):
        world.forge().assign(_ISSUE, ["@bob"])
