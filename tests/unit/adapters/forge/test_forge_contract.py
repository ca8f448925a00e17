"""What every forge keeps, on this machine and on GitHub alike."""

from __future__ import annotations

import pytest
from slipway.adapters import git
from slipway.adapters.forge import LONGEST_BODY, Forge, PullState
from slipway.errors import BranchMoved, ForgeRefused, MergeConflict

from tests.github_stand_in.application import GitHub
from tests.unit.adapters.conftest import Rig, reviewers_of


def main_of(forge: Forge) -> str:
    head = forge.head(forge.default_branch)
    assert head is not None
    return head


def test_the_default_branch_is_named_and_has_a_head(rig: Rig) -> None:
    """Code, policies and manifests are read from it, whatever a team calls it."""
    assert rig.forge.default_branch == "main"
    assert rig.forge.head("main") == git.commit_of(rig.repository, "main")
    assert rig.forge.head("no-such-branch") is None


def test_a_commit_changes_its_files_and_no_other(rig: Rig) -> None:
    """A manifest edit must never touch what a team wrote beside it."""
    before = main_of(rig.forge)
    after = rig.forge.commit("main", onto=before, changes={"deploy/a/b.yaml": b"x: 1\n"}, message="Deploy")

    assert rig.forge.head("main") == after
    assert rig.forge.read(after, "deploy/a/b.yaml") == b"x: 1\n"
    assert rig.forge.read(after, "README.md") == rig.forge.read(before, "README.md")
    assert git.is_ancestor(rig.repository, before, after)


def test_a_file_is_taken_away_and_one_that_is_not_there_stays_away(forge: Forge) -> None:
    """Taking away twice is what a second run does."""
    after = forge.commit("main", onto=main_of(forge), changes={"README.md": None, "gone": None}, message="Clean")
    assert forge.read(after, "README.md") is None
    assert forge.list_files(after) == {}


def test_bytes_come_back_as_they_went_in(forge: Forge) -> None:
    """Pages are compared by their bytes: no newline, encoding or path may change on the way."""
    files = {"a": b"", "b/ü ñ.bin": bytes(range(256)) * 40, "c/d/e.txt": b"one\r\ntwo\n\n"}
    commit = forge.commit("new", onto=None, changes=files, message="Bytes")
    assert {path: forge.read(commit, path) for path in files} == files

    blobs = forge.read_blobs(forge.list_files(commit).values())
    assert {path: blobs[blob] for path, blob in forge.list_files(commit).items()} == files


def test_a_folder_is_listed_at_any_depth_with_full_paths(forge: Forge) -> None:
    """A folder whose name only begins alike is another model's."""
    changes: dict[str, bytes | None] = {"m/v1/a.json": b"1", "m/v1/in/b.json": b"2", "m/v10/a.json": b"3"}
    commit = forge.commit("pages", onto=None, changes=changes, message="Pages")
    assert set(forge.list_files(commit, "m/v1")) == {"m/v1/a.json", "m/v1/in/b.json"}
    assert forge.list_files(commit, "m/v2") == {}
    assert forge.read(commit, "m/v1") is None


def test_a_blob_that_is_not_there_is_refused(forge: Forge) -> None:
    """An empty answer would read as an empty page."""
    with pytest.raises(ForgeRefused, match="no blob"):
        forge.read_blobs(["0" * 39 + "1"])


def test_changes_that_change_nothing_make_no_commit(forge: Forge) -> None:
    """Running again after a kill must not fill the history with empty commits."""
    before = main_of(forge)
    assert forge.commit("main", onto=before, changes={"README.md": b"one\ntwo\nthree\n"}, message="Same") == before
    assert forge.head("main") == before


