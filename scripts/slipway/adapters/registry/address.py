"""Where a request goes: read strictly, since addresses come from redirects and challenges too, which others write."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

from slipway.adapters.registry.names import is_loopback

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
_AS_IT_IS = "%/:=&?~+!$,;'@()*[]"  # what RFC 3986 allows in a path or a query, and escapes that are there already


class Address(NamedTuple):
    """An absolute http or https address. `target` is path and query, in the letters that travel."""

    scheme: str
    host: str  # in lower case; an IPv6 address without its brackets
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address without a user; the port may be left out.

        Raises:
            ValueError: it is none.
        """
        parts = urlsplit(text)
        host = parts.hostname or ""
        if parts.scheme not in _PORTS or "@" in parts.netloc or _HOST.fullmatch(host) is None:
            raise ValueError("no address of a host by http or https")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        return cls(parts.scheme, host, port, quote(target, safe=_AS_IT_IS))

    def join(self, reference: str) -> Address:
        """The address that a `Location` names, which may be relative.

        Raises:
            ValueError: it names none.
        """
        return Address.parse(urljoin(str(self), reference))

    def asking(self, *query: tuple[str, str]) -> Address:
        """The same with more parameters."""
        mark = "&" if "?" in self.target else "?"
        return Address(
            self.scheme, self.host, self.port, f"{self.target}{mark}{urlencode(query)}" if query else self.target
        )

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whose it is: what one connection can ask for."""
        return (self.scheme, self.host, self.port)

    @property
    def is_encrypted(self) -> bool:
        """Whether what is sent there crosses the net unreadable."""
        return self.scheme == "https"

    @property
    def stays_here(self) -> bool:
        """Whether what is sent there crosses no net."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.target}"
