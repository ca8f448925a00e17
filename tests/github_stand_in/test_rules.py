"""The stand-in keeps GitHub's rules: a step that passes here must not fail there.

Each case is one that GitHub documents, or that its users report, asked through PyGithub's own objects.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from github import GithubException

from tests.github_stand_in.conftest import Seen

_WORKFLOW = "on: {workflow_dispatch: {inputs: {tag: {required: true}, model: {}}}}\njobs: {}\n"


def refused(deed: Callable[[], object], status: int) -> str:
    with pytest.raises(GithubException) as caught:
        deed()
    assert caught.value.status == status, caught.value
    return f"{caught.value.message} {caught.value.data.get('errors', '')}"


def propose(seen: Seen, branch: str, files: dict[str, str]) -> int:
    seen.push(branch, files, start="main")
    return seen.api.create_pull(base="main", head=branch, title=branch, body="").number


def test_a_second_ref_of_a_name_and_a_push_back_are_refused(seen: Seen) -> None:
    """Two writers of the ledger meet here."""
    old = str(seen.hosted.head("main"))
    new = seen.push("main", {"a.txt": "2\n"})
    assert "already exists" in refused(lambda: seen.api.create_git_ref("refs/heads/main", new), 422)
    ref = seen.api.get_git_ref("heads/main")
    assert "fast forward" in refused(lambda: ref.edit(old), 422)
    assert seen.hosted.head("main") == new
    ref.edit(old, force=True)
    assert seen.hosted.head("main") == old


def test_refs_are_found_by_how_they_begin(seen: Seen) -> None:
    """None is an empty list, while one ref that is not there is a 404."""
    for name in ("r/1", "r/10"):
        seen.api.create_git_ref(f"refs/heads/{name}", str(seen.hosted.head("main")))
    assert [ref.ref for ref in seen.api.get_git_matching_refs("heads/r/1")] == ["refs/heads/r/1", "refs/heads/r/10"]
    assert list(seen.api.get_git_matching_refs("heads/none")) == []
    refused(lambda: seen.api.get_git_ref("heads/none").object, 404)


def test_a_pull_request_needs_two_branches_that_differ_and_comes_once(seen: Seen) -> None:
    """The messages by which people know what went wrong."""
    create = seen.api.create_pull
    assert "invalid" in refused(lambda: create(base="main", head="none", title="t", body=""), 422)
    seen.api.create_git_ref("refs/heads/same", str(seen.hosted.head("main")))
    assert "No commits between" in refused(lambda: create(base="main", head="same", title="t", body=""), 422)
    propose(seen, "r/1", {"a.txt": "2\n", "b.txt": "1\n"})
    assert "already exists for team:r/1" in refused(lambda: create(base="main", head="r/1", title="t", body=""), 422)


def test_a_pull_request_follows_its_branch_and_lists_its_files(seen: Seen) -> None:
    """A reviewer sees what would be merged now."""
    number = propose(seen, "r/1", {"a.txt": "2\n", "b.txt": "1\n"})
    newest = seen.push("r/1", {"a.txt": "2\n", "c.txt": "1\n"})
    pull = seen.api.get_pull(number)
    assert (pull.head.sha, pull.mergeable) == (newest, True)
    assert {(file.filename, file.status) for file in pull.get_files()} == {
        ("a.txt", "modified"),
        ("b.txt", "removed"),
        ("c.txt", "added"),
    }
    assert [each.number for each in seen.api.get_pulls(head="team:r/1")] == [number]


def test_merging_is_three_way(seen: Seen) -> None:
    """A stand-in that takes the head's whole tree lets a second release revert the first unseen."""
    first = propose(seen, "r/1", {"a.txt": "2\n", "b.txt": "1\n"})
    second = propose(seen, "r/2", {"a.txt": "1\n", "b.txt": "2\n"})
    for number in (first, second):
        assert seen.api.get_pull(number).merge().merged
    texts = [seen.hosted.git("show", f"main:{name}") for name in ("a.txt", "b.txt")]
    assert texts == [b"2\n", b"2\n"]
    assert seen.api.get_pull(second).merge_commit_sha == seen.hosted.head("main")


