"""A program of the team's that is told of incidents, signed as Standard Webhooks 1.0 asks (standardwebhooks.com).

The specification has a library, which signs with what the standard library has and brings four packages along; so the
ten lines stand here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import httpx
import stamina

from slipway.errors import Unreachable, WebhookRefused

SECRET = "SLIPWAY_WEBHOOK_SECRET"  # noqa: S105  # the name of a variable
_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes
_LATER = (408, 425, 429)  # and all of 500 and above
_MEND = f"export {SECRET}=whsec_$(openssl rand -base64 32), and give the receiver the same"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to post, and with which key; times in seconds."""

    url: str
    key: bytes = field(repr=False)
    attempts: int = 3
    first_wait: float = 1.0
    silence: float = 10.0

    @classmethod
    def open(cls, url: str, environment: Mapping[str, str]) -> Self:
        """
        Raises:
            WebhookRefused: the environment has no secret, or one that is none; it is never printed.
        """
        secret = environment.get(SECRET, "")
        if not secret:
            raise WebhookRefused(f"{SECRET} is not set: nothing is posted without a signature", mend=_MEND)
        return cls(url, _key_of(secret))

    def post(self, body: bytes, *, event: str) -> None:
        """Post until it is taken, a few times; the same `event` tells its receiver that it was posted before.

        Raises:
            Unreachable: nobody answers there, or asks to be told later.
            WebhookRefused: what answers does not take it. A redirect is not followed: it would carry the message to
                somewhere that nobody reviewed.
        """
        for attempt in stamina.retry_context(
            on=Unreachable,
            attempts=self.attempts,
            timeout=None,
            wait_initial=self.first_wait,
            wait_max=self.silence,
            wait_jitter=self.first_wait,
        ):
            with attempt:
                self._post(body, event=event)

    def _post(self, body: bytes, *, event: str) -> None:
        headers = {"content-type": "application/json", **signed(body, event=event, at=int(time.time()), key=self.key)}
        try:
            with httpx.stream("POST", self.url, content=body, headers=headers, timeout=self.silence) as answer:
                status = answer.status_code  # what else it says is not read: it may have no end
        except httpx.TransportError as failure:
            raise Unreachable(f"{self.url} does not answer: {type(failure).__name__}", mend=_again()) from failure
        if status in _LATER or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"{self.url} answered {status}", mend=_again())
        if not httpx.codes.is_success(status):
            raise WebhookRefused(f"{self.url} answered {status}", mend="see that `incident_webhook` is its address")


def signed(body: bytes, *, event: str, at: int, key: bytes) -> dict[str, str]:
    """The headers of a message that is sent `at` seconds since 1970."""
    content = f"{event}.{at}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise WebhookRefused(
            f"{SECRET} is no secret of Standard Webhooks: whsec_ and {_SHORTEST} to {_LONGEST} bytes in base64",
            mend=_MEND,
        )
    return key


def _again() -> str:
    return "the next run of the watch posts it again"
