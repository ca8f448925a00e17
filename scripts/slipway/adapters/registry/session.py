"""The conversation with one registry: patience with what is busy, and credentials for nobody else."""

from __future__ import annotations

import json
import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import httpx

from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.names import is_loopback
from slipway.adapters.registry.patience import Busy, Patience, keep_trying, refuse_busy
from slipway.adapters.registry.tokens import Gate
from slipway.errors import RegistryRefused, Unreachable

Result = TypeVar("Result")
_LONGEST_REASON = 4096  # bytes of a refusal that are read


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `scopes` are what its token must allow: `repository:acme/flight-delay:pull,push`."""

    method: str
    address: str
    scopes: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], Iterator[bytes]] | None = None

    @property
    def writes(self) -> bool:
        """Whether a token that may only pull is of no use."""
        return self.method not in ("GET", "HEAD")


class Session:
    """A connection pool to one host, with the tokens that it gave."""

    def __init__(self, host: str, *, credentials: Credentials | None, patience: Patience) -> None:
        self.host = host
        self._local = is_loopback(httpx.URL(f"//{host}").host)
        self._origin = httpx.URL(f"{'http' if self._local else 'https'}://{host}")
        self._patience = patience
        self._client = httpx.Client(
            timeout=httpx.Timeout(patience.silence, connect=patience.connect),
            headers={"user-agent": "slipway", "accept-encoding": "identity"},  # digests are of the bytes as stored
            event_hooks={"request": [partial(_require_encrypted, host, self._local)]},
            trust_env=not self._local,  # a proxy cannot reach this machine and must not see what is sent to it
        )
        weakref.finalize(self, self._client.close)  # whoever opens a registry need not close it
        # At INFO and DEBUG these two print addresses that a registry has signed: whoever reads the log could use them.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._gate = Gate(self._client, host=host, credentials=credentials, local=self._local)

    def patiently(self, work: Callable[[], Result]) -> Result:
        """Do the work, all of it again while the registry is busy or the connection breaks.

        Raises:
            Unreachable: it still is after the last attempt.
        """
        try:
            return keep_trying(work, patience=self._patience)
        except (Busy, httpx.HTTPError) as problem:
            raise self.unreachable(problem) from None

    def unreachable(self, problem: Exception) -> Unreachable:
        """The failure that says: try later."""
        return Unreachable(
            f"the registry {self.host} did not answer ({type(problem).__name__}: {str(problem)[:200]})",
            mend="run the same command again; if it stays so, look at the network and at the registry's status page",
        )

    @contextmanager
    def exchange(self, ask: Ask) -> Iterator[httpx.Response]:
        """`open`, and close at the end."""
        response = self.open(ask)
        try:
            yield response
        finally:
            response.close()

    def open(self, ask: Ask) -> httpx.Response:
        """Send one request with a token that fits; the answer's body is unread and the caller closes it.

        Raises:
            Busy: the registry is overloaded or failing.
            RegistryRefused: the credentials, or their rights, do not suffice.
        """
        response = self._send(ask)
        if response.status_code == 401 and self._is_own(response.url):
            response.close()
            self._gate.answer(response.headers.get_list("www-authenticate"), ask.scopes, writes=ask.writes)
            response = self._send(ask)
        try:
            self._require_granted(response)
        except BaseException:
            response.close()
            raise
        return response

    def _require_granted(self, response: httpx.Response) -> None:
        refuse_busy(response)
        if response.status_code in (401, 403):
            raise self._gate.refusal(f"{response.request.method} is not allowed ({said(response)})")

    def _send(self, ask: Ask) -> httpx.Response:
        address = self._origin.join(ask.address)
        # A storage service behind the registry is authorised by its address; our token is none of its business.
        known = self._gate.headers(ask.scopes, writes=ask.writes) if self._is_own(address) else {}
        content = ask.body() if ask.body is not None else None
        request = self._client.build_request(ask.method, address, headers={**ask.headers, **known}, content=content)
        return self._client.send(request, stream=True, follow_redirects=not ask.writes)

    def _is_own(self, address: httpx.URL) -> bool:
        ours = self._origin
        return (address.scheme, address.host, address.port) == (ours.scheme, ours.host, ours.port)


def _require_encrypted(host: str, local: bool, request: httpx.Request) -> None:
    """Runs before every request, those that a redirect leads to included."""
    address = request.url
    here = local and address.scheme == "http" and is_loopback(address.host)
    if address.scheme != "https" and not here:
        raise RegistryRefused(
            f"the registry {host} sends us on to {address.scheme}://{address.host}, which is not encrypted",
            mend="have the registry's owner set its public address to https",
        )


def said(response: httpx.Response) -> str:
    """What a registry gives as its reason: the status and the errors of its JSON, cut to a line."""
    content = b""
    try:
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _LONGEST_REASON:
                break
        errors = json.loads(content)["errors"]
        reasons = "; ".join(f"{error['code']} {error.get('message', '')}".strip() for error in errors)
    except (httpx.HTTPError, httpx.StreamError, ValueError, KeyError, TypeError, AttributeError):
        reasons = ""
    line = "".join(letter if letter.isprintable() else " " for letter in reasons)[:200]
    return f"HTTP {response.status_code} {line}".strip()