def test_a_conflict_a_draft_a_stale_head_and_a_second_merge_are_refused(seen: Seen) -> None:
    """Each with its own status: what heals them differs."""
    first = propose(seen, "r/1", {"a.txt": "2\n", "b.txt": "1\n"})
    second = propose(seen, "r/2", {"a.txt": "3\n", "b.txt": "1\n"})
    assert "Head branch was modified" in refused(lambda: seen.api.get_pull(first).merge(sha="0" * 40), 409)
    seen.api.get_pull(first).merge()
    conflicting = seen.api.get_pull(second)
    assert (conflicting.mergeable, conflicting.mergeable_state) == (False, "dirty")
    assert "not mergeable" in refused(conflicting.merge, 405)
    assert "not mergeable" in refused(seen.api.get_pull(first).merge, 405)
    conflicting.convert_to_draft()
    assert "draft" in refused(seen.api.get_pull(second).merge, 405)


def test_the_list_of_issues_holds_pull_requests_and_makes_labels(seen: Seen) -> None:
    """An issue with an unknown label makes the label; making it again is refused."""
    number = propose(seen, "r/1", {"a.txt": "2\n"})
    issue = seen.api.create_issue("t", labels=["drift"])
    assert {each.number: each.pull_request is not None for each in seen.api.get_issues()} == {
        number: True,
        issue.number: False,
    }
    assert [each.number for each in seen.api.get_issues(labels=["drift"])] == [issue.number]
    assert "already_exists" in refused(lambda: seen.api.create_label("Drift", "ff0000"), 422)


def test_long_lists_come_in_pages(seen: Seen) -> None:
    """The thirty-first comment is read, too."""
    issue = seen.api.create_issue("t")
    for number in range(31):
        issue.create_comment(f"{number}")
    assert [comment.body for comment in issue.get_comments()] == [f"{number}" for number in range(31)]


def test_texts_beyond_githubs_length_are_refused(seen: Seen) -> None:
    """65,536 characters; one more is lost with the whole request."""
    assert seen.api.create_issue("t", body="x" * 65_536).number
    assert "too long" in refused(lambda: seen.api.create_issue("t", body="x" * 65_537), 422)


def test_a_dispatch_takes_only_what_the_workflow_declares(seen: Seen) -> None:
    """A renamed input must break here, not in production."""
    seen.push("main", {".github/workflows/release.yml": _WORKFLOW})
    workflow = seen.api.get_workflow("release.yml")
    assert workflow.create_dispatch("main", {"tag": "m@v1.0.0"}, throw=True)
    assert "Unexpected" in refused(lambda: workflow.create_dispatch("main", {"tag": "t", "x": "y"}, throw=True), 422)
    assert "tag" in refused(lambda: workflow.create_dispatch("main", {}, throw=True), 422)
    refused(lambda: seen.api.get_workflow("none.yml").create_dispatch("main", {}, throw=True), 404)
    assert [each["inputs"] for each in seen.hosted.dispatches] == [{"tag": "m@v1.0.0"}]


def test_a_deployment_needs_green_marks_unless_told_otherwise(seen: Seen) -> None:
    """With `required_contexts` left out, one red status of any check stops it."""
    head = str(seen.hosted.head("main"))
    seen.api.get_commit(head).create_status("failure", context="lint")
    refused(lambda: seen.api.create_deployment("main", environment="production"), 409)
    made = seen.api.create_deployment("main", environment="production", required_contexts=[])
    made.create_status("success")
    assert [(each.environment, each.sha) for each in seen.api.get_deployments()] == [("production", head)]
    assert [status.state for status in made.get_statuses()] == ["success"]


def test_reviewers_are_taken_all_or_none_and_never_the_author(seen: Seen) -> None:
    """One name that left the team refuses the whole request."""
    pull = seen.api.get_pull(propose(seen, "r/1", {"a.txt": "2\n", "b.txt": "1\n"}))
    seen.hosted.strangers = {"gone", "/old-team"}
    assert "collaborators" in refused(lambda: pull.create_review_request(["ada", "gone"]), 422)
    assert "collaborators" in refused(lambda: pull.create_review_request(["ada"], ["old-team"]), 422)
    assert "author" in refused(lambda: pull.create_review_request(["slipway[bot]"]), 422)
    pull.create_review_request(["ada"], ["flights"])
    asked = seen.api.get_pull(pull.number)
    assert [person.login for person in asked.requested_reviewers] == ["ada"]
    assert [team.slug for team in asked.requested_teams] == ["flights"]