def test_a_branch_that_moved_is_not_written(rig: Rig) -> None:
    """Two writers read the same state; the second must not undo the first."""
    seen = main_of(rig.forge)
    first = rig.push("main", {"a.txt": "first"})
    with pytest.raises(BranchMoved):
        rig.forge.commit("main", onto=seen, changes={"b.txt": b"second"}, message="Second")
    assert rig.forge.head("main") == first


def test_a_branch_that_exists_is_not_begun_again(forge: Forge) -> None:
    """Beginning anew would throw its history away."""
    forge.commit("ledger", onto=None, changes={"a": b"1"}, message="First")
    with pytest.raises(BranchMoved):
        forge.commit("ledger", onto=None, changes={"a": b"2"}, message="Second")


def test_a_branch_can_begin_without_history_or_at_a_commit(rig: Rig) -> None:
    """The ledger shares nothing with the code; a release starts from the default branch."""
    orphan = rig.forge.commit("ledger", onto=None, changes={"a": b"1"}, message="Ledger")
    release = rig.forge.commit("r/1", onto=None, parent=main_of(rig.forge), changes={"a": b"1"}, message="Release")

    assert rig.forge.read(orphan, "README.md") is None
    assert not git.is_ancestor(rig.repository, main_of(rig.forge), orphan)
    assert git.is_ancestor(rig.repository, main_of(rig.forge), release)


def test_our_own_branch_is_written_anew_from_a_newer_start(rig: Rig) -> None:
    """A proposal is renewed on what was merged since, as one commit."""
    old = rig.forge.commit("r/1", onto=None, parent=main_of(rig.forge), changes={"a": b"1"}, message="Old")
    newer = rig.push("main", {"b.txt": "merged since"})
    new = rig.forge.commit("r/1", onto=old, parent=newer, changes={"a": b"2"}, message="New")

    assert [commit.id for commit in rig.forge.commits("r/1", beyond="main")] == [new]
    assert rig.forge.read(new, "b.txt") == b"merged since"


def test_a_branch_with_a_commit_of_a_person_is_never_overwritten(rig: Rig) -> None:
    """Somebody mended the proposal by hand; that work must survive every rerun."""
    main = main_of(rig.forge)
    rig.forge.commit("r/1", onto=None, parent=main, changes={"a": b"1"}, message="Ours")
    theirs = rig.push("r/1", {"a": "mended"}, start="origin/r/1")
    newest, ours = rig.forge.commits("r/1", beyond="main")

    with pytest.raises(ForgeRefused, match="Ada"):
        rig.forge.commit("r/1", onto=theirs, parent=main, changes={"a": b"2"}, message="Again")
    assert rig.forge.head("r/1") == newest.id == theirs
    assert (newest.ours, newest.author, ours.ours) == (False, "Ada <ada@example.org>", True)
    assert ours.message == "Ours"


def test_a_tag_is_read_as_it_is_on_the_forge(rig: Rig) -> None:
    """Somebody moved a tag after it was fetched: the checkout still shows the old one."""
    rig.push("main", {"a": "1"})
    git.run("tag", "-a", "m@v1.0.0", "-m", "First\n\nWith reasons.", cwd=rig.clone)
    git.run("tag", "light", cwd=rig.clone)
    git.run("push", "--quiet", "origin", "m@v1.0.0", "light", cwd=rig.clone)

    assert rig.forge.tag("m@v1.0.0") == git.resolve_tag(rig.clone, "m@v1.0.0")
    assert rig.forge.tag("light") == git.resolve_tag(rig.clone, "light")
    with pytest.raises(ForgeRefused, match=r"m@v1\.0"):
        rig.forge.tag("m@v1.0")


