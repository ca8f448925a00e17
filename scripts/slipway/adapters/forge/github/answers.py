"""What GitHub's refusals mean, and what mends them."""

from __future__ import annotations

import json
from typing import Any

from github import GithubException
from github.Requester import Requester

from slipway.errors import BranchMoved, ForgeRefused, Unreachable

GRAPHQL = 400  # what PyGithub calls the status of a mutation that GraphQL answered with errors
_MINUTE = 60.0
_EMPTY = "Git Repository is empty."
_RIGHTS = (
    "the job needs `permissions:` contents, pull-requests, issues, statuses and deployments: write, "
    "or the GitHub App these rights in this repository"
)


class Refused(ForgeRefused):
    """GitHub said no; `said` is its reason in its words."""

    def __init__(self, problem: str, *, mend: str, status: int, said: str) -> None:
        super().__init__(problem, mend=mend)
        self.status = status
        self.said = said


class Changed(BranchMoved):
    """GitHub answered that what we wrote to is not what we read."""

    def __init__(self, problem: str, *, mend: str, said: str) -> None:
        super().__init__(problem, mend=mend)
        self.status = 409
        self.said = said


class Lost(Unreachable):
    """The answer did not arrive: nobody knows whether GitHub did what was asked."""


class Busy(Unreachable):
    """GitHub did nothing and wants to be asked later; `wait` is what it named, in seconds."""

    def __init__(self, what: str, repository: str, *, wait: float | None) -> None:
        when = "in a minute" if wait is None else f"in {wait:,.0f} seconds"
        super().__init__(f"GitHub is not to be reached for {repository} ({what})", mend=f"run again {when}")
        self.wait = wait


def lost(what: str, repository: str, how: str) -> Lost:
    return Lost(f"GitHub did not answer for {repository} ({what}: {how})", mend="run again: what was done is found")


def wait_of(error: GithubException, *, now: float) -> float | None:
    """Seconds to wait where the answer is a rate limit; None: it is another refusal."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    limited = error.status == 429 or (error.status == 403 and _is_limit(error, headers))
    if not limited:
        return None
    if headers.get("retry-after", "").isdigit():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(float(headers["x-ratelimit-reset"]) - now, 0.0) + 1.0
    return _MINUTE


def refusal(error: GithubException, what: str, repository: str, *, token: str | None) -> Refused | Changed:
    said = _said(error.data)
    if token:
        said = said.replace(token, "***")
    problem = f"GitHub refuses for {repository} ({what}): {error.status} {said}"
    if error.status == 409 and said != _EMPTY:
        return Changed(problem, mend="somebody else wrote at the same moment: run again", said=said)
    return Refused(problem, mend=_mend(error.status, said, token), status=error.status, said=said)


def _mend(status: int, said: str, token: str | None) -> str:
    if token is None and status in (401, 403, 404):
        return "give a token: SLIPWAY_APP_TOKEN or GITHUB_TOKEN, on a laptop `export GITHUB_TOKEN=$(gh auth token)`"
    if status == 401:
        return "the token has expired or is none: give a new one as SLIPWAY_APP_TOKEN or GITHUB_TOKEN"
    if status == 403:
        return _RIGHTS
    if status == 404:
        return f"run again; if it stays so, the token may not see it: {_RIGHTS}"
    if said == _EMPTY:
        return "push a first commit to the default branch"
    return "do what GitHub says, then run again"


def _is_limit(error: GithubException, headers: dict[str, str]) -> bool:
    message = error.data.get("message") if isinstance(error.data, dict) else None
    return (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or bool(Requester.isRateLimitError(message or ""))
    )


def _said(data: Any) -> str:
    """The message and the single errors, of REST or of GraphQL."""
    if not isinstance(data, dict):
        return str(data)
    errors = data.get("errors") or []
    parts = [str(data.get("message") or ""), *(_one(error) for error in errors)]
    return "; ".join(part for part in parts if part) or "without a reason"


def _one(error: Any) -> str:
    if isinstance(error, dict):
        about = {name: error[name] for name in ("resource", "field", "code") if name in error}
        return str(error.get("message") or json.dumps(about))
    return str(error)