def test_who_cannot_be_assigned_is_left_out_without_a_word(seen: Seen) -> None:
    """GitHub answers as if all were well."""
    seen.hosted.strangers = {"gone"}
    issue = seen.api.create_issue("Retrain")
    issue.add_to_assignees("ada", "gone", "ada")
    assert [person.login for person in seen.api.get_issue(issue.number).assignees] == ["ada"]


def test_a_request_for_a_review_stays_in_the_events_of_its_pull_request(seen: Seen) -> None:
    """After a review, nothing else says that somebody was asked."""
    pull = seen.api.get_pull(propose(seen, "r/1", {"a.txt": "2\n", "b.txt": "1\n"}))
    for _ in range(2):
        pull.create_review_request(["ada"])
    assert [event.event for event in pull.get_issue_events()] == ["review_requested"]


def test_runs_are_found_by_their_workflow_and_status(seen: Seen) -> None:
    """`reconcile` skips what is queued."""
    seen.push("main", {".github/workflows/release.yml": _WORKFLOW})
    seen.hosted.add_run("release.yml", title="release m@v1.0.0")
    seen.hosted.add_run("release.yml", title="release m@v0.9.0", status="completed")
    workflow = seen.api.get_workflow("release.yml")
    assert [run.display_title for run in workflow.get_runs(status="queued")] == ["release m@v1.0.0"]
    assert workflow.get_runs().totalCount == 2


def test_a_release_makes_the_tag_that_is_missing(seen: Seen) -> None:
    """On the newest commit, whoever asked for it: the reason to look before."""
    seen.api.create_git_release("m@v1.0.0", "m 1.0.0", "Safe.")
    assert seen.hosted.find("refs/tags/m@v1.0.0", "commit") == seen.hosted.head("main")


def test_a_tag_has_one_release(seen: Seen) -> None:
    """A rerun finds the release of the run before."""
    made = seen.api.create_git_release("m@v1.0.0", "m 1.0.0", "Safe.")
    assert "already_exists" in refused(lambda: seen.api.create_git_release("m@v1.0.0", "m", "Again"), 422)
    assert made.tag_name == "m@v1.0.0"
    assert [release.name for release in seen.api.get_releases()] == ["m 1.0.0"]


def test_a_mark_needs_a_commit_and_a_short_text(seen: Seen) -> None:
    """140 characters of description."""
    head = seen.api.get_commit(str(seen.hosted.head("main")))
    head.create_status("pending", context="c", description="x" * 140)
    refused(lambda: head.create_status("pending", context="c", description="x" * 141), 422)
    refused(lambda: seen.api.get_commit("0" * 39 + "1").create_status("pending", context="c"), 422)
    assert head.get_combined_status().state == "pending"


def test_contents_are_files_or_folders_of_a_ref(seen: Seen) -> None:
    """What `doctor` and people's scripts read."""
    commit = seen.push("main", {"deploy/a.yaml": "tag: v1\n"})
    file = seen.api.get_contents("deploy/a.yaml", ref=commit)
    assert not isinstance(file, list)
    assert file.decoded_content == b"tag: v1\n"
    assert [each.path for each in seen.api.get_contents("deploy", ref="main")] == ["deploy/a.yaml"]  # type: ignore[union-attr]
    refused(lambda: seen.api.get_contents("none", ref="main"), 404)


def test_an_unknown_token_is_nobody(seen: Seen) -> None:
    """Another stand-in takes it for the first user, and every test of rights passes."""
    from github import Auth

    stranger = seen.api.requester.withAuth(Auth.Token("unknown"))
    refused(lambda: stranger.requestJsonAndCheck("GET", f"/repos/{seen.hosted.name}"), 401)