def test_a_pull_request_says_what_was_asked_and_follows_its_branch(rig: Rig) -> None:
    """A reviewer must see the newest commit, not the one of the day it was opened."""
    body = "**Safe**\n\n---\n\n| a | b |\n"
    first = rig.forge.commit("r/1", onto=None, parent=main_of(rig.forge), changes={"a": b"1"}, message="One")
    opened = rig.forge.open_pull(
        branch="r/1", base="main", title='Release: "a" #1', body=body, draft=True, labels=["release", "slipway"]
    )
    assert (opened.head, opened.body, opened.title, opened.draft) == (first, body, 'Release: "a" #1', True)
    assert (opened.state, opened.labels, opened.merge_commit) == (PullState.OPEN, ("release", "slipway"), None)

    second = rig.forge.commit("r/1", onto=first, changes={"a": b"2"}, message="Two")
    assert rig.reopen().pull(opened.number).head == second


def test_a_branch_has_one_open_pull_request(rig: Rig) -> None:
    """Two for one release, and the reviewer merges the wrong one; a closed one does not count."""
    number = rig.propose("r/1")
    with pytest.raises(ForgeRefused, match=f"#{number}"):
        rig.forge.open_pull(branch="r/1", base="main", title="Again", body="")

    rig.forge.close_pull(number)
    assert rig.forge.pull_for("r/1") is None
    assert rig.forge.open_pull(branch="r/1", base="main", title="Again", body="").number == number + 1


@pytest.mark.parametrize("branch", ["missing", "same"])
def test_nothing_to_merge_is_no_pull_request(forge: Forge, branch: str) -> None:
    """GitHub refuses both; a laptop must not find a step good that GitHub then refuses."""
    forge.commit("same", onto=None, parent=main_of(forge), changes={}, message="Nothing")
    with pytest.raises(ForgeRefused):
        forge.open_pull(branch=branch, base="main", title="Nothing", body="")


def test_a_pull_request_is_updated_where_it_was_asked(rig: Rig) -> None:
    """A new verdict renews the text; what was not named stays."""
    number = rig.propose("r/1")
    rig.forge.update_pull(number, body="New verdict", draft=True)
    pull = rig.forge.pull(number)
    assert (pull.title, pull.body, pull.draft) == ("Release deploy/a.yaml", "New verdict", True)

    assert rig.forge.update_pull(number, title="Newer", draft=False).draft is False
    assert rig.forge.pull(number).title == "Newer"


def test_an_update_adds_the_labels_that_are_missing(rig: Rig) -> None:
    """A run killed between opening and labelling leaves a request that no filter finds; people's labels stay."""
    number = rig.propose("r/1")
    rig.forge.update_pull(number, labels=["release"])
    assert rig.forge.update_pull(number, labels=["release", "slipway"]).labels == ("release", "slipway")
    assert rig.forge.update_pull(number, title="Newer").labels == ("release", "slipway")


def test_open_pull_requests_are_found_by_branch_and_in_order(rig: Rig) -> None:
    """A rerun finds its own proposal by the branch's name."""
    first, second = rig.propose("r/1", "a"), rig.propose("r/2", "b")
    found = rig.forge.pull_for("r/2")
    assert found is not None
    assert found.number == second
    assert [pull.number for pull in rig.forge.open_pulls()] == [first, second]


def test_the_newest_pull_request_of_a_branch_is_found_when_it_is_closed(rig: Rig) -> None:
    """Somebody said no: a rerun must find that answer and not ask again."""
    assert rig.forge.last_pull_for("r/1") is None
    first = rig.propose("r/1", "a")
    rig.propose("r/2", "b")
    rig.forge.close_pull(first)
    closed = rig.reopen().last_pull_for("r/1")
    assert closed == rig.forge.pull(first)

    second = rig.forge.open_pull(branch="r/1", base="main", title="Again", body="").number
    newest = rig.forge.last_pull_for("r/1")
    assert newest is not None
    assert (newest.number, newest.state) == (second, PullState.OPEN)


