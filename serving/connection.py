"""One connection: uvicorn's, with bounds on how long and how large a request may arrive.

uvicorn waits for the rest of a request as long as the client likes, keeps a head of any size, and keeps what a client
does not read. Here a request must be there as a whole in a number of seconds, and what is refused before the
application sees it is refused in the protocol's own words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from serving.joined_writes import JoinedWrites

_GATHERED = 262_144  # bytes of a body that wake the application together; uvicorn stops reading at a quarter of it


@dataclass(frozen=True, slots=True)
class Bounds:
    """`arrival_seconds` for a request to arrive, and for a client that stopped reading to go on with its answer."""

    head_bytes: int = 65_536
    arrival_seconds: float = 60.0


class Connection(HttpToolsProtocol):
    """A connection of a client who may be slow, broken or hostile; `refused` is told the cause of each refusal."""

    def __init__(
        self, config: Config, server_state: ServerState, *, bounds: Bounds, refused: Callable[[str], None]
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self._bounds = bounds
        self._refused = refused
        self._arriving = False
        self._in_head = False
        self._head_bytes = 0
        self._arrival: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._joined = JoinedWrites(transport, self.loop)
        super().connection_made(self._joined)
        self._await_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._arrival)
        _cancel(self._reading)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes:
                self._refuse(431, "large_head", f"the head is larger than {self._bounds.head_bytes} bytes")
                return
        if self._arriving:
            self._await_rest()
        elif self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def on_message_begin(self) -> None:
        self._arriving = self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Nothing can be done with a part of a request, so that the application is woken for the whole of most."""
        if self.cycle.response_complete:
            return
        self.cycle.body += body
        if len(self.cycle.body) > _GATHERED:
            self.flow.pause_reading()
            self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._arriving = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if len(self.tasks) == 1:  # otherwise with those of the others, at the turn's end: each write drives out of the
            self._joined.flush()  # processor's caches what the next request needs
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self.loop.call_later(self._bounds.arrival_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._reading)

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "no_http", msg)

    def _await_rest(self) -> None:
        if self._arrival is None:
            self._arrival = self.loop.call_later(self._bounds.arrival_seconds, self._too_late)

    def _too_late(self) -> None:
        self._arrival = None
        if self.transport.is_closing():
            return
        if not self._arriving:  # it opened a connection and sent nothing
            self.transport.close()
        elif self._earlier_unanswered():
            self._await_rest()
        elif not self._in_head and self.cycle.response_started:
            self.transport.close()
        else:
            seconds = f"{self._bounds.arrival_seconds:g}"
            self._refuse(408, "too_slow", f"the request did not arrive within {seconds} s; send fewer rows at once")

    def _earlier_unanswered(self) -> bool:
        """Whether what arrives waits for the answers to requests before it: then it is not the client who is slow."""
        if not self._in_head:
            return bool(self.pipeline)
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, cause: str, reason: str) -> None:
        self._refused(cause)
        content = orjson.dumps({"error": reason})
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
