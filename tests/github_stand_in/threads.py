"""Pull requests, issues, comments and labels."""

from __future__ import annotations

import re
from typing import Any

from tests.github_stand_in.asking import Answer, Ask, Routes
from tests.github_stand_in.git_data import changed_files, repository_fields
from tests.github_stand_in.store import WEB_FLOW, Hosted, Says, Thread, bot, now

LONGEST_BODY = 65_536
_LONGEST_TITLE = 256
_LONGEST_DESCRIPTION = 100  # of a label
_NO_COLLABORATOR = (
    "Reviews may only be requested from collaborators. "
    "One or more of the users or teams you specified is not a collaborator of the"
)


def list_pulls(ask: Ask) -> Answer:
    pulls = [thread for thread in _shown(ask) if thread.branch]
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
            raise _invalid("PullRequest", field=name, code="invalid")
    if hosted.is_ancestor(str(head), str(base)):
        raise _custom("PullRequest", f"No commits between {body['base']} and {branch}")
    for thread in hosted.threads.values():
        if (_refreshed(hosted, thread).state, thread.branch, thread.base) == ("open", branch, body["base"]):
            raise _custom("PullRequest", f"A pull request already exists for {hosted.owner}:{branch}.")
    if body.get("draft") and not hosted.drafts_allowed:
        raise Says(422, "Draft pull requests are not supported in this repository.")
    pull = _opened(ask, labels=[], kind="PullRequest")
    pull.branch, pull.base, pull.draft = branch, body["base"], bool(body.get("draft"))
    return Answer(201, _whole_pull(hosted, _refreshed(hosted, pull)))


def one_pull(ask: Ask) -> Answer:
    return Answer(200, _whole_pull(ask.hosted, _known(ask, "pull_number", pull=True)))


def update_pull(ask: Ask) -> Answer:
    pull = _known(ask, "pull_number", pull=True)
    _edit(pull, ask.body, "PullRequest")
    return Answer(200, _whole_pull(ask.hosted, pull))


def pull_files(ask: Ask) -> Answer:
    pull = _known(ask, "pull_number", pull=True)
    common = ask.hosted.line("merge-base", pull.base_head, pull.head)
    return Answer(200, changed_files(ask.hosted, common, pull.head))


def merge_pull(ask: Ask) -> Answer:
    """A merge commit by git; the base is moved only from where the merge was made."""
    hosted, pull = ask.hosted, _known(ask, "pull_number", pull=True)
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
    pull = _known(ask, "pull_number", pull=True)
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


def list_events(ask: Ask) -> Answer:
    """Of all that happens, the requests for reviews."""
    thread = _known(ask, "issue_number")
    return Answer(200, [_review_requested(thread.login, name) for name in thread.asked])


def list_issues(ask: Ask) -> Answer:
    """Pull requests are issues too; with several labels, an issue has all of them."""
    wanted = {label.lower() for label in ask.query.get("labels", "").split(",") if label}
    found = [thread for thread in _shown(ask) if wanted <= {label.lower() for label in thread.labels}]
    return Answer(200, [_issue(ask.hosted, thread) for thread in found])


def create_issue(ask: Ask) -> Answer:
    issue = _opened(ask, labels=list(ask.body.get("labels", [])), kind="Issue")
    return Answer(201, _issue(ask.hosted, issue))


def one_issue(ask: Ask) -> Answer:
    return Answer(200, _issue(ask.hosted, _known(ask, "issue_number")))


def update_issue(ask: Ask) -> Answer:
    issue = _known(ask, "issue_number")
    _edit(issue, ask.body, "Issue")
    if "labels" in ask.body:
        issue.labels = _labelled(ask.hosted, ask.body["labels"])
    return Answer(200, _issue(ask.hosted, issue))


def list_comments(ask: Ask) -> Answer:
    return Answer(200, [_comment(text) for text in _known(ask, "issue_number").comments])


