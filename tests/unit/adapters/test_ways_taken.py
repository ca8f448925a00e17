"""A way back is one commit with manifest and quarantine, and is not taken over what people merged meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slipway.adapters import deploy_tree, ways_taken
from slipway.adapters.ways_taken import Way
from slipway.errors import ForgeRefused, NotReleasable

from tests.team import ENVIRONMENT, MODEL, Team

_BACK_TO = f"sha256:{'5' * 64}"


def way(**changes: str) -> Way:
    """From v1.0.0, which is live, to a version that ran before it."""
    back = Way(MODEL, ENVIRONMENT, "v1.0.0", "v0.9.0", _BACK_TO, "2026-04-15-metric", "guests complain", "Ada")
    return replace(back, **changes)  # type: ignore[arg-type]  # texts alone are changed


def test_manifest_and_quarantine_change_in_one_commit(team: Team) -> None:
    """Between two commits a bad version would be gone and allowed to come back by itself."""
    before = team.workplace.forge.head("main")

    commit = ways_taken.commit_to_default(way(), "Go back", team.workplace)

    forge = team.workplace.forge
    live = deploy_tree.deployed(forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    assert (live.tag, live.digest) == ("v0.9.0", _BACK_TO)
    (entry,) = deploy_tree.quarantine(forge)
    assert (entry.version, entry.reason, entry.by) == ("v1.0.0", "guests complain", "Ada")
    assert [one.id for one in forge.commits("main", beyond=before or "")] == [commit]


def test_a_branch_that_says_the_same_already_is_left_as_it_is(team: Team) -> None:
    """A run that was killed and begins again must not move what a reviewer reads."""
    first = ways_taken.commit_to_branch(way(), "Go back", team.workplace)

    assert ways_taken.commit_to_branch(way(), "Go back, told otherwise", team.workplace) == first
    assert ways_taken.commit_to_branch(way(back_to_digest=f"sha256:{'6' * 64}"), "Go back", team.workplace) != first
    assert team.workplace.forge.head(ways_taken.branch_of(way())) is not None


def test_what_was_merged_meanwhile_is_not_taken_back(team: Team) -> None:
    """The evidence was about another version than the one that users have now."""
    ways_taken.refuse_overtaken(way(), team.workplace)
    ways_taken.refuse_overtaken(way(version="v2.0.0", back_to="v1.0.0"), team.workplace)  # done by a run before

    with pytest.raises(NotReleasable, match=r"runs v1\.0\.0 of tip by now, not v2\.0\.0"):
        ways_taken.refuse_overtaken(way(version="v2.0.0"), team.workplace)
    with pytest.raises(NotReleasable, match="runs nothing of soup by now"):
        ways_taken.refuse_overtaken(way(model="soup"), team.workplace)


def test_a_rollout_that_does_not_start_is_told_and_stops_nothing(team: Team) -> None:
    """Every run of rollout.yml finds what is due; the way back is taken all the same."""
    told = ways_taken.start_rollout(way(), team.workplace.forge)

    assert "nothing runs by itself in a folder" in told


def test_a_branch_that_stays_where_it_is_and_takes_no_commit_refuses_us(team: Team) -> None:
    """A forge may tell its rule by a conflict; who takes that for a race tries for ever."""
    (team.bare / "refs" / "heads" / "main.lock").write_text("")  # nobody ends this one

    with pytest.raises(ForgeRefused, match="main"):
        ways_taken.commit_to_default(way(), "Go back", team.workplace)
