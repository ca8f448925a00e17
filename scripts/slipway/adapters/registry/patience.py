"""How long a registry that is busy is waited for."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar

from slipway.adapters.registry.connections import Broken, Response

Result = TypeVar("Result")
_LONGEST_REASON = 4096  # bytes of a refusal that are read
_LONGEST_WAIT = 60.0  # seconds; a registry that asks for more is not waited for longer


class Patience(NamedTuple):
    """How often and how long to try; times in seconds."""

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 20.0
    connect: float = 10.0
    silence: float = 60.0


class Busy(Exception):
    """A registry that says `later`; `wait` is what it asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None) -> None:
        super().__init__(reason)
        self.wait = wait


def keep_trying(work: Callable[[], Result], *, patience: Patience) -> Result:
    """Do the work, all of it again while it is `Busy` or the connection breaks; the last failure is raised."""
    try:
        return work()
    except (Busy, Broken) as problem:
        return _try_again(work, problem, patience)


def _try_again(work: Callable[[], Result], failure: Busy | Broken, patience: Patience) -> Result:
    import stamina  # noqa: PLC0415 - longer to load than most registries take to answer, and most are not busy

    failed: list[Exception] = [failure]
    for attempt in stamina.retry_context(
        on=_wait_before_retry,
        attempts=patience.attempts,
        timeout=None,
        wait_initial=patience.first_wait,
        wait_max=patience.longest_wait,
        wait_jitter=patience.first_wait,
    ):
        with attempt:
            if failed:  # the first attempt was made before
                raise failed.pop()
            return work()
    raise AssertionError("stamina returns or raises")


def refuse_busy(response: Response) -> None:
    """Raise `Busy` for the answers that may be another one later: 429 and 5xx."""
    if response.status == 429 or response.status >= 500:
        raise Busy(said(response), retry_after(response.headers.get("retry-after", "")))


def said(response: Response) -> str:
    """What a registry gives as its reason: the status and the errors of its JSON, cut to a line."""
    try:
        reasons = reasons_in(response.start(_LONGEST_REASON))
    except Broken:
        reasons = ""
    return f"HTTP {response.status} {reasons}".strip()


def reasons_in(content: bytes) -> str:
    """Read the body of an error (OCI distribution specification 1.1, "Error codes"); what is none says nothing."""
    try:
        reasons = "; ".join(map(_reason, json.loads(content)["errors"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in reasons)[:200].strip()


def _reason(error: dict[str, Any]) -> str:
    words = (error["code"], error.get("message", ""), _system_error(error.get("detail")))
    return " ".join(str(word) for word in words if word)


def _system_error(detail: Any) -> str:
    """Distribution, the registry that most others are made of, tells a failure of its disk as a number in `detail`."""
    while isinstance(detail, dict):
        if isinstance(detail.get("Err"), int):
            return f"({os.strerror(detail['Err'])})"
        detail = detail.get("Enclosed")
    return ""


def retry_after(text: str) -> float | None:
    """Read `Retry-After` (RFC 9110, 10.2.3), seconds or a date, as 0 to 60 seconds; None: it says nothing."""
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        seconds = (until - datetime.datetime.now(tz=until.tzinfo)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _wait_before_retry(problem: Exception) -> bool | float:
    if isinstance(problem, Busy):
        return True if problem.wait is None else problem.wait
    return isinstance(problem, Broken)
