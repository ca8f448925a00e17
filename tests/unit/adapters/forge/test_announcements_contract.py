"""What every forge tells of commits, environments and tags, on this machine and on GitHub alike."""

from __future__ import annotations

import pytest
from slipway.adapters import git
from slipway.adapters.forge import LONGEST_BODY, LONGEST_DESCRIPTION, Deployment, Forge, Status
from slipway.errors import ForgeRefused

from tests.unit.adapters.conftest import Rig


def main_of(forge: Forge) -> str:
    head = forge.head(forge.default_branch)
    assert head is not None
    return head


def test_a_commit_keeps_the_last_mark_of_each_context(rig: Rig) -> None:
    """A rerun that passes must turn the red mark of the run before green, and leave other checks' marks."""
    commit = main_of(rig.forge)
    assert rig.forge.statuses(commit) == {}
    rig.forge.set_status(commit, context="slipway/release", state="failure", description="refused")
    rig.forge.set_status(commit, context="lint", state="success", description="y" * (LONGEST_DESCRIPTION + 1))
    there = "https://git.example.org/acme/models/pull/3"
    rig.forge.set_status(commit, context="slipway/release", state="success", description="passed", url=there)
    assert rig.reopen().statuses(commit) == {
        "slipway/release": Status("success", "passed", there),
        "lint": Status("success", "y" * LONGEST_DESCRIPTION),
    }


@pytest.mark.parametrize("commit", ["0" * 39 + "1", "main"])
def test_a_mark_needs_the_full_id_of_a_commit_that_is_there(forge: Forge, commit: str) -> None:
    """A mark on the wrong commit says that something passed which did not."""
    with pytest.raises(ForgeRefused):
        forge.set_status(commit, context="c", state="success", description="d")


def test_what_runs_is_noted_once_each_time_that_it_changes(rig: Rig) -> None:
    """A rerun leaves no second note; a way back to what ran before is a new one."""
    first, second = (Deployment("production", main_of(rig.forge), f"m@v1.{minor}.0") for minor in (0, 1))
    assert rig.forge.deployment("production") is None
    for deployment in (first, first, second, first):
        rig.reopen().record_deployment(deployment)
        assert rig.forge.deployment("production") == deployment
    assert rig.forge.deployment("staging") is None


def test_each_environment_has_its_own_notes(rig: Rig) -> None:
    """Names with a slash are names, too."""
    notes = [Deployment(name, main_of(rig.forge), f"m@v1.0.0 in {name}") for name in ("a/b", "a", "a-b")]
    for deployment in notes:
        rig.forge.record_deployment(deployment)
    assert [rig.forge.deployment(note.environment) for note in notes] == notes


@pytest.mark.parametrize("commit", ["0" * 39 + "1", "main"])
def test_a_note_needs_the_full_id_of_a_commit_that_is_there(forge: Forge, commit: str) -> None:
    """A branch moves on: what is noted must stay what ran."""
    with pytest.raises(ForgeRefused):
        forge.record_deployment(Deployment("production", commit, "m@v1.0.0"))
    assert forge.deployment("production") is None


def test_the_notes_of_a_tag_are_published_and_changed_where_they_are(rig: Rig) -> None:
    """A second rollout renews the text; people's links stay good."""
    git.run("tag", "a/m@v1.0.0", main_of(rig.forge), cwd=rig.repository)
    where = rig.forge.publish_release("a/m@v1.0.0", title="m v1.0.0", body="Safe.")
    assert rig.reopen().publish_release("a/m@v1.0.0", title="m v1.0.0", body="Safe.\n\nOn 24,000 rows.") == where
    assert rig.forge.publish_release("a/m@v1.0.0", title="m v1.0.0, live", body="Safe.") == where


def test_notes_need_a_tag_that_is_there(rig: Rig) -> None:
    """GitHub would make the tag on the newest commit: a release that nobody asked for."""
    with pytest.raises(ForgeRefused, match="tag"):
        rig.forge.publish_release("m@v9.9.9", title="m", body="")
    with pytest.raises(ForgeRefused, match="characters"):
        rig.forge.publish_release("m@v9.9.9", title="m", body="x" * (LONGEST_BODY + 1))
    assert git.run("tag", "--list", cwd=rig.repository) == b""
