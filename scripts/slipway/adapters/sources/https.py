"""One file of a web server, by fsspec: `https://host/path#sha256=DIGEST`, without any credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

from slipway.adapters.sources.fetched import Fetched, chunks_of, place_below, write_bounded
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit

requirements: str | None = "sources"
_CONNECT, _SILENCE = 30.0, 60.0  # seconds


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    """Write the one file, by the last part of its path; the caller holds it against the digest of the address."""
    url, _ = urldefrag(address.text)
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    with _opened(url) as stream:
        write_bounded(chunks_of(stream), place_below(into, name), limit=limit)
    return Fetched(resolved=address.text)


def _opened(url: str) -> Any:
    """A stream from the first byte on, which asks for no part and believes no length."""
    import aiohttp  # noqa: PLC0415 - in this environment alone
    import fsspec  # noqa: PLC0415

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
    system = fsspec.filesystem("https", client_kwargs={"trust_env": True, "timeout": timeout})  # proxies, too
    return system.open(url, block_size=0)
