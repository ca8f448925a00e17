"""uvicorn, with a way to leave that loses no request.

uvicorn runs the application; connection.py bounds what it lets a client do. Two of its steps are replaced, both public
methods of `Server`:

`startup`   accepts from a socket that may have come from the process before (listener.py), not before the control
            socket has said `accept`.
`shutdown`  uvicorn's own closes every idle connection at once, also one that was accepted a moment ago and whose
            request is still on its way: that client gets a reset. Here an idle connection has `grace_seconds` to
            send its request, each answer says `Connection: close`, and what is in flight has `deadline_seconds`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from serving.application import Application
from serving.connection import Bounds, Connection
from serving.control import Control, Reply
from serving.listener import Listener, url_of
from serving.turns import Turns

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75  # longer than clients' pools keep a connection, so that they are the ones who close
_TURN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Leaving:
    """How long a connection may take once the process is to leave."""

    grace_seconds: float = 2.0
    deadline_seconds: float = 30.0


class ModelServer(uvicorn.Server):
    """Serves one application; leaves on SIGTERM or SIGINT, with code 0, when all is answered."""

    def __init__(
        self,
        application: Application,
        *,
        control: Path | None,
        listen: Callable[[], socket.socket],
        hold: threading.Event | None = None,
        leaving: Leaving | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                loop="asyncio",
                http="httptools",  # in C: h11 costs three times what everything else of a small request does
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nothing here asks where a request came from
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self._application = application
        self._listen = listen
        self._hold = hold
        self._leaving = leaving or Leaving()
        self._bounds = bounds or Bounds()
        self._listener: Listener | None = None
        self._turns: Turns | None = None
        self._wanted = asyncio.Event()
        self._accepting = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        commands = {
            "status": self._status,
            "accept": self._accept,
            "listener": self._share_listener,
            "flush": self._flush,
        }
        self._control = Control(control, commands, share=self._share) if control else None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        self._loop = asyncio.get_running_loop()
        if self._control is not None:
            await self._control.start()
        if self._hold is not None:
            await self._wanted.wait()
        if self.should_exit:
            return
        application = self._application
        self._turns = Turns(
            application.infer,
            paths=[path.encode() for path in application.infer_paths],
            draining=application.draining,
            tasks=self.server_state.tasks,
        )
        self._listener = Listener(self._listen(), self._connection)
        if self._hold is not None:
            self._hold.set()
        self._accepting.set()
        self.started = True
        log.info("serving %s on %s", self._application.model.name, url_of(self._listener.socket))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        assert self._listener is not None
        self._application.draining.set()
        await self._listener.stop()
        await self._answer_the_accepted()
        if self._control is not None:
            self._control.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Leave, also while held. uvicorn's own raises the signal again at the end, before the log is written."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)

    def _connection(self) -> asyncio.Protocol:
        assert self._turns is not None
        refused = self._application.infer.metrics.failed
        return Connection(self.config, self.server_state, turns=self._turns, bounds=self._bounds, refused=refused)

    async def _answer_the_accepted(self) -> None:
        now = asyncio.get_running_loop().time
        grace, deadline = now() + self._leaving.grace_seconds, now() + self._leaving.deadline_seconds
        while self.server_state.connections and now() < deadline:
            if now() >= grace:
                for connection in list(self.server_state.connections):
                    connection.shutdown()  # closes an idle one; one in flight closes after its answer
            await asyncio.sleep(_TURN_SECONDS)
        if self.server_state.connections:
            log.warning("%d connections were cut at the deadline", len(self.server_state.connections))

    def _share(self) -> socket.socket:
        assert self._listener is not None
        self._listener.shared = True
        return self._listener.socket

    async def _status(self) -> Reply:
        model = self._application.model
        status: Reply = {"name": model.name, "version": model.version, "pid": os.getpid(), "ready": True}
        if self._listener is None or self._application.draining.is_set():
            return status | {"accepting": False}
        return status | {"accepting": True, "url": url_of(self._listener.socket)}

    async def _share_listener(self) -> Reply:
        status = await self._status()
        return status if status["accepting"] else status | {"error": "does not accept"}

    async def _accept(self) -> Reply:
        self._wanted.set()
        await self._accepting.wait()
        return await self._status()

    async def _flush(self) -> Reply:
        request_log = self._application.infer.request_log
        return {"flushed": request_log is None or await asyncio.to_thread(request_log.flush)}
