"""GitHub as a forge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from slipway.adapters import crash_points
from slipway.adapters.forge import EndedRun, WorkflowRun
from slipway.adapters.forge.address import API
from slipway.adapters.forge.github.announcements import GitHubAnnouncements
from slipway.adapters.forge.github.conversation import Conversation, Pace, named
from slipway.adapters.forge.github.objects import Objects
from slipway.adapters.forge.github.pulls import GitHubPulls

__all__ = ["GitHubForge", "Pace"]

_USUAL = Pace()
_UNDER_WAY = ("requested", "waiting", "pending", "queued", "in_progress")


class GitHubForge(GitHubPulls, GitHubAnnouncements):
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

    def runs_under_way(self, workflow: str) -> Sequence[WorkflowRun]:
        """Lowest id first; asked for in the order of a run's life, so that one that moves on meanwhile is seen.

        Raises:
            ForgeRefused: there is no such workflow.
        """
        path = f"/actions/workflows/{named(workflow)}/runs"
        found = {
            int(run["id"]): WorkflowRun(workflow, str(run["display_title"]), str(run["html_url"]))
            for status in _UNDER_WAY
            for run in self._talk.pages(path, inside="workflow_runs", status=status)
        }
        return [found[number] for number in sorted(found)]

    def last_run(self, workflow: str, *, commit: str) -> EndedRun | None:
        """One that waits for an approval, or was cancelled, says nothing.

        Raises:
            ForgeRefused: there is no such workflow.
        """
        path = f"/actions/workflows/{named(workflow)}/runs"
        which: dict[str, str | int] = {
            "head_sha": commit,
            "event": "pull_request",
            "status": "completed",
            "per_page": 1,
        }
        for run in self._talk.get(path, **which)["workflow_runs"]:
            if run["conclusion"] in ("success", "failure"):
                started = datetime.fromisoformat(run["run_started_at"])
                return EndedRun(int(run["id"]), started, succeeded=run["conclusion"] == "success")
        return None

    def run_again(self, run: int) -> None:
        """
        Raises:
            ForgeRefused: it is older than 30 days, or was run again 50 times.
            Unreachable: nobody knows whether it starts; it is not asked for twice.
        """
        with crash_points.external_write("run-again"):
            self._talk.write("POST", f"/actions/runs/{run}/rerun", repeat=False)

    def dispatch_workflow(self, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow by its file's name, as of the branch `ref`.

        Raises:
            ForgeRefused: there is no such workflow there, or it does not take these inputs.
            Unreachable: nobody knows whether it starts; it is not asked for twice.
        """
        body = {"ref": ref, "inputs": dict(inputs)}
        with crash_points.external_write("dispatch-workflow"):
            self._talk.write("POST", f"/actions/workflows/{named(workflow)}/dispatches", body, repeat=False)