def create_comment(ask: Ask) -> Answer:
    thread = _known(ask, "issue_number")
    _refuse_long(ask.body["body"], "IssueComment")
    if not ask.body["body"].strip():
        raise _custom("IssueComment", "Body cannot be blank")
    thread.comments.append(ask.body["body"])
    return Answer(201, _comment(ask.body["body"]))


def list_labels_of(ask: Ask) -> Answer:
    return Answer(200, [_label(ask.hosted, name) for name in _known(ask, "issue_number").labels])


def add_labels(ask: Ask) -> Answer:
    thread = _known(ask, "issue_number")
    names: Any = ask.body["labels"] if isinstance(ask.body, dict) else ask.body
    thread.labels = _labelled(ask.hosted, [*thread.labels, *names])
    return Answer(200, [_label(ask.hosted, name) for name in thread.labels])


def remove_label(ask: Ask) -> Answer:
    thread = _known(ask, "issue_number")
    if ask.path["name"] not in thread.labels:
        raise Says(404, "Label does not exist")
    thread.labels.remove(ask.path["name"])
    return Answer(200, [_label(ask.hosted, name) for name in thread.labels])


def list_labels(ask: Ask) -> Answer:
    return Answer(200, [_label(ask.hosted, name) for name in ask.hosted.labels])


def create_label(ask: Ask) -> Answer:
    name = ask.body["name"]
    if name.lower() in ask.hosted.labels:
        raise _invalid("Label", field="name", code="already_exists")
    if not re.fullmatch(r"[0-9a-fA-F]{6}", color := ask.body.get("color", "ededed")):
        raise _invalid("Label", field="color", code="invalid")
    if len(description := ask.body.get("description") or "") > _LONGEST_DESCRIPTION:
        raise _custom("Label", f"description is too long (maximum is {_LONGEST_DESCRIPTION} characters)")
    number = len(ask.hosted.labels) + 1
    ask.hosted.labels[name.lower()] = {"id": number, "name": name, "color": color, "description": description or None}
    return Answer(201, _label(ask.hosted, name))


def _shown(ask: Ask) -> list[Thread]:
    """What a list shows, newest first unless asked for otherwise."""
    state = ask.query.get("state", "open")
    threads = [_refreshed(ask.hosted, thread) for _, thread in sorted(ask.hosted.threads.items())]
    shown = [thread for thread in threads if state in ("all", thread.state)]
    return shown if ask.query.get("direction") == "asc" else shown[::-1]


def _known(ask: Ask, part: str, *, pull: bool = False) -> Thread:
    thread = ask.hosted.threads.get(ask.number(part))
    if thread is None or (pull and not thread.branch):
        raise Says(404, "Not Found")
    return _refreshed(ask.hosted, thread)


def _refreshed(hosted: Hosted, thread: Thread) -> Thread:
    """A pull request follows its branch; a push that holds it merges it, and a branch that is gone closes it."""
    if thread.branch and thread.state == "open":
        head, base = hosted.head(thread.branch), hosted.head(thread.base)
        thread.head, thread.base_head = head or thread.head, base or thread.base_head
        if head is None or base is None:
            thread.state = "closed"
        elif hosted.is_ancestor(head, base):
            thread.state, thread.merge_commit = "closed", base
    return thread


def _opened(ask: Ask, *, labels: list[str], kind: str) -> Thread:
    title, body = ask.body["title"], ask.body.get("body")
    if not str(title).strip():
        raise _invalid(kind, field="title", code="missing_field")
    if len(str(title)) > _LONGEST_TITLE:
        raise _custom(kind, f"title is too long (maximum is {_LONGEST_TITLE} characters)")
    _refuse_long(body, kind)
    number = ask.hosted.next_number()
    labelled = _labelled(ask.hosted, labels)
    ask.hosted.threads[number] = Thread(number, title, body, ask.login, labelled, now())
    return ask.hosted.threads[number]


def _edit(thread: Thread, changes: dict[str, Any], kind: str) -> None:
    _refuse_long(changes.get("body"), kind)
    thread.title = changes.get("title", thread.title)
    thread.body = changes.get("body", thread.body)
    thread.state = changes.get("state", thread.state)