def test_reviewers_are_asked_once(rig: Rig, github: GitHub) -> None:
    """A rerun that asks again sends everybody a second message."""
    main = main_of(rig.forge)
    rig.forge.commit("r/1", onto=None, parent=main, changes={"a": b"1"}, message="One")
    asked = ["@ada", "@team/flights"]
    number = rig.forge.open_pull(branch="r/1", base="main", title="One", body="", reviewers=asked).number
    rig.reopen().update_pull(number, reviewers=[*asked, "@bob", "@bob"])
    rig.forge.update_pull(number, title="Newer")
    assert reviewers_of(number, rig, github) == ["ada", "team/flights", "bob"]


def test_closing_comments_once_and_leaves_a_closed_one_alone(rig: Rig) -> None:
    """A newer version closes the older proposal with a link, also when the run is repeated."""
    number = rig.propose("r/1")
    rig.forge.close_pull(number, "Superseded by #9")
    rig.forge.close_pull(number, "Superseded by #10")
    assert rig.forge.pull(number).state is PullState.CLOSED
    assert rig.forge.comments(number) == ("Superseded by #9",)


def test_merging_brings_both_sides_together(rig: Rig) -> None:
    """Two models are released side by side; merging the second must not take the first away."""
    first, second = rig.propose("r/1", "deploy/a.yaml"), rig.propose("r/2", "deploy/b.yaml")
    pushed = rig.push("main", {"README.md": "one\ntwo\nthree\nfour\n"})
    for number in (first, second):
        rig.forge.merge_pull(number)

    merged = main_of(rig.forge)
    assert {"deploy/a.yaml", "deploy/b.yaml"} <= set(rig.forge.list_files(merged))
    assert rig.forge.read(merged, "README.md") == b"one\ntwo\nthree\nfour\n"
    assert git.is_ancestor(rig.repository, pushed, merged)
    assert rig.forge.pull(second).merge_commit == merged
    assert rig.forge.open_pulls() == []


def test_merging_twice_gives_the_same_commit(rig: Rig) -> None:
    """A run that was killed after the merge merges again."""
    number = rig.propose()
    assert rig.forge.merge_pull(number) == rig.reopen().merge_pull(number) == main_of(rig.forge)
    assert rig.forge.pull(number).state is PullState.MERGED


def test_a_conflict_changes_nothing(rig: Rig) -> None:
    """Two versions of one model wrote the same line: a person decides, not the order of merges."""
    first, second = rig.propose("r/1", content=b"tag: v1\n"), rig.propose("r/2", content=b"tag: v2\n")
    rig.forge.merge_pull(first)
    before = main_of(rig.forge)
    with pytest.raises(MergeConflict, match=r"deploy/a\.yaml"):
        rig.forge.merge_pull(second)
    assert main_of(rig.forge) == before
    assert rig.forge.pull(second).state is PullState.OPEN


def test_drafts_and_closed_ones_are_not_merged(rig: Rig) -> None:
    """A draft says that evidence is missing."""
    number = rig.propose()
    rig.forge.update_pull(number, draft=True)
    with pytest.raises(ForgeRefused, match="draft"):
        rig.forge.merge_pull(number)
    rig.forge.close_pull(number)
    with pytest.raises(ForgeRefused, match="closed"):
        rig.forge.merge_pull(number)


def test_an_issue_is_opened_updated_commented_and_closed(rig: Rig) -> None:
    """One incident is one issue, from its first window to its recovery."""
    opened = rig.forge.open_issue(title="flight-delay: retrain", body="F1 0.52", labels=["drift"])
    rig.forge.update_issue(opened.number, body="F1 0.50")
    rig.forge.comment(opened.number, "Still so.")
    rig.forge.comment(opened.number, "Still so.")
    issue = rig.reopen().issue(opened.number)
    assert (issue.title, issue.body, issue.labels, issue.open) == ("flight-delay: retrain", "F1 0.50", ("drift",), True)

    rig.forge.close_issue(opened.number, "Recovered.")
    rig.forge.close_issue(opened.number, "Recovered again.")
    assert rig.forge.issue(opened.number).open is False
    assert rig.forge.comments(opened.number) == ("Still so.", "Recovered.")


