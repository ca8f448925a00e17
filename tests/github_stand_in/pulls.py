"""Pull requests: threads that belong to a branch."""

from __future__ import annotations

from typing import Any

from tests.github_stand_in.asking import Answer, Ask, Routes
from tests.github_stand_in.git_data import changed_files, repository_fields
from tests.github_stand_in.store import WEB_FLOW, Hosted, Says, Thread, bot, now
from tests.github_stand_in.threads import (
    common_fields,
    custom,
    edit,
    invalid,
    known,
    opened,
    refreshed,
    shown,
    team_fields,
)

_NO_COLLABORATOR = (
    "Reviews may only be requested from collaborators. "
    "One or more of the users or teams you specified is not a collaborator of the"
)


def list_pulls(ask: Ask) -> Answer:
    pulls = [thread for thread in shown(ask) if thread.branch]
    if head := ask.query.get("head"):
        owner, _, branch = head.rpartition(":")
        pulls = [pull for pull in pulls if pull.branch == branch and owner in ("", ask.hosted.owner)]
    if base := ask.query.get("base"):
        pulls = [pull for pull in pulls if pull.base == base]
    return Answer(200, [_pull(ask.hosted, pull) for pull in pulls])


def create_pull(ask: Ask) -> Answer:
    body, hosted = ask.body, ask.hosted
    branch = body["head"].removeprefix(f"{hosted.owner}:")
    head, base = hosted.head(branch), hosted.head(body["base"])
    for name, found in (("head", head), ("base", base)):
        if found is None:
            raise invalid("PullRequest", field=name, code="invalid")
    if hosted.is_ancestor(str(head), str(base)):
        raise custom("PullRequest", f"No commits between {body['base']} and {branch}")
    for thread in hosted.threads.values():
        if (refreshed(hosted, thread).state, thread.branch, thread.base) == ("open", branch, body["base"]):
            raise custom("PullRequest", f"A pull request already exists for {hosted.owner}:{branch}.")
    if body.get("draft") and not hosted.drafts_allowed:
        raise Says(422, "Draft pull requests are not supported in this repository.")
    pull = opened(ask, labels=[], kind="PullRequest")
    pull.branch, pull.base, pull.draft = branch, body["base"], bool(body.get("draft"))
    return Answer(201, _whole_pull(hosted, refreshed(hosted, pull)))


def one_pull(ask: Ask) -> Answer:
    return Answer(200, _whole_pull(ask.hosted, known(ask, "pull_number", pull=True)))


def update_pull(ask: Ask) -> Answer:
    pull = known(ask, "pull_number", pull=True)
    edit(pull, ask.body, "PullRequest")
    return Answer(200, _whole_pull(ask.hosted, pull))


def pull_files(ask: Ask) -> Answer:
    pull = known(ask, "pull_number", pull=True)
    common = ask.hosted.line("merge-base", pull.base_head, pull.head)
    return Answer(200, changed_files(ask.hosted, common, pull.head))


def merge_pull(ask: Ask) -> Answer:
    """A merge commit by git; the base is moved only from where the merge was made."""
    hosted, pull = ask.hosted, known(ask, "pull_number", pull=True)
    if pull.state == "closed":
        raise Says(405, "Pull Request is not mergeable")
    if pull.draft:
        raise Says(405, "Pull Request is still a draft")
    if ask.body.get("sha", pull.head) != pull.head:
        raise Says(409, "Head branch was modified. Review and try the merge again.")
    base = str(hosted.head(pull.base))
    tree = _merged_tree(hosted, base, pull.head)
    if tree is None:
        raise Says(405, "Pull Request is not mergeable")
    title = ask.body.get("commit_title") or f"Merge pull request #{pull.number} from {hosted.owner}/{pull.branch}"
    message = f"{title}\n\n{ask.body.get('commit_message') or pull.title}"
    commit = hosted.write_commit(tree, [base, pull.head], message, author=bot(ask.login), committer=WEB_FLOW)
    if hosted.ask("update-ref", f"refs/heads/{pull.base}", commit, base).returncode:
        raise Says(405, "Base branch was modified. Review and try the merge again.")
    pull.state, pull.merge_commit = "closed", commit
    return Answer(200, {"sha": commit, "merged": True, "message": "Pull Request successfully merged"})


def request_reviewers(ask: Ask) -> Answer:
    """All or none; who was asked already is not asked again, until after a review."""
    pull = known(ask, "pull_number", pull=True)
    people = ask.body.get("reviewers", [])
    wanted = [*people, *(f"/{slug}" for slug in ask.body.get("team_reviewers", []))]
    if pull.login in people:
        raise Says(422, "Review cannot be requested from pull request author.")
    if ask.hosted.strangers & set(wanted):
        raise Says(422, f"{_NO_COLLABORATOR} {ask.hosted.name} repository.")
    new = [name for name in dict.fromkeys(wanted) if name not in pull.reviewers]
    pull.reviewers += new
    pull.asked += new
    return Answer(201, _pull(ask.hosted, pull))


def _merged_tree(hosted: Hosted, base: str, head: str) -> str | None:
    answer = hosted.ask("merge-tree", "--write-tree", "--name-only", "--no-messages", base, head)
    return None if answer.returncode else answer.stdout.decode().split("\n")[0]


def _pull(hosted: Hosted, pull: Thread) -> dict[str, Any]:
    merged = pull.state == "closed" and pull.merge_commit is not None
    return {
        **common_fields(hosted, pull),
        "node_id": f"PR_{hosted.name}#{pull.number}",
        "url": f"{hosted.api}/pulls/{pull.number}",
        "issue_url": f"{hosted.api}/issues/{pull.number}",
        "html_url": f"https://github.com/{hosted.name}/pull/{pull.number}",
        "draft": pull.draft,
        "merged_at": now() if merged else None,
        "merge_commit_sha": pull.merge_commit,
        "head": _side(hosted, pull.branch, pull.head),
        "base": _side(hosted, pull.base, pull.base_head),
        "requested_reviewers": [{"login": name} for name in pull.reviewers if not name.startswith("/")],
        "requested_teams": [team_fields(name) for name in pull.reviewers if name.startswith("/")],
    }


def _whole_pull(hosted: Hosted, pull: Thread) -> dict[str, Any]:
    is_open = pull.state == "open"
    mergeable = is_open and _merged_tree(hosted, pull.base_head, pull.head) is not None
    state = ("draft" if pull.draft else "clean") if mergeable else "dirty"
    return {
        **_pull(hosted, pull),
        "merged": not is_open and pull.merge_commit is not None,
        "mergeable": mergeable if is_open else None,
        "mergeable_state": state if is_open else "unknown",
        "comments": len(pull.comments),
    }


def _side(hosted: Hosted, branch: str, sha: str) -> dict[str, Any]:
    return {"label": f"{hosted.owner}:{branch}", "ref": branch, "sha": sha, "repo": repository_fields(hosted)}


ROUTES: Routes = {
    ("GET", "/pulls"): list_pulls,
    ("POST", "/pulls"): create_pull,
    ("GET", "/pulls/{pull_number}"): one_pull,
    ("PATCH", "/pulls/{pull_number}"): update_pull,
    ("GET", "/pulls/{pull_number}/files"): pull_files,
    ("PUT", "/pulls/{pull_number}/merge"): merge_pull,
    ("POST", "/pulls/{pull_number}/requested_reviewers"): request_reviewers,
}
