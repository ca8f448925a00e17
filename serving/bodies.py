"""Bodies of HTTP: read within limits, and in the encodings gzip and deflate, both ways."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from starlette.types import Receive

from serving.admission import Admission
from serving.errors import RequestRefused

_ACCOUNTED_FROM = 65_536  # bytes: what a connection buffers anyway is not counted
_DISCARDED = 8  # times the limit: so much of a too large body is read away, so that the client sees the answer
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's names for the three, as numbers
_FASTEST = 1


class ClientGone(Exception):
    """Nobody is there any more to get an answer."""


class Incoming:
    """The body of one request, and how many of its bytes count as held."""

    def __init__(self, receive: Receive, admission: Admission, *, most_bytes: int) -> None:
        self._receive = receive
        self._admission = admission
        self._most_bytes = most_bytes
        self.held_bytes = 0

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            RequestRefused: it is too large, for itself or beside the others; the rest of it was read away.
            ClientGone: the client closed its connection.
        """
        content, more = await self._next()
        if not more and len(content) <= self._most_bytes:  # nearly always
            self.hold(len(content))
            return content
        return await self._read_on(content, more=more)

    async def discard(self, *, read: int = 0) -> None:
        """Read the rest away: an answer sent while the client still writes would be lost in a reset."""
        more = True
        while more and read <= self._most_bytes * _DISCARDED:
            content, more = await self._next()
            read += len(content)

    def hold(self, size: int) -> None:
        if size > _ACCOUNTED_FROM:
            self._admission.hold(size)
            self.held_bytes += size

    async def _read_on(self, content: bytes, *, more: bool) -> bytes:
        chunks, size = [content], len(content)
        refusal = self._refusal(size, size) if size > _ACCOUNTED_FROM else None
        while more and refusal is None:
            content, more = await self._next()
            size += len(content)
            refusal = self._refusal(size, len(content))
            chunks.append(content)
        if refusal is None and size <= self._most_bytes:
            return b"".join(chunks)
        chunks.clear()
        if more:
            await self.discard(read=size)
        raise refusal or too_large(self._most_bytes)

    def _refusal(self, size: int, added: int) -> RequestRefused | None:
        if size > self._most_bytes:
            return too_large(self._most_bytes)
        try:
            self._admission.hold(added)
        except RequestRefused as refusal:
            return refusal
        self.held_bytes += added
        return None

    async def _next(self) -> tuple[bytes, bool]:
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGone
        return message.get("body", b""), message.get("more_body", False)


def too_large(most_bytes: int) -> RequestRefused:
    return RequestRefused(
        f"body: larger than {most_bytes} bytes; send fewer rows at once", status=413, cause="too_large"
    )


def encoding_of(headers: Mapping[bytes, bytes]) -> str | None:
    """How the body of a request is compressed: `gzip`, `deflate`, or None.

    Raises:
        RequestRefused: in another way, or in several.
    """
    stated = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    encoding = {"identity": None, "": None, "gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}.get(stated, stated)
    if encoding not in (None, "gzip", "deflate"):
        raise RequestRefused(
            f"Content-Encoding: `{stated[:40]}` is not read; send gzip, deflate or the body as it is",
            status=415,
            cause="unsupported_encoding",
        )
    return encoding


def inflate(body: bytes, encoding: str, *, most_bytes: int) -> bytes:
    """Decompress a body, and never to more than `most_bytes`.

    Raises:
        RequestRefused: it is damaged, cut short or followed by something else, or it would become too large.
    """
    raw = encoding == "deflate" and not _is_zlib(body)  # some clients leave zlib's frame away
    decompressor = zlib.decompressobj(_GZIP if encoding == "gzip" else _RAW if raw else _ZLIB)
    try:
        inflated = decompressor.decompress(body, most_bytes + 1)
    except zlib.error as failure:
        raise RequestRefused(f"body: no {encoding}: {failure}") from None
    if len(inflated) > most_bytes:
        raise too_large(most_bytes)
    if not decompressor.eof:
        raise RequestRefused(f"body: the {encoding} ends too early")
    if decompressor.unused_data:
        raise RequestRefused(f"body: {len(decompressor.unused_data)} bytes follow the {encoding}; send one stream")
    return inflated


def wanted_encoding(headers: Mapping[bytes, bytes]) -> str | None:
    """The first of gzip and deflate that the client accepts."""
    accepted = {}
    for part in headers.get(b"accept-encoding", b"").decode("latin-1").lower().split(","):
        name, _, quality = part.partition(";")
        accepted[name.strip()] = quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return next((name for name in ("gzip", "deflate") if accepted.get(name)), None)


def compress(content: bytes, encoding: str) -> bytes:
    compressor = zlib.compressobj(_FASTEST, wbits=_GZIP if encoding == "gzip" else _ZLIB)
    return compressor.compress(content) + compressor.flush()


def _is_zlib(body: bytes) -> bool:
    """Whether the two bytes are those of RFC 1950: method 8, and a multiple of 31."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
