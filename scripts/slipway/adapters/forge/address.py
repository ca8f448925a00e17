"""Which repository on GitHub a checkout belongs to, and with which token it is spoken to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_ORIGIN = re.compile(
    r"(?:https://(?:[^@/]*@)?github\.com/|ssh://git@(?:ssh\.)?github\.com(?::443)?/|git@github\.com:)"
    r"(?P<repository>[A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
API = "https://api.github.com"


def repository_of(root: Path, origin: str | None, environment: Mapping[str, str]) -> str | None:
    """`owner/name`, or None where the checkout is not of GitHub.

    On a runner, GITHUB_REPOSITORY speaks of the checkout in GITHUB_WORKSPACE, whatever its origin is; another
    repository that a job makes for itself, such as a demo's, is its own.
    """
    workspace = environment.get("GITHUB_WORKSPACE")
    if (given := environment.get("GITHUB_REPOSITORY")) and (
        not workspace or Path(workspace).resolve() == root.resolve()
    ):
        return given
    match = _ORIGIN.fullmatch(origin or "")
    return match["repository"] if match else None


def token_of(environment: Mapping[str, str]) -> str | None:
    """A GitHub App's where given: pull requests by GITHUB_TOKEN wait for somebody to approve their workflows."""
    return environment.get("SLIPWAY_APP_TOKEN") or environment.get("GITHUB_TOKEN") or None


def opener_of(repository: str | None, environment: Mapping[str, str]) -> str:
    """Who opens a pull request, for its reader: it decides whether the checks of the request start."""
    if repository is None:
        return "slipway on this machine"
    if environment.get("SLIPWAY_APP_TOKEN") or environment.get("SLIPWAY_APP_CLIENT_ID"):
        return "the GitHub App: checks start by themselves"
    if environment.get("GITHUB_ACTIONS") == "true":
        return "GITHUB_TOKEN: checks wait until somebody approves them"
    return "slipway with a person's token"


def web_of(repository: str | None, environment: Mapping[str, str]) -> str | None:
    """Where people read the repository in a browser; None where it is on this machine alone."""
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    return f"{server}/{repository}" if repository else None


def api_of(environment: Mapping[str, str]) -> str:
    return environment.get("GITHUB_API_URL") or API
