"""Where branches, pull requests, issues and commit statuses live: GitHub, or a bare repository on this machine.

The contract is what both can keep: every write is one step for those who watch, and a branch moves only from
where its writer last saw it. `tests/unit/adapters/forge/` holds the same tests for every forge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from slipway.adapters.git import Tag

LONGEST_BODY = 65_536  # characters; GitHub refuses more
LONGEST_DESCRIPTION = 140  # characters of a commit status; longer ones are cut

StatusState = Literal["pending", "success", "failure", "error"]


class PullState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Commit:
    """`ours` says whether Slipway wrote it; a person's commit is never overwritten."""

    id: str
    author: str
    message: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request; `head` is the last commit of its branch, `url` is where a person reads it."""

    number: int
    title: str
    body: str
    branch: str
    base: str
    head: str
    state: PullState
    draft: bool
    labels: tuple[str, ...]
    merge_commit: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Issue:
    """`url` is where a person reads it, `assignees` are names without `@`."""

    number: int
    title: str
    body: str
    labels: tuple[str, ...]
    open: bool
    url: str
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What a commit is marked with, under one name of a check (its context); `url` is where a person reads more."""

    state: StatusState
    description: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A note that an environment runs a commit; `description` says which release that was."""

    environment: str
    commit: str
    description: str


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run that is queued or at work; `title` is the workflow's `run-name`, `url` is where a person reads it."""

    workflow: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run of a workflow that ended; `started` is when its last attempt did, `succeeded` how that ended."""

    id: int
    started: datetime
    succeeded: bool


class Branches(Protocol):
    """Commits without a working tree, as the Git Data API makes them."""

    @property
    def default_branch(self) -> str: ...

    def head(self, branch: str) -> str | None:
        """The last commit of a branch, None where there is no such branch."""

    def read(self, commit: str, path: str) -> bytes | None:
        """One file of a commit, None where it has no such file."""

    def list_files(self, commit: str, under: str = "") -> Mapping[str, str]:
        """Full path → blob id of all files in the folder `under`, at any depth; empty without that folder."""

    def read_blobs(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Blob id → content, for many blobs at once.

        Raises:
            ForgeRefused: one of them is not there.
        """

    def commit(
        self,
        branch: str,
        *,
        onto: str | None,
        changes: Mapping[str, bytes | None],
        message: str,
        parent: str | None = None,
    ) -> str:
        """Add one commit to the branch and return its id.

        Args:
            branch: is created where `onto` is None.
            onto: where the branch was when the caller read it.
            changes: path → new content, None takes the file away.
            parent: what the commit builds on, if it is not `onto`. With `onto` None the branch starts there, and
                without either it starts with no history. With both, the branch is written anew from `parent`.

        Changes that change nothing make no commit: the branch is left, or starts, at what it builds on.

        Raises:
            BranchMoved: the branch is not at `onto` any more, or exists already; nothing was written.
            ForgeRefused: writing anew would lose a commit that Slipway did not make.
        """

    def commits(self, branch: str, *, beyond: str) -> Sequence[Commit]:
        """What the branch has that `beyond` (a branch or a commit) has not, newest first."""

    def tag(self, name: str) -> Tag:
        """A tag as it is on the forge now; a checkout keeps what it fetched, also when the tag was moved since.

        Raises:
            ForgeRefused: there is no such tag, or it names no commit.
        """


class Pulls(Protocol):
    """Pull requests; numbers are shared with issues."""

    def open_pull(
        self,
        *,
        branch: str,
        base: str,
        title: str,
        body: str,
        draft: bool = False,
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
    ) -> Pull:
        """Propose to merge `branch` into `base`, and ask the reviewers (`@user`, `@organisation/team`) for a review.

        A reviewer whom the forge does not take (unknown, without access, or who opens it) is left out and logged:
        a name that left the team must not stop a release.

        Raises:
            ForgeRefused: the branch has an open pull request into that base, does not exist, or has no commit
                that the base lacks; or the body is too long.
        """

    def pull(self, number: int) -> Pull:
        """
        Raises:
            ForgeRefused: no pull request has that number.
        """

    def pull_for(self, branch: str) -> Pull | None:
        """The open pull request of a branch."""

    def last_pull_for(self, branch: str) -> Pull | None:
        """The newest pull request of a branch, open or not."""

    def open_pulls(self) -> Sequence[Pull]:
        """Lowest number first."""

    def update_pull(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        draft: bool | None = None,
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
    ) -> Pull:
        """Change what is given, add the labels that it lacks, ask who was not asked yet, and leave the rest.

        A forge may open, label and ask in steps: who finds its request open gives labels and reviewers again.
        """

    def close_pull(self, number: int, comment: str | None = None) -> None:
        """Close without merging; one that is closed or merged already is left as it is."""

    def merge_pull(self, number: int) -> str:
        """Merge and return the merge commit; merging what is merged returns the same commit again.

        Raises:
            MergeConflict: git cannot merge it by itself; nothing was changed.
            ForgeRefused: it is a draft, or closed.
        """


