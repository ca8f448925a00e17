"""GitHub as a forge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from slipway.adapters import crash_points
from slipway.adapters.forge import LONGEST_DESCRIPTION, Status, StatusState
from slipway.adapters.forge.address import API
from slipway.adapters.forge.github.conversation import Conversation, Pace, named
from slipway.adapters.forge.github.objects import Objects
from slipway.adapters.forge.github.pulls import GitHubPulls
from slipway.errors import ForgeRefused

__all__ = ["GitHubForge", "Pace"]

_USUAL = Pace()
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitHubForge(GitHubPulls):
    """`repository` is `owner/name`; without a token only what is public can be read.

    Files that the clone `checkout` holds are read from there: an id of git is the digest of its content.
    """

    def __init__(
        self,
        repository: str,
        *,
        api: str = API,
        token: str | None = None,
        pace: Pace = _USUAL,
        checkout: Path | None = None,
    ) -> None:
        self._talk = Conversation(repository, api=api, token=token, pace=pace)
        self._objects = Objects(self._talk, checkout=checkout)

    def set_status(self, commit: str, *, context: str, state: StatusState, description: str) -> None:
        wanted = Status(state, description[:LONGEST_DESCRIPTION])
        if self.statuses(commit).get(context) != wanted:
            body = {"state": state, "context": context, "description": wanted.description}
            with crash_points.external_write("set-status"):
                self._talk.write("POST", f"/statuses/{commit}", body, repeat=True)

    def statuses(self, commit: str) -> Mapping[str, Status]:
        if not _COMMIT.fullmatch(commit):
            raise ForgeRefused(f"`{commit}` is no full id of a commit", mend="give all of its id: git rev-parse")
        marks: dict[str, Status] = {}
        for mark in self._talk.pages(f"/commits/{commit}/statuses"):  # newest first
            marks.setdefault(str(mark["context"]), Status(mark["state"], mark["description"] or ""))
        return marks

    def dispatch_workflow(self, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow by its file's name, as of the branch `ref`.

        Raises:
            ForgeRefused: there is no such workflow there, or it does not take these inputs.
            Unreachable: nobody knows whether it starts; it is not asked for twice.
        """
        body = {"ref": ref, "inputs": dict(inputs)}
        with crash_points.external_write("dispatch-workflow"):
            self._talk.write("POST", f"/actions/workflows/{named(workflow)}/dispatches", body, repeat=False)