def _labelled(hosted: Hosted, names: list[str]) -> list[str]:
    hosted.learn_labels(names)
    return sorted(dict.fromkeys(hosted.labels[name.lower()]["name"] for name in names))


def _refuse_long(text: str | None, kind: str) -> None:
    if text is not None and len(text) > LONGEST_BODY:
        raise _custom(kind, f"body is too long (maximum is {LONGEST_BODY} characters)")


def _invalid(resource: str, *, field: str, code: str) -> Says:
    return Says(422, "Validation Failed", {"resource": resource, "field": field, "code": code})


def _custom(resource: str, message: str) -> Says:
    return Says(422, "Validation Failed", {"resource": resource, "code": "custom", "message": message})


def _merged_tree(hosted: Hosted, base: str, head: str) -> str | None:
    answer = hosted.ask("merge-tree", "--write-tree", "--name-only", "--no-messages", base, head)
    return None if answer.returncode else answer.stdout.decode().split("\n")[0]


def _pull(hosted: Hosted, pull: Thread) -> dict[str, Any]:
    merged = pull.state == "closed" and pull.merge_commit is not None
    return {
        **_common(hosted, pull),
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
        "requested_teams": [_team(name) for name in pull.reviewers if name.startswith("/")],
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


def _issue(hosted: Hosted, thread: Thread) -> dict[str, Any]:
    kind = "pull" if thread.branch else "issues"
    fields = {
        **_common(hosted, thread),
        "url": f"{hosted.api}/issues/{thread.number}",
        "html_url": f"https://github.com/{hosted.name}/{kind}/{thread.number}",
        "comments": len(thread.comments),
    }
    if thread.branch:
        fields["pull_request"] = {"url": f"{hosted.api}/pulls/{thread.number}"}
    return fields


def _common(hosted: Hosted, thread: Thread) -> dict[str, Any]:
    return {
        "number": thread.number,
        "title": thread.title,
        "body": thread.body,
        "state": thread.state,
        "user": {"login": thread.login},
        "labels": [_label(hosted, name) for name in thread.labels],
        "created_at": thread.created_at,
    }


def _label(hosted: Hosted, name: str) -> dict[str, Any]:
    return {**hosted.labels[name.lower()], "url": f"{hosted.api}/labels/{name}", "default": False}


def _review_requested(by: str, name: str) -> dict[str, Any]:
    whom = {"requested_team": _team(name)} if name.startswith("/") else {"requested_reviewer": {"login": name}}
    return {"event": "review_requested", "review_requester": {"login": by}, **whom}


def _team(name: str) -> dict[str, Any]:
    return {"slug": name.removeprefix("/")}


def _comment(text: str) -> dict[str, Any]:
    return {"body": text}


ROUTES: Routes = {
    ("GET", "/pulls"): list_pulls,
    ("POST", "/pulls"): create_pull,
    ("GET", "/pulls/{pull_number}"): one_pull,
    ("PATCH", "/pulls/{pull_number}"): update_pull,
    ("GET", "/pulls/{pull_number}/files"): pull_files,
    ("PUT", "/pulls/{pull_number}/merge"): merge_pull,
    ("POST", "/pulls/{pull_number}/requested_reviewers"): request_reviewers,
    ("GET", "/issues"): list_issues,
    ("POST", "/issues"): create_issue,
    ("GET", "/issues/{issue_number}"): one_issue,
    ("PATCH", "/issues/{issue_number}"): update_issue,
    ("GET", "/issues/{issue_number}/comments"): list_comments,
    ("POST", "/issues/{issue_number}/comments"): create_comment,
    ("GET", "/issues/{issue_number}/events"): list_events,
    ("GET", "/issues/{issue_number}/labels"): list_labels_of,
    ("POST", "/issues/{issue_number}/labels"): add_labels,
    ("DELETE", "/issues/{issue_number}/labels/{name}"): remove_label,
    ("GET", "/labels"): list_labels,
    ("POST", "/labels"): create_label,
}
