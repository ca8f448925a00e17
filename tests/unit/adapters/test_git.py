"""Questions to real git, in real repositories."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.errors import GitRefused, Unreachable

from tests.unit.adapters.conftest import MODEL, Rig, commit


def tag(folder: Path, name: str, message: str = "") -> None:
    how = ["--annotate", "--message", message] if message else []
    git.run("tag", *how, name, cwd=folder)


def test_outside_of_a_repository_the_mend_is_told(tmp_path: Path) -> None:
    """The likeliest first mistake of all."""
    with pytest.raises(GitRefused, match="not in a git repository") as caught:
        git.head_commit(tmp_path)
    assert "git init" in caught.value.mend


def test_without_git_the_mend_is_told(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim container has none."""
    monkeypatch.setenv("PATH", str(work))
    with pytest.raises(GitRefused, match="was not found"):
        git.head_commit(work)


def test_a_repository_without_a_commit_is_told_in_words(tmp_path: Path) -> None:
    """A freshly generated repo is one."""
    git.run("init", "--quiet", cwd=tmp_path)
    with pytest.raises(GitRefused, match="HEAD") as caught:
        git.head_commit(tmp_path)
    assert "commit first" in caught.value.mend


def test_a_surrounding_hook_does_not_redirect_us(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git sets GIT_DIR for its hooks; a `slipway check` in a pre-push hook would read another repository."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert git.read_file(work, "HEAD", f"{MODEL}/model.yaml") is not None


def test_an_annotated_tag_says_who_when_why_and_what(work: Path) -> None:
    """The release's identity: the tagger gets the issue, the tag object proves that it was not moved."""
    head = git.head_commit(work)
    before = datetime.now(UTC).replace(microsecond=0)
    tag(work, "flight-delay@v1.0.0", "First release\n\nTrained on January.")
    found = git.resolve_tag(work, "flight-delay@v1.0.0")

    assert (found.name, found.commit, found.annotated) == ("flight-delay@v1.0.0", head, True)
    assert found.tagger == "Ada <ada@example.org>"
    assert found.message == "First release\n\nTrained on January."
    assert found.object_id == git.run("rev-parse", "flight-delay@v1.0.0", cwd=work).decode().strip() != head
    assert found.tagged_at is not None
    assert before <= found.tagged_at


def test_a_lightweight_tag_says_only_what(work: Path) -> None:
    """It has no author and no date; the caller refuses it, with the command for a real one."""
    tag(work, "flight-delay@v1.0.0")
    found = git.resolve_tag(work, "flight-delay@v1.0.0")
    head = git.head_commit(work)
    assert (found.annotated, found.object_id, found.commit) == (False, head, head)
    assert (found.tagger, found.tagged_at, found.message) == (None, None, "")


def test_a_tag_of_a_tag_leads_to_the_commit(work: Path) -> None:
    """Git allows it; what counts is the commit in the end."""
    tag(work, "inner", "inner")
    git.run("tag", "--annotate", "--message", "outer", "outer", "inner", cwd=work)
    assert git.resolve_tag(work, "outer").commit == git.head_commit(work)


@pytest.mark.parametrize("name", ["flight-delay@v9.0.0", "flight-delay", "", "--help", "a b", "*"])
def test_an_unknown_tag_is_told_in_words(work: Path, name: str) -> None:
    """A tag that was not fetched, or a typo; a pattern or an option must not pass for a name."""
    tag(work, "flight-delay@v1.0.0", "One")
    with pytest.raises(GitRefused, match="no tag") as caught:
        git.resolve_tag(work, name)
    assert "git fetch --tags" in caught.value.mend


def test_a_tag_that_names_no_commit_is_refused(work: Path) -> None:
    """A tag can name a file; nothing of that could be released."""
    git.run("tag", "blob", f"HEAD:{MODEL}/model.yaml", cwd=work)
    with pytest.raises(GitRefused, match="no commit"):
        git.resolve_tag(work, "blob")


def test_tags_of_a_commit_and_releases_of_a_model_are_listed(work: Path) -> None:
    """Two versions on one commit are refused, and versions are ordered as numbers, not as text."""
    first = git.head_commit(work)
    tag(work, "flight-delay@v1.10.0", "Ten")
    tag(work, "flight-delay@v1.9.0", "Nine")
    tag(work, "flight-delay-2@v1.0.0", "Another model")
    tag(work, "flight-delay@v01.0.0")
    tag(work, "nightly")
    second = commit(work, {"a": b"1"})
    tag(work, "flight-delay@v2.0.0-rc.1", "Candidate")

    assert {"flight-delay@v1.9.0", "nightly"} < set(git.tags_at(work, first))
    assert git.tags_at(work, second) == ("flight-delay@v2.0.0-rc.1",)
    versions = [str(release.version) for release in git.release_tags(work, model="flight-delay")]
    assert versions == ["1.9.0", "1.10.0", "2.0.0-rc.1"]
    assert str(git.release_tags(work)[0]) == "flight-delay@v1.9.0"
    assert len(git.release_tags(work)) == 4


def test_what_a_command_prints_can_be_read_as_it_comes(work: Path, tmp_path: Path) -> None:
    """Windows of a thousand models are more than should be held at once; a failure is told all the same."""
    asked = tmp_path / "asked"
    asked.write_text(f"HEAD:{MODEL}/model.yaml\n" * 10_000)

    with asked.open("rb") as stdin, git.streamed("cat-file", "--batch", "--buffer", cwd=work, stdin=stdin) as out:
        assert sum(line == b"name: flight-delay\r\n" for line in out) == 10_000
    with pytest.raises(GitRefused, match="git rev-list"), git.streamed("rev-list", "unknown", cwd=work) as out:
        assert out.read() == b""
    with pytest.raises(GitRefused, match="is no folder"), git.streamed("rev-list", cwd=tmp_path / "none"):
        raise AssertionError


def test_ancestors_are_told_from_strangers_and_from_the_unknown(work: Path) -> None:
    """A tag off the default branch is refused; a commit that was not fetched is no answer at all."""
    first = git.head_commit(work)
    second = commit(work, {"a": b"1"})
    assert git.is_ancestor(work, first, second)
    assert git.is_ancestor(work, second, second)
    assert not git.is_ancestor(work, second, first)
    with pytest.raises(GitRefused, match="cannot compare"):
        git.is_ancestor(work, "1" * 40, second)


def test_what_a_branch_changed_leaves_out_what_others_did_meanwhile(work: Path) -> None:
    """A model that somebody else merged since is none of this pull request's."""
    base = git.head_commit(work)
    git.run("checkout", "--quiet", "-b", "mine", cwd=work)
    (work / MODEL / "model.yaml").rename(work / MODEL / "model.yml")
    commit(work, {"policies/a policy.yaml": b"1", "models/hôtel\n/model.yaml": b"1"})
    git.run("checkout", "--quiet", "main", cwd=work)
    commit(work, {"models/theirs/model.yaml": b"1"})
    git.run("checkout", "--quiet", "mine", cwd=work)

    changed = git.changed_paths(work, base="main")

    assert sorted(changed) == sorted(
        (f"{MODEL}/model.yaml", f"{MODEL}/model.yml", "policies/a policy.yaml", "models/hôtel\n/model.yaml")
    )
    assert git.changed_paths(work, base=base) == changed


@pytest.mark.parametrize("base", ["gone", "--output=pwned"])
def test_what_cannot_be_compared_is_told_in_words(work: Path, base: str) -> None:
    """A shallow checkout knows no other branch; and a name that looks like an option is a name."""
    with pytest.raises(GitRefused, match=f"`{base}` is no commit"):
        git.changed_paths(work, base=base)
    assert not (work / "pwned").exists()


def test_commits_that_have_nothing_in_common_are_told_in_words(work: Path) -> None:
    """As in a checkout that brought the last commit alone."""
    git.run("checkout", "--quiet", "--orphan", "apart", cwd=work)
    commit(work, {"other": b"1"})
    with pytest.raises(GitRefused, match="cannot compare HEAD with main") as caught:
        git.changed_paths(work, base="main")
    assert "--unshallow" in caught.value.mend


def test_the_commit_that_brought_a_text_is_told_from_edits_around_it(work: Path) -> None:
    """A digest is verified once, whatever a team changes beside it; one that comes back came back by another commit."""
    brought = commit(work, {"manifest": b"digest: a\nreplicas: 1\n"})
    commit(work, {"manifest": b"digest: a\nreplicas: 2\n"})
    assert git.last_change_of(work, "HEAD", "manifest", "digest: a") == brought

    commit(work, {"manifest": b"digest: b\nreplicas: 2\n"})
    back = commit(work, {"manifest": b"digest: a\nreplicas: 2\n"})
    assert git.last_change_of(work, "HEAD", "manifest", "digest: a") == back
    assert git.last_change_of(work, "HEAD", "manifest", "digest: c") is None


def test_a_merge_brings_nothing_by_itself(work: Path) -> None:
    """The commit of the pull request is the one whose checks people look at."""
    git.run("checkout", "--quiet", "-b", "release", cwd=work)
    brought = commit(work, {"manifest": b"digest: a\n"})
    git.run("checkout", "--quiet", "main", cwd=work)
    commit(work, {"else": b"1"})
    git.run("merge", "--quiet", "--no-ff", "--message", "Merge", "release", cwd=work)

    assert git.last_change_of(work, "HEAD", "manifest", "digest: a") == brought


def test_a_file_of_a_commit_is_read_as_it_was_committed(work: Path) -> None:
    """The working tree may be ahead of the tag."""
    (work / MODEL / "model.yaml").write_text("edited")
    assert git.read_file(work, "HEAD", f"{MODEL}/model.yaml") == b"name: flight-delay\r\n"
    assert git.read_file(work, "HEAD", f"{MODEL}/none.yaml") is None


def test_a_remote_is_asked_and_fetched(rig: Rig, work: Path) -> None:
    """The default branch is what the remote says; tags come with the fetch."""
    tag(rig.clone, "flight-delay@v1.0.0", "One")
    git.run("push", "--quiet", "origin", "flight-delay@v1.0.0", cwd=rig.clone)
    assert git.remote_url(work) is None
    git.run("remote", "add", "origin", str(rig.repository), cwd=work)
    assert git.remote_url(work) == str(rig.repository)
    assert git.default_branch(work) == "main"
    git.fetch(work)
    assert git.resolve_tag(work, "flight-delay@v1.0.0").commit == git.head_commit(rig.clone)


def test_a_remote_that_does_not_answer_is_no_verdict(work: Path, tmp_path: Path) -> None:
    """Exit code 12: the same command may work later; nothing was found bad."""
    git.run("remote", "add", "origin", str(tmp_path / "gone.git"), cwd=work)
    for ask in (git.fetch, git.default_branch):
        with pytest.raises(Unreachable) as caught:
            ask(work)
        assert caught.value.exit_code == 12


def test_no_hook_of_the_user_runs(work: Path) -> None:
    """Slipway's reads and writes mean the same on every machine."""
    hook = work / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert commit(work, {"a": b"1"}) == git.head_commit(work)
