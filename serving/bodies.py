"""Bodies of HTTP: read within limits, and in the encodings gzip and deflate, both ways."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from starlette.types import Receive

from serving.admission import Visit
from serving.errors import RequestRefused

_DISCARDED = 8  # times the limit: so much of a too large body is read away, so that the client sees the answer
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's names for the three, as numbers
_FASTEST = 1


class ClientGone(Exception):
    """Nobody is there any more to get an answer."""


async def read(receive: Receive, visit: Visit, *, most_bytes: int) -> bytes:
    """Read the whole body of a request, and count it as held by it.

    Raises:
        RequestRefused: it is too large, for itself or beside the others; the rest of it was read away.
        ClientGone: the client closed its connection.
    """
    content, more = await _next(receive)
    if not more and len(content) <= most_bytes:  # nearly always
        visit.hold(len(content))
        return content
    return await _read_on(receive, visit, content, more=more, most_bytes=most_bytes)


async def discard(receive: Receive, *, most_bytes: int, read: int = 0) -> None:
    """Read the rest away: an answer sent while the client still writes would be lost in a reset."""
    more = True
    while more and read <= most_bytes * _DISCARDED:
        content, more = await _next(receive)
        read += len(content)


async def _read_on(receive: Receive, visit: Visit, content: bytes, *, more: bool, most_bytes: int) -> bytes:
    chunks, size = [content], len(content)
    refusal = _refusal(visit, size, len(content), most_bytes=most_bytes)
    while more and refusal is None:
        content, more = await _next(receive)
        size += len(content)
        refusal = _refusal(visit, size, len(content), most_bytes=most_bytes)
        chunks.append(content)
    if refusal is None:
        return b"".join(chunks)
    chunks.clear()
    if more:
        await discard(receive, most_bytes=most_bytes, read=size)
    raise refusal


def _refusal(visit: Visit, size: int, added: int, *, most_bytes: int) -> RequestRefused | None:
    if size > most_bytes:
        return too_large(most_bytes)
    try:
        visit.hold(added)
    except RequestRefused as refusal:
        return refusal
    return None


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
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
