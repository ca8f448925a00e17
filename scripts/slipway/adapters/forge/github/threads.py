"""Issues on GitHub, and the comments of issues and pull requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slipway.adapters import crash_points
from slipway.adapters.forge import Issue, refuse_long
from slipway.adapters.forge.github.answers import Lost, Refused
from slipway.adapters.forge.github.conversation import Conversation
from slipway.errors import ForgeRefused


class GitHubThreads:
    _talk: Conversation

    def open_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """GitHub makes a second issue of a repeated request: where the answer is lost, ours is looked for."""
        refuse_long(body)
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

    def update_issue(self, number: int, *, title: str | None = None, body: str | None = None) -> Issue:
        refuse_long(body)
        there = self.issue(number)
        now = {"title": there.title, "body": there.body}
        wanted = {"title": title, "body": body}
        changes = {name: text for name, text in wanted.items() if text is not None and text != now[name]}
        if not changes:
            return there
        with crash_points.external_write("update-issue"):
            return _issue(self._talk.write("PATCH", f"/issues/{number}", changes, repeat=True))

    def close_issue(self, number: int, comment: str | None = None) -> None:
        refuse_long(comment)
        if self.issue(number).open:
            if comment is not None:
                self.comment(number, comment)
            with crash_points.external_write("close-issue"):
                self._talk.write("PATCH", f"/issues/{number}", {"state": "closed"}, repeat=True)

    def comment(self, number: int, body: str) -> None:
        refuse_long(body)
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
    )
