"""What goes wrong between a client and GitHub, in the order it is asked for.

A fault waits for the next request that it fits, and strikes once. `after` says that GitHub did what was asked, and
only the answer was lost.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAID = {
    401: "Bad credentials",
    403: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    404: "Not Found",
    409: "Conflict",
    422: "Validation Failed",
    500: "Server Error",
    502: "Bad Gateway",
}


@dataclass(slots=True)
class Fault:
    """`status` 0 cuts the connection; `stall` says nothing for so many seconds first; `skip` requests pass before.

    With `meanwhile` nothing fails: somebody else is faster, in the moment before GitHub acts.
    """

    status: int = 0
    verb: str = ".*"
    path: str = ".*"
    after: bool = False
    stall: float = 0.0
    message: str = ""
    retry_after: str = "0"
    skip: int = 0
    meanwhile: Callable[[], object] | None = None

    def fits(self, verb: str, path: str) -> bool:
        return bool(re.fullmatch(self.verb, verb) and re.search(self.path, path))


@dataclass
class Faults:
    """Stands before the application; `asked` is every request in order, as `GET /repos/…`."""

    application: ASGIApp
    waiting: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._next(scope) if scope["type"] == "http" else None
        if fault is None:
            return await self.application(scope, receive, send)
        if fault.meanwhile is not None:
            await run_in_threadpool(fault.meanwhile)
            return await self.application(scope, receive, send)
        if fault.after:
            await self.application(scope, receive, _swallow)
        else:
            await _whole_body(receive)
        await asyncio.sleep(fault.stall)
        if fault.status:
            return await _refusal(fault)(scope, receive, send)
        return _reset(send)

    def _next(self, scope: Scope) -> Fault | None:
        self.asked.append(f"{scope['method']} {scope['path']}")
        for fault in self.waiting:
            if fault.fits(scope["method"], scope["path"]):
                if fault.skip:
                    fault.skip -= 1
                    continue
                self.waiting.remove(fault)
                return fault
        return None


def _refusal(fault: Fault) -> JSONResponse:
    headers = {"Retry-After": fault.retry_after} if fault.status in (403, 429) and fault.retry_after else {}
    said = {"message": fault.message or _SAID[fault.status], "documentation_url": "https://docs.github.com/rest"}
    return JSONResponse(said, status_code=fault.status, headers=headers)


def _reset(send: Send) -> None:
    """Uvicorn's `send` belongs to the request that holds the connection; lingering 0 makes the end a reset."""
    transport = send.__self__.transport  # type: ignore[attr-defined]
    if transport.is_closing():  # the client had no patience
        return
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _whole_body(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


async def _swallow(message: Message) -> None:
    """The answer that never arrives."""
