"""Requests and answers over connections that are kept, by the standard library.

`http.client` and not a client of others: loading one takes longer than to push a small model. What it lacks for a
registry stands here: kept connections, proxies, a body that is streamed, and one kind of failure.
"""

from __future__ import annotations

import io
import os
import selectors
import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected
from socket import socket

from slipway.adapters.registry.address import Address
from slipway.adapters.registry.proxies import proxy_for
from slipway.errors import RegistryRefused

_PIECE = 1 << 18  # bytes: so many, at least, must leave within the longest silence
_REMAINDER = 1 << 16  # bytes of an answer that nobody read: up to here, reading them is cheaper than a new connection


class _WholeLines(io.BufferedReader):
    """What `http.client` reads an answer from; by itself, it takes half a header for a whole one."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise RemoteDisconnected("the answer broke off")
        return line


class _WholeAnswer(HTTPResponse):
    def __init__(self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = _WholeLines(self.fp.detach())


class Broken(Exception):
    """The connection failed, or what came over it is no HTTP: another one may do better."""


class Response:
    """An answer: its head is here, its body is read as it comes. Whoever has it closes it."""

    def __init__(
        self, answer: HTTPResponse, address: Address, connection: HTTPConnection, kept: list[HTTPConnection] | None
    ) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.address = address
        self._answer = answer
        self._connection = connection
        self._kept = kept  # where the connection goes when it can be used again; None: it cannot

    def chunks(self, size: int) -> Iterator[bytes]:
        """The bytes as they were sent.

        Raises:
            Broken: they end before they should.
        """
        while chunk := self._read(size):
            yield chunk

    def start(self, most: int) -> bytes:
        """Read the body, but no more than `most` bytes of it."""
        content = b""
        for chunk in self.chunks(most):
            content += chunk
            if len(content) >= most:
                break
        return content[:most]

    def close(self) -> None:
        """Keep the connection for the next request, where that is possible."""
        if self._kept is not None and not self._answer.will_close and self._is_read():
            self._kept.append(self._connection)
        else:
            self._answer.close()
            self._connection.close()

    def _is_read(self) -> bool:
        try:
            self.start(_REMAINDER)
        except Broken:
            return False
        return self._answer.isclosed()

    def _read(self, size: int) -> bytes:
        try:
            chunk = self._answer.read(size)
        except (OSError, HTTPException) as problem:
            raise Broken(_words(problem)) from problem
        if not chunk and self._answer.length:  # of what was announced; `http.client` itself lets this pass
            raise Broken("the answer broke off")
        return chunk


class Connections:
    """Open connections, by the host that they lead to.

    Args:
        connect: how long to wait for a connection, seconds.
        silence: how long to wait for the next bytes, seconds.
        through_proxies: whether those that the environment names are used.
    """

    def __init__(self, *, connect: float, silence: float, through_proxies: bool) -> None:
        self._connect = connect
        self._silence = silence
        self._through_proxies = through_proxies
        self._kept: dict[tuple[str, str, int], list[HTTPConnection]] = {}
        self._trust: ssl.SSLContext | None = None

    def send(
        self, method: str, address: Address, headers: Mapping[str, str], body: Iterator[bytes] | None = None
    ) -> Response:
        """Send one request and wait for the head of its answer; no redirect is followed.

        Raises:
            Broken: there is no answer.
            RegistryRefused: the other side cannot show that it is who it is called.
        """
        kept = self._kept.setdefault(address.origin, [])
        connection = self._of(kept) or self._open(address)
        try:
            was_heard = _transmit(connection, method, address.target, headers, body)
            answer = _answer(connection)
        except BaseException:
            connection.close()
            raise
        return Response(answer, address, connection, kept if was_heard else None)

    def close(self) -> None:
        """Close those that nobody uses."""
        for kept in self._kept.values():
            while kept:
                kept.pop().close()

    def _of(self, kept: list[HTTPConnection]) -> HTTPConnection | None:
        while kept:
            connection = kept.pop()
            if not _has_ended(connection):
                return connection
            connection.close()
        return None

    def _open(self, address: Address) -> HTTPConnection:
        connection = self._to(address)
        connection.response_class = _WholeAnswer
        try:
            connection.connect()
        except (OSError, HTTPException) as problem:
            connection.close()
            raise _failure(problem, address) from problem
        connection.sock.settimeout(self._silence)
        return connection

    def _to(self, address: Address) -> HTTPConnection:
        if not address.is_encrypted:
            return HTTPConnection(address.host, address.port, timeout=self._connect)
        self._trust = self._trust or _trust()
        proxy = proxy_for(address) if self._through_proxies else None
        if proxy is None:
            return HTTPSConnection(address.host, address.port, timeout=self._connect, context=self._trust)
        connection = HTTPSConnection(proxy.host, proxy.port, timeout=self._connect, context=self._trust)
        connection.set_tunnel(address.host, address.port, dict(proxy.headers))
        return connection


def _transmit(
    connection: HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: Iterator[bytes] | None
) -> bool:
    """Send a request; False: the other side stopped listening, and may have said why."""
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
    except (OSError, HTTPException) as problem:
        raise Broken(_words(problem)) from problem
    return all(_transmit_chunk(connection, chunk) for chunk in body or ())  # a chunk that cannot be made fails as it is


def _transmit_chunk(connection: HTTPConnection, chunk: bytes) -> bool:
    view = memoryview(chunk)
    try:
        for start in range(0, len(chunk), _PIECE):
            connection.send(view[start : start + _PIECE])
    except (BrokenPipeError, ConnectionResetError):
        return False
    except OSError as problem:
        raise Broken(_words(problem)) from problem
    return True


def _answer(connection: HTTPConnection) -> HTTPResponse:
    try:
        return connection.getresponse()
    except (OSError, HTTPException) as problem:
        raise Broken(_words(problem)) from problem


def _has_ended(connection: HTTPConnection) -> bool:
    """A kept connection has nothing to say, unless its end."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))


def _trust() -> ssl.SSLContext:
    """Who may vouch for a host: what `SSL_CERT_FILE` or `SSL_CERT_DIR` name, else Mozilla's list."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        import certifi  # noqa: PLC0415 - a registry on this machine needs none

        file = certifi.where()
    context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _failure(problem: Exception, address: Address) -> Exception:
    """Of opening a connection: a certificate does not get better by waiting."""
    if not isinstance(problem, ssl.SSLCertVerificationError):
        return Broken(_words(problem))
    return RegistryRefused(
        f"{address.host}:{address.port} cannot show who it is: {problem.verify_message}",
        mend="if its certificate is of your own organization, set SSL_CERT_FILE to a file with the certificate that "
        "vouches for it; else check the address",
    )


def _words(problem: Exception) -> str:
    """The failure in a line; some of the system's have no text."""
    return f"{type(problem).__name__}: {problem}"[:200].removesuffix(": ")
