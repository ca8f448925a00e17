"""Who let in what runs, in each of the ways in which a request is merged."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.approvals import Approvals, approvals, let_in

from tests.unit.adapters.deploying import ONE, PATH, TWO, begin, commit, manifest, merge


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return begin(tmp_path)


def told(repository: Path) -> Approvals:
    return approvals(repository, git.head_commit(repository))


def by_and_pull(repository: Path, digest: str) -> tuple[str, int | None]:
    found = let_in(repository, git.head_commit(repository), {PATH: digest})[PATH]
    return found.by, found.pull


def test_who_merged_approved_and_not_who_wrote(repository: Path) -> None:
    """Every release is written by Slipway: it approves nothing."""
    commit(repository, manifest(ONE), "Begin", by="Ada")
    merge(repository, manifest(TWO), 12, by="Grace")

    assert by_and_pull(repository, TWO) == ("Grace", 12)


def test_a_squashed_request_names_its_number_in_the_end(repository: Path) -> None:
    """What stands in brackets before is the title's own."""
    commit(repository, manifest(ONE), "Release (again) tip@v1.0.0 (#7) (#19)", by="Mary")

    assert by_and_pull(repository, ONE) == ("Mary", 19)


def test_a_squash_is_told_from_a_merge_and_from_a_commit_of_ones_own(repository: Path) -> None:
    """Its author wrote the change: to say that they let it in would name who never did."""
    commit(repository, manifest(ONE), "Release by hand", by="Ada")
    commit(repository, manifest(TWO), "Release (#2)", by="Mary")
    merge(repository, manifest(ONE), 12, by="Grace")

    assert [one.squashed for one in told(repository).each_of_digest(PATH, ONE)] == [False, False]
    assert [one.squashed for one in told(repository).each_of_digest(PATH, TWO)] == [True]


def test_an_edit_of_another_line_approves_nothing(repository: Path) -> None:
    """More replicas are no new version."""
    commit(repository, manifest(ONE), "Release (#1)", by="Ada")
    commit(repository, manifest(ONE, more="replicas: []\n"), "Have more replicas (#2)", by="Grace")

    assert by_and_pull(repository, ONE) == ("Ada", 1)


def test_what_comes_back_was_approved_by_who_brought_it_back(repository: Path) -> None:
    """And each time counts for the days that followed it."""
    commit(repository, manifest(ONE), "Release (#1)", by="Ada")
    commit(repository, manifest(TWO), "Release (#2)", by="Grace")
    commit(repository, manifest(ONE), "Go back (#3)", by="Mary")

    assert by_and_pull(repository, ONE) == ("Mary", 3)
    assert [one.pull for one in told(repository).each_of_digest(PATH, ONE)] == [3, 1]
    assert [one.pull for one in told(repository).each_of_digest(PATH, TWO)] == [2]


def test_what_history_does_not_tell_is_left_out(repository: Path) -> None:
    """Nobody is named for a digest that nobody brought."""
    commit(repository, manifest(ONE), "Begin", by="Ada")

    assert let_in(repository, git.head_commit(repository), {"deploy/production/other/kustomization.yaml": ONE}) == {}
    assert let_in(repository, None, {PATH: ONE}) == {}


def test_many_edits_of_one_manifest_hide_none_of_another(repository: Path) -> None:
    """History is read in parts: a model that nobody touched for long is found behind those that change each day."""
    other = "deploy/production/other/kustomization.yaml"
    (repository / other).parent.mkdir(parents=True)
    (repository / other).write_bytes(manifest(ONE))
    commit(repository, None, "Release (#1)", by="Ada")
    for number in range(2, 9):
        digest = (ONE, TWO)[number % 2]
        commit(repository, manifest(digest), f"Release (#{number})", by="Grace")

    found = let_in(repository, git.head_commit(repository), {PATH: ONE, other: ONE})

    assert {path: one.pull for path, one in found.items()} == {PATH: 8, other: 1}


@pytest.mark.parametrize("subject", ["Begin", "Fix #12", "Merge branch 'main'", "Revert (#0)", "About (#12) and more"])
def test_words_that_name_no_request_name_none(repository: Path, subject: str) -> None:
    """A link to the wrong request is worse than none."""
    commit(repository, manifest(ONE), subject, by="Ada <with> tabs\tand more")

    by, pull = by_and_pull(repository, ONE)
    assert pull is None
    assert by.startswith("Ada")
