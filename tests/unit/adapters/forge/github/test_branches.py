"""Branches on GitHub when somebody else pushes at the same moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.errors import BranchMoved, ForgeRefused

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.forge.github.conftest import World


def write_anew(world: World) -> str:
    forge = world.forge()
    onto, main = forge.head("r/1"), forge.head("main")
    return forge.commit("r/1", onto=onto, parent=main, changes={"a": b"2"}, message="Anew")


def test_a_push_in_the_last_moment_is_not_overwritten(world: World) -> None:
    """Somebody mends the proposal while it is renewed: forcing would throw the work away."""
    world.github.faults.waiting[:] = [Fault(path="/graphql", meanwhile=lambda: world.push("r/1"))]
    with pytest.raises(BranchMoved):
        write_anew(world)
    assert world.forge().commits("r/1", beyond="main")[0].author == "Ada <ada@example.org>"


def test_a_push_before_a_commit_lands_is_built_upon_by_the_next_run(world: World) -> None:
    """The ledger has many writers: GitHub says that it is no fast-forward, and nobody's page is lost."""
    forge = world.forge()
    onto = forge.head("main")
    world.github.faults.waiting[:] = [Fault(verb="PATCH", meanwhile=lambda: world.push("main"))]
    with pytest.raises(BranchMoved):
        forge.commit("main", onto=onto, changes={"a": b"1"}, message="Ours")
    forge.commit("main", onto=forge.head("main"), changes={"a": b"1"}, message="Ours")
    assert [commit.message for commit in forge.commits("main", beyond=str(onto))] == ["Ours", "By hand"]


def test_a_token_without_graphql_still_renews_a_branch(world: World) -> None:
    """An older Enterprise Server knows no `updateRefs`; a release must not depend on it."""
    world.hosted.graphql_allowed = False
    assert write_anew(world) == world.hosted.head("r/1")


def test_a_commit_that_a_person_amended_is_theirs(world: World) -> None:
    """`git commit --amend` keeps our message; the files tell whose work it is."""
    ours = world.hosted.git("log", "-1", "--format=%B", "r/1").decode()
    theirs = world.push("r/1", message=ours)
    newest = world.forge().commits("r/1", beyond="main")[0]
    assert (newest.id, newest.ours, newest.message) == (theirs, False, "Release")
    with pytest.raises(ForgeRefused, match="Ada"):
        write_anew(world)


def test_our_commits_name_no_author_so_that_github_signs_them(world: World) -> None:
    """GitHub signs what a bot commits under its own name, and nothing else."""
    world.forge().commit("r/1", onto=world.forge().head("r/1"), changes={"a": b"1"}, message="Ours")
    sent = [said for said in world.github.exchanges if said.path.endswith(f"{world.hosted.name}/git/commits")]
    assert {"author", "committer", "signature"}.isdisjoint(sent[-1].body)


def test_a_listing_that_github_cuts_is_read_folder_by_folder(world: World) -> None:
    """A ledger of a thousand models is longer than one answer: a page that seems absent would be written again."""
    files = {f"m{number}/v1.0.0/{kind}.1.json": b"{}" for number in range(4) for kind in ("identity", "image")}
    forge = world.forge()
    commit = forge.commit("ledger", onto=forge.head("ledger"), changes=files, message="Record")
    world.hosted.most_entries = 6
    assert set(world.forge().list_files(commit)) == {*files, "m/v1.0.0/identity.1.json"}


def test_what_the_checkout_holds_is_not_asked_for(world: World, tmp_path: Path) -> None:
    """A token of a run may ask a thousand times an hour, and a ledger has many thousand pages."""
    git.run("clone", "--quiet", "--bare", str(world.hosted.path), str(tmp_path / "clone"), cwd=tmp_path)
    forge = world.forge(checkout=tmp_path / "clone")
    forge.commit("ledger", onto=forge.head("ledger"), changes={"m/v1.0.0/image.1.json": b"new"}, message="Record")
    before = len(world.github.faults.asked)
    files = forge.list_files(str(forge.head("ledger")))
    assert sorted(forge.read_blobs(files.values()).values()) == [b"new", b"{}"]
    assert sum("/git/blobs/" in asked for asked in world.github.faults.asked[before:]) == 1
