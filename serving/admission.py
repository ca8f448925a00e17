"""How much may be under way at once: beyond it a request is told to come again, rather than put into a queue."""

from __future__ import annotations

from serving.errors import RequestRefused

RETRY_AFTER_SECONDS = 1


class Admission:
    """Counts requests in flight and the bytes of bodies held for them; of one event loop, so without locks."""

    def __init__(self, *, most_requests: int, most_bytes: int) -> None:
        self.requests = 0
        self.held_bytes = 0
        self._most_requests = most_requests
        self._most_bytes = most_bytes

    def enter(self) -> bool:
        """Whether one more request may come in; it must `leave`."""
        if self.requests >= self._most_requests:
            return False
        self.requests += 1
        return True

    def leave(self, *, held_bytes: int) -> None:
        self.requests -= 1
        self.held_bytes -= held_bytes

    def hold(self, size: int) -> None:
        """Count bytes that stay in memory until their request leaves.

        Raises:
            RequestRefused: all requests together would hold too many.
        """
        if self.held_bytes + size > self._most_bytes:
            raise overloaded(f"{self.held_bytes} bytes of requests are being read")
        self.held_bytes += size


def overloaded(why: str) -> RequestRefused:
    return RequestRefused(
        f"the server is busy: {why}; send the request again after {RETRY_AFTER_SECONDS} s, to this or another replica",
        status=503,
        cause="overloaded",
    )
