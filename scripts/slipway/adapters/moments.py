"""What a branch of a clone named at some moment, and whether the clone can know."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from slipway.adapters import git


def find_commit(repository: Path, name: str) -> str | None:
    """As `commit_of`; None where nothing of that name is a commit."""
    answer = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=repository)
    return None if answer.code else answer.out.decode().strip()


def find_commit_before(repository: Path, name: str, moment: datetime) -> str | None:
    """The newest commit of a branch, merges taken as one, that was made by `moment`; None where none was."""
    if find_commit(repository, name) is None:
        return None
    when = f"--before={int(moment.timestamp())}"
    return git.run("rev-list", "-1", "--first-parent", when, name, "--", cwd=repository).decode().strip() or None


def is_shallow(repository: Path) -> bool:
    """Whether history ends here where it does not end there."""
    return git.run("rev-parse", "--is-shallow-repository", cwd=repository).decode().strip() == "true"


def made_at(repository: Path, commit: str) -> str:
    """When a commit was made, in UTC, as `2026-03-07 05:17 UTC`."""
    seconds = git.run("show", "--no-patch", "--format=%ct", commit, cwd=repository).decode().strip()
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"
