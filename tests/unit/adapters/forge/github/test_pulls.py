"""Drafts and merges where GitHub does not let us."""

from __future__ import annotations

import pytest
from slipway.adapters.forge import PullState
from slipway.adapters.forge.github.pulls import STANDS_FOR_DRAFT
from slipway.errors import BranchMoved, ForgeRefused

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.forge.github.conftest import World


def test_a_label_stands_for_a_draft_where_the_token_may_not_make_one(world: World) -> None:
    """GITHUB_TOKEN may lack the right: the reviewer must still see that evidence is missing."""
    world.hosted.graphql_allowed = False
    forge = world.forge()
    held = forge.update_pull(1, draft=True)
    assert (held.draft, held.labels, world.hosted.threads[1].labels) == (
        True,
        ("slipway",),
        [STANDS_FOR_DRAFT, "slipway"],
    )
    with pytest.raises(ForgeRefused, match="draft"):
        forge.merge_pull(1)

    assert forge.update_pull(1, draft=False).draft is False
    assert world.hosted.threads[1].labels == ["slipway"]


def test_a_label_stands_for_a_draft_where_the_plan_knows_none(world: World) -> None:
    """Private repositories of a free plan have no drafts: GitHub refuses the whole request."""
    world.hosted.drafts_allowed = False
    pull = world.forge().open_pull(branch="r/2", base="main", title="Held", body="Rows are missing.", draft=True)
    assert (pull.draft, world.hosted.threads[pull.number].draft) == (True, False)


def test_ready_is_refused_in_words_where_only_a_person_may_say_so(world: World) -> None:
    """A proposal that passed, but stays a draft, would wait for ever without a word."""
    world.forge().update_pull(1, draft=True)
    world.hosted.graphql_allowed = False
    with pytest.raises(ForgeRefused, match="Resource not accessible"):
        world.forge().update_pull(1, draft=False)


def test_what_was_pushed_after_the_look_is_not_merged(world: World) -> None:
    """The commit that nobody judged comes in the moment between reading and merging."""
    world.github.faults.waiting[:] = [Fault(verb="PUT", meanwhile=lambda: world.push("r/1"))]
    with pytest.raises(BranchMoved):
        world.forge().merge_pull(1)
    assert world.forge().pull(1).state is PullState.OPEN


def test_github_reason_is_given_where_a_merge_is_not_allowed(world: World) -> None:
    """A required review is no conflict: the reader needs GitHub's own words."""
    said = "At least 1 approving review is required by reviewers with write access."
    world.github.faults.waiting[:] = [Fault(405, verb="PUT", message=said)]
    with pytest.raises(ForgeRefused, match="approving review"):
        world.forge().merge_pull(1)


def test_a_base_that_moves_during_the_merge_is_merged_again(world: World) -> None:
    """Two merges of two models at the same moment are no fault of either."""
    said = "Base branch was modified. Review and try the merge again."
    world.github.faults.waiting[:] = [Fault(405, verb="PUT", message=said)]
    assert world.forge().merge_pull(1) == world.hosted.head("main")
