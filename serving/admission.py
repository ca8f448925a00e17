"""How much may be under way at once: beyond it a request is told to come again, rather than put into a queue."""

from __future__ import annotations

from serving.errors import RequestRefused

RETRY_AFTER_SECONDS = 1


class Admission:
    """Counts requests in flight and the bytes of bodies held for them; of one event loop, so without locks."""

    def __init__(self, *, most_requests: int, most_bytes: int) -> None:
        self.requests = 0
        self.held_bytes = 0
        self.most_bytes = most_bytes
        self._most_requests = most_requests

    def enter(self) -> Visit | None:
        """Let one more request in, if it may come; it must `leave`."""
        if self.requests >= self._most_requests:
            return None
        self.requests += 1
        return Visit(self)


class Visit:
    """One request that was let in."""

    __slots__ = ("_admission", "held_bytes")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.held_bytes = 0

    def hold(self, size: int) -> None:
        """Count bytes that stay in memory until the request leaves.

        Raises:
            RequestRefused: all requests together would hold too many.
        """
        held = self._admission.held_bytes
        if held + size > self._admission.most_bytes:
            raise overloaded(f"{held} bytes of requests are being read")
        self._admission.held_bytes += size
        self.held_bytes += size

    def leave(self) -> None:
        self._admission.requests -= 1
        self._admission.held_bytes -= self.held_bytes


def overloaded(why: str) -> RequestRefused:
    return RequestRefused(
        f"the server is busy: {why}; send the request again after {RETRY_AFTER_SECONDS} s, to this or another replica",
        status=503,
        cause="overloaded",
    )
