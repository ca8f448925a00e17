"""Issues, comments and labels, and what pull requests share with issues."""

from __future__ import annotations

import re
from typing import Any

from tests.github_stand_in.asking import Answer, Ask, Routes
from tests.github_stand_in.store import Hosted, Says, Thread, now

LONGEST_BODY = 65_536
_LONGEST_TITLE = 256
_LONGEST_DESCRIPTION = 100  # of a label
_MOST_ASSIGNEES = 10


def list_events(ask: Ask) -> Answer:
    """Of all that happens, the requests for reviews."""
    thread = known(ask, "issue_number")
    return Answer(200, [_review_requested(thread.login, name) for name in thread.asked])


def list_issues(ask: Ask) -> Answer:
    """Pull requests are issues too; with several labels, an issue has all of them."""
    wanted = {label.lower() for label in ask.query.get("labels", "").split(",") if label}
    found = [thread for thread in shown(ask) if wanted <= {label.lower() for label in thread.labels}]
    return Answer(200, [_issue(ask.hosted, thread) for thread in found])


def create_issue(ask: Ask) -> Answer:
    issue = opened(ask, labels=list(ask.body.get("labels", [])), kind="Issue")
    return Answer(201, _issue(ask.hosted, issue))


def one_issue(ask: Ask) -> Answer:
    return Answer(200, _issue(ask.hosted, known(ask, "issue_number")))


def update_issue(ask: Ask) -> Answer:
    issue = known(ask, "issue_number")
    edit(issue, ask.body, "Issue")
    if "labels" in ask.body:
        issue.labels = _labelled(ask.hosted, ask.body["labels"])
    return Answer(200, _issue(ask.hosted, issue))


def add_assignees(ask: Ask) -> Answer:
    """Whom GitHub does not take is left out without a word; at most ten are assigned."""
    issue = known(ask, "issue_number")
    taken = [name for name in ask.body.get("assignees", []) if name not in ask.hosted.strangers]
    issue.assignees = list(dict.fromkeys([*issue.assignees, *taken]))[:_MOST_ASSIGNEES]
    return Answer(201, _issue(ask.hosted, issue))


def list_comments(ask: Ask) -> Answer:
    return Answer(200, [_comment(text) for text in known(ask, "issue_number").comments])


def create_comment(ask: Ask) -> Answer:
    thread = known(ask, "issue_number")
    _refuse_long(ask.body["body"], "IssueComment")
    if not ask.body["body"].strip():
        raise custom("IssueComment", "Body cannot be blank")
    thread.comments.append(ask.body["body"])
    return Answer(201, _comment(ask.body["body"]))


def list_labels_of(ask: Ask) -> Answer:
    return Answer(200, [_label(ask.hosted, name) for name in known(ask, "issue_number").labels])


def add_labels(ask: Ask) -> Answer:
    thread = known(ask, "issue_number")
    names: Any = ask.body["labels"] if isinstance(ask.body, dict) else ask.body
    thread.labels = _labelled(ask.hosted, [*thread.labels, *names])
    return Answer(200, [_label(ask.hosted, name) for name in thread.labels])


def remove_label(ask: Ask) -> Answer:
    thread = known(ask, "issue_number")
    if ask.path["name"] not in thread.labels:
        raise Says(404, "Label does not exist")
    thread.labels.remove(ask.path["name"])
    return Answer(200, [_label(ask.hosted, name) for name in thread.labels])


def list_labels(ask: Ask) -> Answer:
    return Answer(200, [_label(ask.hosted, name) for name in ask.hosted.labels])


def create_label(ask: Ask) -> Answer:
    name = ask.body["name"]
    if name.lower() in ask.hosted.labels:
        raise invalid("Label", field="name", code="already_exists")
    if not re.fullmatch(r"[0-9a-fA-F]{6}", color := ask.body.get("color", "ededed")):
        raise invalid("Label", field="color", code="invalid")
    if len(description := ask.body.get("description") or "") > _LONGEST_DESCRIPTION:
        raise custom("Label", f"description is too long (maximum is {_LONGEST_DESCRIPTION} characters)")
    number = len(ask.hosted.labels) + 1
    ask.hosted.labels[name.lower()] = {"id": number, "name": name, "color": color, "description": description or None}
    return Answer(201, _label(ask.hosted, name))


def shown(ask: Ask) -> list[Thread]:
    """What a list shows, newest first unless asked for otherwise."""
    state = ask.query.get("state", "open")
    threads = [refreshed(ask.hosted, thread) for _, thread in sorted(ask.hosted.threads.items())]
    shown = [thread for thread in threads if state in ("all", thread.state)]
    return shown if ask.query.get("direction") == "asc" else shown[::-1]


