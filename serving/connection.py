"""One connection: uvicorn's, with bounds on how long and how large a request may arrive.

Short requests to `infer` go by turns.py, all others by uvicorn to the application.

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

from serving.causes import Unanswered
from serving.infer import Answer, Headers
from serving.joined_writes import JoinedWrites
from serving.turns import Turns, Whole

_UNKNOWN = 1 << 62
_GATHERED = 262_144  # bytes of a body that wake the application together; uvicorn stops reading at a quarter of it


@dataclass(frozen=True, slots=True)
class Bounds:
    """`arrival_seconds` for a request to arrive, and for a client that stopped reading to go on with its answer."""

    head_bytes: int = 65_536
    arrival_seconds: float = 60.0


class Connection(HttpToolsProtocol):
    """A connection of a client who may be slow, broken or hostile; `refused` is told the cause of each refusal."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        *,
        turns: Turns,
        bounds: Bounds,
        refused: Callable[[Unanswered], None],
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self._turns = turns
        self._bounds = bounds
        self._refused = refused
        self._arriving = False
        self._in_head = self._behind_others = False
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
        self._behind_others = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and not self._behind_others:  # where in `data` it began, the parser does not tell
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
        headers = dict(self.headers)
        if self._is_read_as_a_whole(headers):
            self.cycle = Whole(headers)  # type: ignore[assignment]
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Nothing can be done with a part of a request, so that the application is woken for the whole of most."""
        if self.cycle.response_complete:
            return
        if isinstance(self.cycle, Whole):
            self.cycle.chunks.append(body)
            return
        self.cycle.body += body
        if len(self.cycle.body) > _GATHERED:
            self.flow.pause_reading()
            self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._arriving, self._behind_others = False, True
        if isinstance(self.cycle, Whole):
            self._turns.add(self, self.cycle)
        else:
            super().on_message_complete()

    @property
    def is_gone(self) -> bool:
        return self.transport.is_closing()

    def answer(self, whole: Whole, answer: Answer) -> None:
        head = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.headers):
            head += (name, b": ", value, b"\r\n")
        if not whole.keep_alive:
            head.append(b"connection: close\r\n")
        head.append(b"content-length: %d\r\n\r\n" % len(answer.content))
        self._joined.hold(b"".join(head) + answer.content)
        whole.response_complete = True
        if not whole.keep_alive:
            self.transport.close()
        super().on_response_complete()

    def flush(self) -> None:
        self._joined.flush()

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

    def _is_read_as_a_whole(self, headers: Headers) -> bool:
        """Short ones to `infer`, of clients who want nothing special and have taken every answer before."""
        length = int(headers.get(b"content-length", _UNKNOWN))
        return (
            length <= _GATHERED
            and self._turns.takes(self.url, body_bytes=length)
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (self.cycle is None or self.cycle.response_complete)
        )

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

    def _refuse(self, status: int, cause: Unanswered, reason: str) -> None:
        self._refused(cause)
        content = orjson.dumps({"error": reason})
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
