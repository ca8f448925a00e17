"""What the stand-in knows of one repository: a bare git repository, and beside it what git does not know."""

from __future__ import annotations

import datetime
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.github_stand_in.switches import Switches

WEB_FLOW = ("GitHub", "noreply@github.com")


class Says(Exception):
    """An answer that is an error, in GitHub's words."""

    def __init__(self, status: int, message: str, *errors: dict[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass(slots=True)
class Thread:
    """An issue; with `branch` and `base` a pull request, for they share their numbers."""

    number: int
    title: str
    body: str | None
    login: str
    labels: list[str]
    created_at: str
    state: str = "open"
    comments: list[str] = field(default_factory=list)
    branch: str = ""
    base: str = ""
    draft: bool = False
    head: str = ""  # the last that was seen, for when the branch is gone
    base_head: str = ""
    merge_commit: str | None = None
    reviewers: list[str] = field(default_factory=list)  # asked now; a team as `/slug`
    asked: list[str] = field(default_factory=list)  # ever, in order
    assignees: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Hosted:
    """`path` is the bare repository, `name` its `owner/name`, `url` where the API is served."""

    path: Path
    name: str
    url: str = ""
    threads: dict[int, Thread] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    releases: list[dict[str, Any]] = field(default_factory=list)
    dispatches: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)  # whom GitHub neither asks nor assigns; a team as `/slug`
    switches: Switches = field(default_factory=Switches)
    most_entries: int = 100_000  # a listing of a tree is cut there
    drafts_allowed: bool = True
    graphql_allowed: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def api(self) -> str:
        return f"{self.url}/repos/{self.name}"

    @property
    def owner(self) -> str:
        return self.name.split("/")[0]

    @property
    def default_branch(self) -> str:
        return (self.path / "HEAD").read_text().strip().removeprefix("ref: refs/heads/")

    def ask(
        self, *arguments: str, stdin: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            env={**os.environ, "GIT_DIR": str(self.path), "LC_ALL": "C", **environment},
            check=False,
        )

    def git(self, *arguments: str, stdin: bytes | None = None, **environment: str) -> bytes:
        answer = self.ask(*arguments, stdin=stdin, **environment)
        if answer.returncode:
            raise Says(422, f"git {arguments[0]}: {answer.stderr.decode(errors='replace').strip()}")
        return answer.stdout

    def line(self, *arguments: str) -> str:
        return self.git(*arguments).decode().strip()

    def head(self, branch: str) -> str | None:
        return self.find(f"refs/heads/{branch}", "commit")

    def find(self, name: str, kind: str) -> str | None:
        """The id of an object of a kind by any of its names; None where there is none."""
        answer = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{{kind}}}")
        return None if answer.returncode else answer.stdout.decode().strip()

    def blob_at(self, tree: str, path: str) -> str | None:
        answer = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{tree}:{path}")
        return None if answer.returncode else self.find(answer.stdout.decode().strip(), "blob")

    def commit_of(self, name: str) -> str | None:
        """A branch comes before a tag of its name, and both before what else git understands."""
        return self.head(name) or self.find(f"refs/tags/{name}", "commit") or self.find(name, "commit")

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return not self.ask("merge-base", "--is-ancestor", ancestor, descendant).returncode

    def write_commit(
        self, tree: str, parents: list[str], message: str, *, author: tuple[str, str], committer: tuple[str, str]
    ) -> str:
        flags = [flag for parent in parents for flag in ("-p", parent)]
        who = {"AUTHOR": author, "COMMITTER": committer}
        names = {
            f"GIT_{role}_{part}": each[at] for role, each in who.items() for at, part in enumerate(("NAME", "EMAIL"))
        }
        return self.git("commit-tree", *flags, tree, stdin=message.encode(), **names).decode().strip()

    def next_number(self) -> int:
        return max(self.threads, default=0) + 1

    def add_run(self, workflow: str, *, title: str, status: str = "queued", **more: str) -> int:
        """Let a run of a workflow be there; a dispatch alone makes none, for only act runs something.

        `more` are its `head_sha`, `event`, `conclusion` and `run_started_at`.
        """
        self.runs.append({"id": len(self.runs) + 1, "workflow": workflow, "title": title, "status": status, **more})
        return len(self.runs)

    def learn_labels(self, names: list[str]) -> None:
        """An issue with a label that is not there yet makes it."""
        for name in names:
            self.labels.setdefault(name.lower(), {"id": len(self.labels) + 1, "name": name, "color": "ededed"})


def now() -> str:
    return datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bot(login: str) -> tuple[str, str]:
    """Name and email of the user whom a token speaks for."""
    return login, f"1+{login}@users.noreply.github.com"
