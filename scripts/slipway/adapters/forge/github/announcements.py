"""What GitHub tells of commits, environments and tags: statuses, deployments and releases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slipway.adapters import crash_points
from slipway.adapters.forge import LONGEST_DESCRIPTION, Deployment, Status, StatusState, refusals
from slipway.adapters.forge.github.answers import Lost, Refused
from slipway.adapters.forge.github.branches import GitHubBranches
from slipway.adapters.forge.github.conversation import named
from slipway.errors import ForgeRefused

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TASK = "slipway"  # tells our deployments from those that jobs with an `environment:` leave


class GitHubAnnouncements(GitHubBranches):
    def set_status(
        self, commit: str, *, context: str, state: StatusState, description: str, url: str | None = None
    ) -> None:
        wanted = Status(state, description[:LONGEST_DESCRIPTION], url)
        if self.statuses(commit).get(context) != wanted:
            body = {"state": state, "context": context, "description": wanted.description}
            body |= {"target_url": url} if url else {}
            with crash_points.external_write("set-status"):
                self._talk.write("POST", f"/statuses/{commit}", body, repeat=True)

    def statuses(self, commit: str) -> Mapping[str, Status]:
        _refuse_short(commit)
        marks: dict[str, Status] = {}
        for mark in self._talk.pages(f"/commits/{commit}/statuses"):  # newest first
            marks.setdefault(str(mark["context"]), _status(mark))
        return marks

    def record_deployment(self, deployment: Deployment) -> None:
        """A deployment and its status `success`, by which the earlier ones of the environment become inactive."""
        _refuse_short(deployment.commit)
        noted = self._last_noted(deployment.environment)
        if noted is None or _deployment(noted) != deployment:
            noted = self._note(deployment)
        if not self._succeeded(noted):
            self._succeed(noted)

    def deployment(self, environment: str) -> Deployment | None:
        noted = self._last_noted(environment)
        return None if noted is None else _deployment(noted)

    def publish_release(self, tag: str, *, title: str, body: str) -> str:
        refusals.refuse_long(body)
        self._existing_tag(tag)  # GitHub makes the tag that it lacks, on the default branch
        there = self._release(tag) or self._create_release({"tag_name": tag, "name": title, "body": body})
        wanted = {"name": title, "body": body}
        changes = {name: text for name, text in wanted.items() if text != (there[name] or "")}
        if changes:
            with crash_points.external_write("publish-release"):
                self._talk.write("PATCH", f"/releases/{there['id']}", changes, repeat=True)
        return str(there["html_url"])

    def _last_noted(self, environment: str) -> Mapping[str, Any] | None:
        newest = self._talk.get("/deployments", environment=environment, task=_TASK, per_page=1)
        return newest[0] if newest else None

    def _note(self, deployment: Deployment) -> Mapping[str, Any]:
        """GitHub makes a second deployment of a repeated request: where the answer is lost, ours is looked for."""
        given = {
            "ref": deployment.commit,
            "task": _TASK,
            "environment": deployment.environment,
            "description": deployment.description,
            "auto_merge": False,  # note what runs, and merge nothing into it
            "required_contexts": [],  # it runs already, whatever the checks of its commit say
        }
        try:
            with crash_points.external_write("record-deployment"):
                return dict(self._talk.write("POST", "/deployments", given, repeat=False))
        except Lost:
            noted = self._last_noted(deployment.environment)
            if noted is None or _deployment(noted) != deployment:
                raise
            return noted

    def _succeeded(self, noted: Mapping[str, Any]) -> bool:
        return any(mark["state"] == "success" for mark in self._talk.pages(f"/deployments/{noted['id']}/statuses"))

    def _succeed(self, noted: Mapping[str, Any]) -> None:
        try:
            with crash_points.external_write("mark-deployment"):
                self._talk.write("POST", f"/deployments/{noted['id']}/statuses", {"state": "success"}, repeat=False)
        except Lost:
            if not self._succeeded(noted):
                raise

    def _release(self, tag: str) -> dict[str, Any] | None:
        try:
            return dict(self._talk.get(f"/releases/tags/{named(tag)}"))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def _create_release(self, given: Mapping[str, str]) -> dict[str, Any]:
        """A second one of a tag is refused; then the first is there."""
        try:
            with crash_points.external_write("publish-release"):
                return dict(self._talk.write("POST", "/releases", given, repeat=True))
        except Refused:
            there = self._release(given["tag_name"])
            if there is None:
                raise
            return there


def _status(mark: Mapping[str, Any]) -> Status:
    return Status(mark["state"], mark["description"] or "", mark["target_url"] or None)


def _deployment(noted: Mapping[str, Any]) -> Deployment:
    return Deployment(str(noted["environment"]), str(noted["sha"]), noted["description"] or "")


def _refuse_short(commit: str) -> None:
    if not _COMMIT.fullmatch(commit):
        raise ForgeRefused(f"`{commit}` is no full id of a commit", mend="give all of its id: git rev-parse")