def test_open_issues_are_found_by_label_without_pull_requests(rig: Rig) -> None:
    """GitHub's list of issues holds pull requests as well; the watch must not update one of those."""
    rig.propose()
    first = rig.forge.open_issue(title="a", body="", labels=["drift", "a"]).number
    second = rig.forge.open_issue(title="b", body="", labels=["other"]).number
    rig.forge.close_issue(rig.forge.open_issue(title="c", body="", labels=["drift"]).number)
    assert [issue.number for issue in rig.forge.open_issues()] == [first, second]
    assert [issue.number for issue in rig.forge.open_issues("drift")] == [first]


def test_an_issue_is_opened_again_with_the_reason(rig: Rig) -> None:
    """What comes back is told where it was told before; a second run finds it open and says nothing."""
    number = rig.forge.open_issue(title="flight-delay: retrain", body="F1 0.52", labels=["drift"]).number
    rig.forge.close_issue(number, "Recovered.")
    rig.forge.reopen_issue(number, "It is back.")
    rig.forge.reopen_issue(number, "It is back again.")

    assert rig.reopen().issue(number).open
    assert [issue.number for issue in rig.forge.open_issues("drift")] == [number]
    assert rig.forge.comments(number) == ("Recovered.", "It is back.")


def test_the_last_issue_of_a_label_is_found_open_or_not(rig: Rig) -> None:
    """Who looks for the issue to open again must not get a pull request, or one of another model."""
    assert rig.forge.last_issue("drift") is None
    rig.forge.open_issue(title="a", body="", labels=["drift"])
    last = rig.forge.open_issue(title="b", body="", labels=["drift", "b"])
    rig.forge.open_issue(title="c", body="", labels=["other"])
    rig.forge.update_pull(rig.propose(), labels=["drift"])
    rig.forge.close_issue(last.number)

    found = rig.forge.last_issue("drift")

    assert found is not None
    assert (found.number, found.open) == (last.number, False)


def test_people_are_assigned_beside_those_who_are_and_no_team_is(rig: Rig) -> None:
    """Who took the issue keeps it, whoever owns the model."""
    number = rig.forge.open_issue(title="a", body="").number
    rig.forge.assign(number, ["@ada"])
    rig.forge.assign(number, ["@team/flights", "@bob", "@ada"])
    assert rig.reopen().issue(number).assignees == ("ada", "bob")


def test_issues_and_pull_requests_share_their_numbers(rig: Rig) -> None:
    """`#4` in a comment must mean one thing."""
    numbers = [rig.propose("r/1", "a"), rig.forge.open_issue(title="b", body="").number, rig.propose("r/2", "c")]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    with pytest.raises(ForgeRefused):
        rig.forge.issue(numbers[0])
    with pytest.raises(ForgeRefused):
        rig.forge.pull(numbers[1])


def test_unknown_numbers_are_refused_in_words(forge: Forge) -> None:
    """A typo in a number is a person's mistake: no traceback."""
    numbered = (forge.pull, forge.issue, forge.comments, forge.close_pull, forge.close_issue, forge.reopen_issue)
    for ask in (*numbered, forge.merge_pull):
        with pytest.raises(ForgeRefused, match="404"):
            ask(404)
    with pytest.raises(ForgeRefused, match="404"):
        forge.assign(404, ["@ada"])


def test_texts_too_long_for_github_are_refused_everywhere(rig: Rig) -> None:
    """A body that only GitHub refuses would be found after the release was judged."""
    number = rig.propose()
    long = "x" * (LONGEST_BODY + 1)
    with pytest.raises(ForgeRefused):
        rig.forge.update_pull(number, body=long)
    with pytest.raises(ForgeRefused):
        rig.forge.open_issue(title="long", body=long)
    assert rig.forge.update_pull(number, body=long[:-1]).body == long[:-1]
