"""What a local forge tells of commits, environments and tags, as files.

statuses/<commit>.json            the marks of a commit
deployments/<environment>.jsonl   a line a note, the newest last
releases/<tag>.md                 the notes of a tag under their title
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from slipway.adapters import crash_points, git
from slipway.adapters.forge import LONGEST_DESCRIPTION, Deployment, Status, StatusState, refusals
from slipway.adapters.forge.local.branches import LocalBranches
from slipway.adapters.forge.local.folder import Folder, replace_file
from slipway.errors import ForgeRefused


class LocalAnnouncements(LocalBranches):
    folder: Folder

    def set_status(
        self, commit: str, *, context: str, state: StatusState, description: str, url: str | None = None
    ) -> None:
        self._refuse_unknown(commit)
        with self.folder.lock():
            before = self.statuses(commit)
            marks = {**before, context: Status(state, description[:LONGEST_DESCRIPTION], url)}
            if marks != before:
                written = {name: asdict(mark) for name, mark in marks.items()}
                with crash_points.external_write("set-status"):
                    replace_file(self._status_path(commit), f"{json.dumps(written, indent=2)}\n".encode())

    def statuses(self, commit: str) -> Mapping[str, Status]:
        path = self._status_path(commit)
        marks = json.loads(path.read_bytes()) if path.exists() else {}
        return {context: Status(**mark) for context, mark in marks.items()}

    def record_deployment(self, deployment: Deployment) -> None:
        self._refuse_unknown(deployment.commit)
        with self.folder.lock():
            if self.deployment(deployment.environment) != deployment:
                path = self._deployments_path(deployment.environment)
                before = path.read_bytes() if path.exists() else b""
                note = json.dumps({"commit": deployment.commit, "description": deployment.description})
                with crash_points.external_write("record-deployment"):
                    replace_file(path, before + f"{note}\n".encode())

    def deployment(self, environment: str) -> Deployment | None:
        path = self._deployments_path(environment)
        notes = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return Deployment(environment, **json.loads(notes[-1])) if notes else None

    def publish_release(self, tag: str, *, title: str, body: str) -> str:
        refusals.refuse_long(body)
        self.tag(tag)
        path = self.folder.path / "releases" / f"{_as_name(tag)}.md"
        content = f"# {title}\n\n{body}\n".encode()
        with self.folder.lock():
            if not path.exists() or path.read_bytes() != content:
                with crash_points.external_write("publish-release"):
                    replace_file(path, content)
        return str(path)

    def _refuse_unknown(self, commit: str) -> None:
        answer = git.ask("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", cwd=self.repository)
        if answer.out.decode().strip() != commit:
            raise ForgeRefused(f"`{commit}` is no commit here", mend="push it first, and give its full id")

    def _status_path(self, commit: str) -> Path:
        return self.folder.path / "statuses" / f"{commit}.json"

    def _deployments_path(self, environment: str) -> Path:
        return self.folder.path / "deployments" / f"{_as_name(environment)}.jsonl"


def _as_name(text: str) -> str:
    """One name of a file, another for each text."""
    return quote(text, safe="@")
