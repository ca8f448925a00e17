"""The listening socket, which outlives every process that serves from it.

A socket that is handed over by SCM_RIGHTS is the *same* socket: connections that the kernel has queued for it are
accepted by whichever process comes next, and closing one copy refuses nobody. `asyncio.Server` is not used, since
it loses a connection that it has accepted but not yet attached when it is closed; here the two steps are apart.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

log = logging.getLogger(__name__)

BACKLOG = 4096
_AT_ONCE = 16  # connections a turn of the loop: the others of a burst go to a second process, or to the next turn
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE_SECONDS = 0.1


def bind(host: str, port: int) -> socket.socket:
    """Listen on a new socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Listener:
    """Accepts connections in the running loop and gives each to a protocol of its own."""

    def __init__(self, listening: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        listening.setblocking(False)
        self.socket = listening
        self.shared = False  # another process has a copy: what the kernel has queued is not ours alone
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._handing_over: set[asyncio.Task[object]] = set()
        self._open = True
        self._loop.add_reader(self.socket, self._accept, _AT_ONCE)

    async def stop(self) -> None:
        """Accept no more, and return when each accepted connection has its protocol."""
        self._open = False
        self._loop.remove_reader(self.socket)
        if not self.shared:  # nobody else would answer these
            self._accept(BACKLOG)
        self.socket.close()
        await asyncio.gather(*self._handing_over, return_exceptions=True)

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                connection, _address = self.socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as failure:
                if failure.errno not in _OUT_OF_FILES:
                    raise
                self._pause(failure)
                return
            connection.setblocking(False)
            # asyncio sets this only where the socket says proto 6, which an accepted one may not: head and body of an
            # answer would then wait 40 ms for each other (Nagle's algorithm and delayed acknowledgements).
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
            self._handing_over.add(task)
            task.add_done_callback(self._handing_over.discard)

    def _pause(self, failure: OSError) -> None:
        log.warning("accepts no connection for %s s: %s", _PAUSE_SECONDS, failure)
        self._loop.remove_reader(self.socket)
        self._loop.call_later(_PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self.socket, self._accept, _AT_ONCE)
