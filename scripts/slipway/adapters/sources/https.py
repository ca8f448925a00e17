"""One file of a web server, by fsspec: `https://host/path#sha256=DIGEST`, without any credentials.

A server may lead on within itself, and to hosts that policies/sources.yaml names, by https alone: else it could have
this machine ask others that it does not reach itself, such as the one that knows the credentials of a cloud's machine.
What an address names or leads to must show a certificate for its name, whatever a name server says.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

from slipway.adapters.sources.fetched import Fetched, chunks_of, place_below, write_bounded
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SourceRefused

requirements: str | None = "sources"
_CONNECT, _SILENCE = 30.0, 60.0  # seconds


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    """Write the one file, by the last part of its path; the caller holds it against the digest of the address."""
    url, _ = urldefrag(address.text)
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    with _opened(url, limit.redirects) as stream:
        write_bounded(chunks_of(stream), place_below(into, name), limit=limit)
    return Fetched(resolved=address.text)


def _opened(url: str, redirects: Sequence[str]) -> Any:
    """A stream from the first byte on, which asks for no part and believes no length."""
    import aiohttp  # noqa: PLC0415 - in this environment alone
    import fsspec  # noqa: PLC0415

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
    os.environ["NETRC"] = os.devnull  # the client would log in by it
    asked = (_only_to(url, redirects),)
    options = {"trust_env": True, "timeout": timeout, "middlewares": asked}  # of the environment: proxies
    return fsspec.filesystem("https", client_kwargs=options).open(url, block_size=0)


def _only_to(url: str, redirects: Sequence[str]) -> Callable[[Any, Any], Awaitable[Any]]:
    """What aiohttp asks before each request, also before one that it was led to."""
    allowed = {_place(urlsplit(url).hostname, urlsplit(url).port), *redirects}

    async def ask(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        place = _place(request.url.host, request.url.port)
        if request.url.scheme != "https" or place not in allowed:
            raise SourceRefused(
                f"{url} leads to {request.url.scheme}://{place}, which nobody allowed",
                mend=f"name the file where it lies; or, where {place} is to be trusted by https, add it to "
                "`limit: fetched: redirects` in policies/sources.yaml",
            )
        return await handler(request)

    return ask


def _place(host: str | None, port: int | None) -> str:
    return f"{host}" if port in (None, 443) else f"{host}:{port}"
