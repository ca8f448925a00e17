"""The two failures that the server expects: a request that it does not answer, and a start that cannot succeed."""

from __future__ import annotations

from serving.causes import Unanswered


class RequestRefused(Exception):
    """A request that is not answered; `reason` names field and mend, `cause` is one word for the count of errors."""

    def __init__(self, reason: str, *, status: int = 400, cause: Unanswered = "malformed") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.cause = cause


class CannotStart(Exception):
    """A model or an option with which no server can run; the process says why and leaves with code 2."""

    def __init__(self, problem: str, *, mend: str) -> None:
        super().__init__(f"{problem}\n  mend: {mend}")
