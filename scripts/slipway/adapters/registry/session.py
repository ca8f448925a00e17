"""The conversation with one registry: patience with what is busy, and credentials for nobody else."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from slipway.adapters.registry.address import Address
from slipway.adapters.registry.connections import Broken, Connections, Response
from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.patience import Busy, Patience, keep_trying, refuse_busy, said
from slipway.adapters.registry.tokens import Gate
from slipway.errors import RegistryRefused, Unreachable

Result = TypeVar("Result")
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_HEADERS = {"User-Agent": "slipway", "Accept": "*/*", "Accept-Encoding": "identity"}  # digests are of bytes as stored


class Ask(NamedTuple):
    """One request. `scopes` are what its token must allow: `repository:acme/flight-delay:pull,push`."""

    method: str
    address: str
    scopes: tuple[str, ...]
    headers: Mapping[str, str] = MappingProxyType({})
    body: Callable[[], Iterator[bytes]] | None = None

    @property
    def writes(self) -> bool:
        """Whether a token that may only pull is of no use."""
        return self.method not in ("GET", "HEAD")


class Session:
    """Connections to one host and to where it sends us, with the tokens that it gave."""

    def __init__(self, host: str, *, credentials: Credentials | None, patience: Patience) -> None:
        self.host = host
        self._local = Address.parse(f"http://{host}").stays_here
        self._origin = Address.parse(f"{'http' if self._local else 'https'}://{host}")
        self._patience = patience
        self._connections = Connections(
            connect=patience.connect,
            silence=patience.silence,
            through_proxies=not self._local,  # a proxy cannot reach this machine and must not see what is sent to it
        )
        weakref.finalize(self, self._connections.close)  # whoever opens a registry need not close it
        self._gate = Gate(self._connections, host=host, credentials=credentials, local=self._local)

    def patiently(self, work: Callable[[], Result]) -> Result:
        """Do the work, all of it again while the registry is busy or the connection breaks.

        Raises:
            Unreachable: it still is after the last attempt.
        """
        try:
            return keep_trying(work, patience=self._patience)
        except (Busy, Broken) as problem:
            raise self.unreachable(problem) from None

    def unreachable(self, problem: Busy | Broken) -> Unreachable:
        """The failure that says: try later."""
        happened = "answers only" if isinstance(problem, Busy) else "did not answer:"
        return Unreachable(
            f"the registry {self.host} {happened} {problem}",
            mend="run the same command again, it goes on with what is missing; if it stays so, look at the network and "
            "at the registry's status page, or at the disk of a registry of your own",
        )

    @contextmanager
    def exchange(self, ask: Ask) -> Iterator[Response]:
        """`open`, and close at the end."""
        response = self.open(ask)
        try:
            yield response
        finally:
            response.close()

    def open(self, ask: Ask) -> Response:
        """Send one request with a token that fits; the answer's body is unread and the caller closes it.

        Raises:
            Busy: the registry is overloaded or failing.
            RegistryRefused: the credentials, or their rights, do not suffice.
        """
        response = self._send(ask)
        if response.status == 401 and self._is_own(response.address):
            response.close()
            self._gate.answer(response.headers.get_all("www-authenticate", []), ask.scopes, writes=ask.writes)
            response = self._send(ask)
        try:
            self._require_granted(response, ask)
        except BaseException:
            response.close()
            raise
        return response

    def _require_granted(self, response: Response, ask: Ask) -> None:
        refuse_busy(response)
        if response.status in (401, 403):
            raise self._gate.refusal(f"{ask.method} is not allowed ({said(response)})")

    def _send(self, ask: Ask) -> Response:
        """Send it, and again to wherever a registry keeps its blobs; what is written follows nobody."""
        address = self.address_of(self._origin, ask.address)
        for _ in range(_MOST_REDIRECTS):
            response = self._send_to(address, ask)
            location = response.headers.get("location")
            if ask.writes or response.status not in _REDIRECTS or location is None:
                return response
            response.close()
            address = self.address_of(address, location)
        raise RegistryRefused(
            f"the registry {self.host} sends us from address to address without end",
            mend="check `image_registry` in slipway.yaml, and that a registry answers there",
        )

    def _send_to(self, address: Address, ask: Ask) -> Response:
        # A storage service behind the registry is authorised by its address; our token is none of its business.
        known = self._gate.headers(ask.scopes, writes=ask.writes) if self._is_own(address) else {}
        body = ask.body() if ask.body is not None else None
        return self._connections.send(ask.method, address, {**_HEADERS, **ask.headers, **known}, body)

    def address_of(self, here: Address, reference: str) -> Address:
        """Read an address that the registry names, and refuse one at which others could read what is sent."""
        try:
            address = here.join(reference)
        except ValueError:
            raise RegistryRefused(
                f"the registry {self.host} sends us on to an address that is none",
                mend="have the registry's owner set its public address to https",
            ) from None
        if not address.is_encrypted and not (self._local and address.stays_here):
            raise RegistryRefused(
                f"the registry {self.host} sends us on to {address.scheme}://{address.host}, which is not encrypted",
                mend="have the registry's owner set its public address to https",
            )
        return address

    def _is_own(self, address: Address) -> bool:
        return address.origin == self._origin.origin
