"""Who brought an image into a manifest and who took it out, by the history of the default branch alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.merges import Change, changes_of, was_brought_by

from tests.unit.adapters.deploying import ONE, PATH, SLIPWAY, TWO, begin, commit, manifest, merge


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return begin(tmp_path / "here")


def told(repository: Path, *digests: str) -> tuple[Change, ...]:
    return changes_of(repository, git.head_commit(repository), PATH, model="tip", digests=digests)


def who_and_is_in(repository: Path, digest: str) -> list[tuple[str, bool]]:
    return [(one.merge.by.partition(" <")[0], one.is_in) for one in told(repository, digest)]


def test_a_merge_tells_who_pressed_the_button_and_what_stood_there_before(repository: Path) -> None:
    """What Slipway wrote inside of the request is not who let it in."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    merged = merge(repository, manifest(TWO), 12, by="Grace")

    (change,) = told(repository, TWO)

    assert (change.before, change.after, change.is_in) == ("v1.0.0", "v2.0.0", True)
    assert (change.merge.commit, change.merge.by, change.merge.is_merge) == (merged, "Grace <a@b.c>", True)
    assert (change.merge.by_slipway, change.merge.canary) == (False, False)


def test_a_commit_of_slipway_on_this_machine_is_called_so(repository: Path) -> None:
    """No person merged it, and none is to be asked about it."""
    commit(repository, manifest(ONE), "Release tip@v1.0.0", by="Slipway", email=SLIPWAY)

    (change,) = told(repository, ONE)

    assert (change.merge.by_slipway, change.merge.is_merge) == (True, False)


def test_a_canary_that_gets_all_of_the_traffic_is_two_changes(repository: Path) -> None:
    """Two people decided, on two days, about two shares of the traffic."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    commit(repository, manifest(ONE, canary=TWO), "Try v2.0.0 (#2)", by="Grace")
    commit(repository, manifest(TWO), "Let v2.0.0 have it all (#3)", by="Mary")

    assert [(one.merge.canary, one.before, one.after) for one in told(repository, TWO)] == [
        (True, "v1.0.0", "v1.0.0"),
        (False, "v1.0.0", "v2.0.0"),
    ]


def test_who_took_it_out_is_told_also_where_the_manifest_went(repository: Path) -> None:
    """What runs nowhere has a last day."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    commit(repository, None, "Retire the model", by="Grace")

    assert who_and_is_in(repository, ONE) == [("Ada", True), ("Grace", False)]


def test_edits_of_other_lines_and_of_broken_ones_are_nobody_s_doing(repository: Path) -> None:
    """Who broke the file, or mended it, decided nothing about what runs."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    commit(repository, manifest(ONE, more="replicas: []\n"), "Have more replicas", by="Grace")
    commit(repository, manifest(ONE, more="replicas: [\n"), "Break it", by="Mary")
    commit(repository, manifest(ONE), "Mend it", by="Hedy")

    assert who_and_is_in(repository, ONE) == [("Ada", True)]


def test_of_two_images_of_one_release_each_has_its_own_changes(repository: Path) -> None:
    """A release whose image was built again runs under another digest since."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    commit(repository, manifest(TWO), "Another base", by="Grace")

    assert [(one.after, one.is_in) for one in told(repository, ONE, TWO)] == [
        ("v1.0.0", True),
        ("v2.0.0", False),
        ("v2.0.0", True),
    ]


def test_where_history_is_cut_off_its_first_commit_accuses_nobody(repository: Path) -> None:
    """It seems to have brought all that there is."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    commit(repository, manifest(ONE, canary=TWO), "Try (#2)", by="Grace")
    commit(repository, manifest(TWO), "Go on (#3)", by="Mary")
    shallow = repository.with_name("shallow")
    git.run("clone", "--quiet", "--depth=2", f"file://{repository}", str(shallow), cwd=repository)

    assert who_and_is_in(shallow, ONE) == [("Mary", False)]
    assert who_and_is_in(shallow, TWO) == [("Mary", True)]


def test_without_a_branch_nothing_is_told(repository: Path) -> None:
    """As in a clone of the ledger alone."""
    assert changes_of(repository, None, PATH, model="tip", digests=(ONE,)) == ()


def test_a_commit_came_by_the_merge_that_brought_it_and_by_no_later_one(repository: Path) -> None:
    """A rollout that failed is of the merge that it followed."""
    first = commit(repository, manifest(ONE), "Begin", by="Ada")
    second = merge(repository, manifest(TWO), 2, by="Grace")

    assert was_brought_by(repository, first, first)
    assert was_brought_by(repository, git.commit_of(repository, "request-2"), second)
    assert not was_brought_by(repository, first, second)
    assert not was_brought_by(repository, second, first)
