"""The line to a real registry, which counts what passes and fails at a byte that a test names."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PIECE = 1 << 14
Deed = Callable[[socket.socket], None]


def cut(client: socket.socket) -> None:
    """Nothing is said: both ends are closed after every deed."""


def fall_silent(client: socket.socket) -> None:
    """Take everything and say nothing until the client gives up."""
    while client.recv(_PIECE):
        pass


def answer(status: str, *headers: str) -> Deed:
    """Answer in the registry's place, and hear the rest out: without that, the answer is lost with the connection."""
    body = b'{"errors":[{"code":"UNKNOWN","message":"unknown error"}]}'
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""))

    def deed(client: socket.socket) -> None:
        client.sendall(head.encode() + body)
        client.shutdown(socket.SHUT_WR)
        fall_silent(client)

    return deed


@dataclass
class Line:
    """What it leads to, what it does, and what it saw. Numbers of bytes are of all connections together."""

    behind: str  # HOST:PORT
    address: str = ""
    outward: int | None = None  # the deed is done once, when so many bytes went to the registry
    homeward: int | None = None  # or came from it
    deed: Deed = cut
    sent: int = 0
    answered: int = 0
    requests: list[str] = field(default_factory=list)  # `PUT /v2/…`
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_out(self, piece: bytes) -> bytes:
        """Count a piece on its way to the registry; what comes back is less where the deed is due."""
        first = piece.partition(b"\r\n")[0]  # the client sends heads apart from bodies
        with self._lock:
            if first.endswith(b" HTTP/1.1"):
                self.requests.append(first.decode().removesuffix(" HTTP/1.1"))
            allowed, self.outward = _allowed(self.sent, self.outward, piece)
            self.sent += len(allowed)
        return allowed

    def pass_home(self, piece: bytes) -> bytes:
        """The same on the way back."""
        with self._lock:
            allowed, self.homeward = _allowed(self.answered, self.homeward, piece)
            self.answered += len(allowed)
        return allowed


def _allowed(passed: int, limit: int | None, piece: bytes) -> tuple[bytes, int | None]:
    if limit is None or passed + len(piece) <= limit:
        return piece, limit
    return piece[: max(limit - passed, 0)], None


@contextmanager
def line(behind: str, *, deed: Deed = cut) -> Iterator[Line]:
    """Lay one from a free port of this machine until the end of the block."""
    laid = Line(behind, deed=deed)
    ends: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept(server: socket.socket) -> None:
        with suppress(OSError):  # the block ended
            while True:
                client, _ = server.accept()
                registry = _connected(behind)
                ends.extend((client, registry))
                for work in (_outward, _homeward):
                    threads.append(threading.Thread(target=work, args=(laid, client, registry)))
                    threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        laid.address = f"127.0.0.1:{server.getsockname()[1]}"
        accepting = threading.Thread(target=accept, args=(server,))
        accepting.start()
        try:
            yield laid
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            accepting.join()
            _hang_up(*ends)
            for thread in threads:
                thread.join()
            for end in ends:
                end.close()


def _connected(behind: str) -> socket.socket:
    host, _, port = behind.rpartition(":")
    return socket.create_connection((host, int(port)))


def _outward(laid: Line, client: socket.socket, registry: socket.socket) -> None:
    with suppress(OSError):
        while piece := client.recv(_PIECE):
            allowed = laid.pass_out(piece)
            registry.sendall(allowed)
            if allowed != piece:
                laid.deed(client)
                break
    _hang_up(client, registry)


def _homeward(laid: Line, client: socket.socket, registry: socket.socket) -> None:
    with suppress(OSError):
        while piece := registry.recv(_PIECE):
            allowed = laid.pass_home(piece)
            client.sendall(allowed)
            if allowed != piece:
                laid.deed(client)
                break
    _hang_up(client, registry)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
