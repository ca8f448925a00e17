"""The proxy that the environment names for a host, as other programs on the machine understand it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from slipway.adapters.registry.address import Address
from slipway.errors import RegistryRefused


class Proxy(NamedTuple):
    """Where to ask for a tunnel, and with what; prints without the latter."""

    host: str
    port: int
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Proxy(host={self.host!r}, port={self.port})"


def proxy_for(address: Address) -> Proxy | None:
    """Read `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` names the host (or the system's settings, on macOS).

    Raises:
        RegistryRefused: the variable names no proxy that is spoken to by plain http.
    """
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - a registry on this machine needs none

    named = getproxies()
    text = named.get("https") or named.get("all")
    return None if not text or proxy_bypass(address.host) else _parsed(text)


def _parsed(text: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:  # not chained: the text may hold a password
        host, port = "", 0
    if not host or parts.scheme != "http":
        raise RegistryRefused(
            "the proxy that HTTPS_PROXY or ALL_PROXY names cannot be used",
            mend="write http://HOST:PORT (a tunnel through it is still encrypted), or unset the variable",
        )
    if parts.username is None:
        return Proxy(host, port, {})
    who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, {"Proxy-Authorization": "Basic " + base64.b64encode(who.encode()).decode()})