def known(ask: Ask, part: str, *, pull: bool = False) -> Thread:
    thread = ask.hosted.threads.get(ask.number(part))
    if thread is None or (pull and not thread.branch):
        raise Says(404, "Not Found")
    return refreshed(ask.hosted, thread)


def refreshed(hosted: Hosted, thread: Thread) -> Thread:
    """A pull request follows its branch; a push that holds it merges it, and a branch that is gone closes it."""
    if thread.branch and thread.state == "open":
        head, base = hosted.head(thread.branch), hosted.head(thread.base)
        thread.head, thread.base_head = head or thread.head, base or thread.base_head
        if head is None or base is None:
            thread.state = "closed"
        elif hosted.is_ancestor(head, base):
            thread.state, thread.merge_commit = "closed", base
    return thread


def opened(ask: Ask, *, labels: list[str], kind: str) -> Thread:
    title, body = ask.body["title"], ask.body.get("body")
    if not str(title).strip():
        raise invalid(kind, field="title", code="missing_field")
    if len(str(title)) > _LONGEST_TITLE:
        raise custom(kind, f"title is too long (maximum is {_LONGEST_TITLE} characters)")
    _refuse_long(body, kind)
    number = ask.hosted.next_number()
    labelled = _labelled(ask.hosted, labels)
    ask.hosted.threads[number] = Thread(number, title, body, ask.login, labelled, now())
    return ask.hosted.threads[number]


def edit(thread: Thread, changes: dict[str, Any], kind: str) -> None:
    _refuse_long(changes.get("body"), kind)
    thread.title = changes.get("title", thread.title)
    thread.body = changes.get("body", thread.body)
    thread.state = changes.get("state", thread.state)


def _labelled(hosted: Hosted, names: list[str]) -> list[str]:
    hosted.learn_labels(names)
    return sorted(dict.fromkeys(hosted.labels[name.lower()]["name"] for name in names))


def _refuse_long(text: str | None, kind: str) -> None:
    if text is not None and len(text) > LONGEST_BODY:
        raise custom(kind, f"body is too long (maximum is {LONGEST_BODY} characters)")


def invalid(resource: str, *, field: str, code: str) -> Says:
    return Says(422, "Validation Failed", {"resource": resource, "field": field, "code": code})


def custom(resource: str, message: str) -> Says:
    return Says(422, "Validation Failed", {"resource": resource, "code": "custom", "message": message})


def _issue(hosted: Hosted, thread: Thread) -> dict[str, Any]:
    kind = "pull" if thread.branch else "issues"
    fields = {
        **common_fields(hosted, thread),
        "url": f"{hosted.api}/issues/{thread.number}",
        "html_url": f"https://github.com/{hosted.name}/{kind}/{thread.number}",
        "comments": len(thread.comments),
    }
    if thread.branch:
        fields["pull_request"] = {"url": f"{hosted.api}/pulls/{thread.number}"}
    return fields


def common_fields(hosted: Hosted, thread: Thread) -> dict[str, Any]:
    return {
        "number": thread.number,
        "title": thread.title,
        "body": thread.body,
        "state": thread.state,
        "user": {"login": thread.login},
        "labels": [_label(hosted, name) for name in thread.labels],
        "assignees": [{"login": name} for name in thread.assignees],
        "created_at": thread.created_at,
    }


def _label(hosted: Hosted, name: str) -> dict[str, Any]:
    return {**hosted.labels[name.lower()], "url": f"{hosted.api}/labels/{name}", "default": False}


def _review_requested(by: str, name: str) -> dict[str, Any]:
    whom = {"requested_team": team_fields(name)} if name.startswith("/") else {"requested_reviewer": {"login": name}}
    return {"event": "review_requested", "review_requester": {"login": by}, **whom}


def team_fields(name: str) -> dict[str, Any]:
    return {"slug": name.removeprefix("/")}


def _comment(text: str) -> dict[str, Any]:
    return {"body": text}


ROUTES: Routes = {
    ("GET", "/issues"): list_issues,
    ("POST", "/issues"): create_issue,
    ("GET", "/issues/{issue_number}"): one_issue,
    ("PATCH", "/issues/{issue_number}"): update_issue,
    ("POST", "/issues/{issue_number}/assignees"): add_assignees,
    ("GET", "/issues/{issue_number}/comments"): list_comments,
    ("POST", "/issues/{issue_number}/comments"): create_comment,
    ("GET", "/issues/{issue_number}/events"): list_events,
    ("GET", "/issues/{issue_number}/labels"): list_labels_of,
    ("POST", "/issues/{issue_number}/labels"): add_labels,
    ("DELETE", "/issues/{issue_number}/labels/{name}"): remove_label,
    ("GET", "/labels"): list_labels,
    ("POST", "/labels"): create_label,
}
