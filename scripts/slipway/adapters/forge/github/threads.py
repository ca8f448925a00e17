"""Issues on GitHub, and the comments of issues and pull requests."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.adapters import crash_points
from slipway.adapters.forge import Issue, people_of, refusals
from slipway.adapters.forge.github.answers import Lost, Refused
from slipway.adapters.forge.github.conversation import Conversation
from slipway.errors import ForgeRefused

log = logging.getLogger(__name__)


class GitHubThreads:
    _talk: Conversation

    def open_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """GitHub makes a second issue of a repeated request: where the answer is lost, ours is looked for."""
        refusals.refuse_long(body)
        given = {"title": title, "body": body, "labels": list(labels)}
        try:
            with crash_points.external_write("open-issue"):
                return _issue(self._talk.write("POST", "/issues", given, repeat=False))
        except Lost:
            for issue in self.open_issues():
                if (issue.title, issue.body, set(issue.labels)) == (title, body, set(labels)):
                    return issue
            raise

    def issue(self, number: int) -> Issue:
        fields = self._thread(number)
        if "pull_request" in fields:
            raise ForgeRefused(f"#{number} is a pull request, no issue", mend="look up the number of the issue")
        return _issue(fields)

    def open_issues(self, label: str | None = None) -> Sequence[Issue]:
        only = {} if label is None else {"labels": label}
        found = self._talk.pages("/issues", state="open", sort="created", direction="asc", **only)
        issues = [_issue(fields) for fields in found if "pull_request" not in fields]
        return sorted(issues, key=lambda issue: issue.number)

    def last_issue(self, label: str) -> Issue | None:
        found = self._talk.pages("/issues", state="all", sort="created", direction="desc", labels=label)
        return next((_issue(fields) for fields in found if "pull_request" not in fields), None)

    def update_issue(self, number: int, *, title: str | None = None, body: str | None = None) -> Issue:
        refusals.refuse_long(body)
        there = self.issue(number)
        now = {"title": there.title, "body": there.body}
        wanted = {"title": title, "body": body}
        changes = {name: text for name, text in wanted.items() if text is not None and text != now[name]}
        if not changes:
            return there
        with crash_points.external_write("update-issue"):
            return _issue(self._talk.write("PATCH", f"/issues/{number}", changes, repeat=True))

    def assign(self, number: int, people: Sequence[str]) -> None:
        there = {login.lower() for login in self.issue(number).assignees}
        for login in people_of(people):
            if login.lower() not in there:
                self._assign(number, login)

    def _assign(self, number: int, login: str) -> None:
        """Each by a request of its own: for one that it does not take, GitHub may refuse all, or say nothing."""
        try:
            with crash_points.external_write("assign"):
                body = {"assignees": [login]}
                fields = self._talk.write("POST", f"/issues/{number}/assignees", body, repeat=True)
        except Refused as refused:
            if refused.status not in (403, 422):  # the token may open the issue, so 403 is about this person
                raise
            log.warning("@%s is not assigned to #%s: %s", login, number, refused.said)
            return
        if login.lower() not in {taken.lower() for taken in _issue(fields).assignees}:
            log.warning("@%s is not assigned to #%s: GitHub knows no such person with access", login, number)

    def close_issue(self, number: int, comment: str | None = None) -> None:
        self._turn(number, comment, to="closed", moment="close-issue")

    def reopen_issue(self, number: int, comment: str | None = None) -> None:
        self._turn(number, comment, to="open", moment="reopen-issue")

    def _turn(self, number: int, comment: str | None, *, to: str, moment: str) -> None:
        refusals.refuse_long(comment)
        if self.issue(number).open is (to == "open"):
            return
        if comment is not None:
            self.comment(number, comment)
        with crash_points.external_write(moment):
            self._talk.write("PATCH", f"/issues/{number}", {"state": to}, repeat=True)

    def comment(self, number: int, body: str) -> None:
        refusals.refuse_long(body)
        if body in self.comments(number)[-1:]:
            return
        try:
            with crash_points.external_write("comment"):
                self._talk.write("POST", f"/issues/{number}/comments", {"body": body}, repeat=False)
        except Lost:
            if body not in self.comments(number)[-1:]:
                raise

    def comments(self, number: int) -> Sequence[str]:
        self._thread(number)
        return tuple(str(comment["body"]) for comment in self._talk.pages(f"/issues/{number}/comments"))

    def _thread(self, number: int) -> dict[str, Any]:
        try:
            return dict(self._talk.get(f"/issues/{number}"))
        except Refused as refused:
            if refused.status in (404, 410):
                raise ForgeRefused(f"{self._talk.repository} shows no issue #{number}", mend=refused.mend) from None
            raise


def _issue(fields: Mapping[str, Any]) -> Issue:
    return Issue(
        number=int(fields["number"]),
        title=str(fields["title"]),
        body=fields["body"] or "",
        labels=tuple(str(label["name"]) for label in fields["labels"]),
        open=fields["state"] == "open",
        url=str(fields["html_url"]),
        assignees=tuple(str(person["login"]) for person in fields.get("assignees") or ()),
    )
