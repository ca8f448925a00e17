"""Who let in what runs, in each of the ways in which a request is merged."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.approvals import Approvals, approvals

PATH = "deploy/production/tip/kustomization.yaml"
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git.run("init", "--quiet", "--initial-branch=main", cwd=tmp_path)
    return tmp_path


def commit(repository: Path, digest: str, message: str, *, by: str, more: str = "") -> None:
    path = repository / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"digest: {digest}\n{more}")
    git.run("add", "--all", cwd=repository)
    _as(by, repository, "commit", "--quiet", "-m", message)


def _as(by: str, repository: Path, *words: str) -> None:
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", by), ("EMAIL", "a@b.c"))
    }
    git.run(*words, cwd=repository, environment=who)


def merge(repository: Path, digest: str, number: int, *, by: str) -> None:
    """As GitHub's button does: a commit of Slipway on a branch, and a merge commit of the person."""
    git.run("switch", "--quiet", "--create", f"request-{number}", cwd=repository)
    commit(repository, digest, "Release", by="Slipway")
    git.run("switch", "--quiet", "main", cwd=repository)
    message = f"Merge pull request #{number} from waiters/release/production/tip/v1.0.0"
    _as(by, repository, "merge", "--quiet", "--no-ff", "-m", message, f"request-{number}")


def told(repository: Path) -> Approvals:
    return approvals(repository, git.head_commit(repository))


def by_and_pull(repository: Path, digest: str) -> tuple[str, int | None]:
    found = told(repository).of_digests({PATH: digest})[PATH]
    return found.by, found.pull


def test_who_merged_approved_and_not_who_wrote(repository: Path) -> None:
    """Every release is written by Slipway: it approves nothing."""
    commit(repository, ONE, "Begin", by="Ada")
    merge(repository, TWO, 12, by="Grace")

    assert by_and_pull(repository, TWO) == ("Grace", 12)


def test_a_squashed_request_names_its_number_in_the_end(repository: Path) -> None:
    """What stands in brackets before is the title's own."""
    commit(repository, ONE, "Release (again) tip@v1.0.0 (#7) (#19)", by="Mary")

    assert by_and_pull(repository, ONE) == ("Mary", 19)


def test_an_edit_of_another_line_approves_nothing(repository: Path) -> None:
    """More replicas are no new version."""
    commit(repository, ONE, "Release (#1)", by="Ada")
    commit(repository, ONE, "Have more replicas (#2)", by="Grace", more="replicas: 3\n")

    assert by_and_pull(repository, ONE) == ("Ada", 1)


def test_what_comes_back_was_approved_by_who_brought_it_back(repository: Path) -> None:
    """And each time counts for the days that followed it."""
    commit(repository, ONE, "Release (#1)", by="Ada")
    commit(repository, TWO, "Release (#2)", by="Grace")
    commit(repository, ONE, "Go back (#3)", by="Mary")

    assert by_and_pull(repository, ONE) == ("Mary", 3)
    assert [one.pull for one in told(repository).each_of_digest(PATH, ONE)] == [3, 1]
    assert [one.pull for one in told(repository).each_of_digest(PATH, TWO)] == [2]


def test_what_history_does_not_tell_is_left_out(repository: Path) -> None:
    """Nobody is named for a digest that nobody brought."""
    commit(repository, ONE, "Begin", by="Ada")

    assert told(repository).of_digests({"deploy/production/other/kustomization.yaml": ONE}) == {}
    assert approvals(repository, None).of_digests({PATH: ONE}) == {}


@pytest.mark.parametrize("subject", ["Begin", "Fix #12", "Merge branch 'main'", "Revert (#0)", "About (#12) and more"])
def test_words_that_name_no_request_name_none(repository: Path, subject: str) -> None:
    """A link to the wrong request is worse than none."""
    commit(repository, ONE, subject, by="Ada <with> tabs\tand more")

    by, pull = by_and_pull(repository, ONE)
    assert pull is None
    assert by.startswith("Ada")