class Issues(Protocol):
    """Issues and the comments of issues and pull requests."""

    def open_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue: ...

    def issue(self, number: int) -> Issue:
        """
        Raises:
            ForgeRefused: no issue has that number.
        """

    def open_issues(self, label: str | None = None) -> Sequence[Issue]:
        """Lowest number first, without pull requests."""

    def last_issue(self, label: str) -> Issue | None:
        """The newest issue with a label, open or not; no pull request."""

    def update_issue(self, number: int, *, title: str | None = None, body: str | None = None) -> Issue:
        """Change what is given and leave the rest."""

    def assign(self, number: int, people: Sequence[str]) -> None:
        """Assign people (`@user`) to an issue, beside those who are.

        Whom the forge does not take (unknown, without access) is left out and logged: an issue that nobody has is
        better than none. A team (`@organisation/team`) cannot be assigned, and is left out.
        """

    def close_issue(self, number: int, comment: str | None = None) -> None:
        """Comment, then close; a closed one is left as it is."""

    def reopen_issue(self, number: int, comment: str | None = None) -> None:
        """Comment, then open again; an open one is left as it is."""

    def comment(self, number: int, body: str) -> None:
        """Comment on an issue or a pull request; what is the last comment already is not said again."""

    def comments(self, number: int) -> Sequence[str]:
        """Oldest first."""


class Statuses(Protocol):
    """The marks that a commit wears in every list of commits."""

    def set_status(
        self, commit: str, *, context: str, state: StatusState, description: str, url: str | None = None
    ) -> None:
        """Mark a commit; the last mark of a context counts.

        Raises:
            ForgeRefused: there is no such commit.
        """

    def statuses(self, commit: str) -> Mapping[str, Status]:
        """Context → its last mark."""


class Announcements(Protocol):
    """What tells the world that a version runs: deployments and releases."""

    def record_deployment(self, deployment: Deployment) -> None:
        """Note what an environment runs now; what was noted last is not noted again.

        Raises:
            ForgeRefused: there is no such commit.
        """

    def deployment(self, environment: str) -> Deployment | None:
        """What was noted last of an environment."""

    def publish_release(self, tag: str, *, title: str, body: str) -> str:
        """Publish the notes of a tag, or change those that it has; returns where a person reads them.

        Raises:
            ForgeRefused: there is no such tag, or the body is too long.
        """


class Workflows(Protocol):
    """What runs by itself: on GitHub, files under .github/workflows."""

    def runs_under_way(self, workflow: str) -> Sequence[WorkflowRun]:
        """Those that are queued or at work; none where a forge runs nothing by itself."""

    def last_run(self, workflow: str, *, commit: str) -> EndedRun | None:
        """The newest that a pull request started for its head, once it ended; None where none did."""

    def run_again(self, run: int) -> None:
        """Let all jobs of a run, by its id, be done anew; what requires its checks waits for them.

        Raises:
            ForgeRefused: it is too old, or was run again too often.
        """

    def dispatch_workflow(self, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow by its file's name, as of the branch `ref`.

        Raises:
            ForgeRefused: there is no such workflow, or it does not take these inputs.
        """


class Forge(Branches, Pulls, Issues, Statuses, Announcements, Workflows, Protocol):
    """All of it."""


def people_of(owners: Iterable[str]) -> tuple[str, ...]:
    """The names, without `@`, of those who can be assigned: a team has a slash."""
    return tuple(dict.fromkeys(owner.removeprefix("@") for owner in owners if "/" not in owner))
