"""Answers to a registry's `401`: a bearer token (distribution token specification) or basic credentials.

Credentials go to the registry and to a realm over https only; a realm in plain http is accepted from a registry
on this machine, for a realm on this machine, and from nobody else.

A token is asked for exactly what a request needs, pull and push in one, and kept under that: a token to pull that
is sent again with a push is refused by registries that follow the specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from slipway.adapters.registry.address import Address
from slipway.adapters.registry.connections import Connections
from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.patience import refuse_busy
from slipway.errors import RegistryRefused

_LONGEST_ANSWER = 1 << 20  # bytes
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"(.*)"|([^\s"]*))\s*')  # escapes are undone by `parse_http_list`


class Challenge(NamedTuple):
    """One `WWW-Authenticate` header: how the registry wants to be told who asks."""

    scheme: str  # lower case
    parameters: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read a header (RFC 9110, 11.6.1); what cannot be read is left out."""
        from urllib.request import parse_http_list  # noqa: PLC0415 - a registry with an open door needs none of it

        scheme, _, rest = text.strip().partition(" ")
        found = filter(None, map(_PARAMETER.fullmatch, parse_http_list(rest)))
        parameters = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in found}
        return cls(scheme.lower(), parameters)


class Gate:
    """Keeps the tokens of one registry, each under the scopes that it was asked for."""

    def __init__(self, connections: Connections, *, host: str, credentials: Credentials | None, local: bool) -> None:
        self._connections = connections
        self._host = host
        self._credentials = credentials
        self._local = local
        self._headers: dict[tuple[tuple[str, ...], bool], str] = {}

    def headers(self, scopes: tuple[str, ...], *, writes: bool) -> dict[str, str]:
        """What is known to open these scopes; empty before the first challenge."""
        value = self._headers.get((scopes, writes))
        return {} if value is None else {"authorization": value}

    def answer(self, challenges: Sequence[str], scopes: tuple[str, ...], *, writes: bool) -> None:
        """Get what a challenge asks for.

        Raises:
            RegistryRefused: no credentials, wrong ones, or a realm that must not see them.
        """
        offered = {challenge.scheme: challenge for challenge in map(Challenge.parse, challenges)}
        if "bearer" in offered:
            self._ask_for_token(offered["bearer"].parameters, scopes, writes=writes)
        elif "basic" in offered and self._credentials is not None:
            self._headers |= dict.fromkeys(((scopes, False), (scopes, True)), self._credentials.basic)
        else:
            raise self.refusal("it asks who we are")

    def refusal(self, reason: str) -> RegistryRefused:
        """The failure that names the two ways to give credentials, and never the credentials."""
        who = "nobody (anonymous)" if self._credentials is None else f"`{self._credentials.user}`"
        return RegistryRefused(
            f"the registry {self._host} refuses {who}: {reason}",
            mend=f"docker login {self._host}, or set SLIPWAY_REGISTRY_USER and SLIPWAY_REGISTRY_PASSWORD to an "
            "account that may read and write this repository (a repository that does not exist looks the same)",
        )

    def _ask_for_token(self, parameters: dict[str, str], scopes: tuple[str, ...], *, writes: bool) -> None:
        realm = self._safe_realm(parameters.get("realm", ""))
        reduced = tuple(scope.replace(":pull,push", ":pull") for scope in scopes)
        asked = scopes if writes or self._credentials is not None else reduced
        status, answer = self._ask(realm, parameters, asked)
        if status in (400, 401, 403) and not writes and asked != reduced:
            asked = reduced  # an account that may only read
            status, answer = self._ask(realm, parameters, asked)
        if status != 200:
            raise self.refusal(f"its token service answers HTTP {status}")
        bearer = f"Bearer {self._read(answer)}"
        self._headers |= {(scopes, may_write): bearer for may_write in {False, asked == scopes}}

    def _ask(self, realm: Address, parameters: dict[str, str], scopes: tuple[str, ...]) -> tuple[int, bytes]:
        """Status and body of the token service's answer; a redirect is none, for it could lead anywhere."""
        query = [("scope", scope) for scope in scopes]
        if service := parameters.get("service"):
            query.append(("service", service))
        headers = {} if self._credentials is None else {"Authorization": self._credentials.basic}
        response = self._connections.send("GET", realm.asking(*query), {"User-Agent": "slipway", **headers})
        try:
            refuse_busy(response)
            return response.status, response.start(_LONGEST_ANSWER)
        finally:
            response.close()

    def _safe_realm(self, text: str) -> Address:
        try:
            realm = Address.parse(text)
        except ValueError:
            raise self._unsafe("an address that is none, or not https") from None
        if not realm.is_encrypted and not (self._local and realm.stays_here):
            raise self._unsafe(f"{realm.scheme}://{realm.host}, which is not https")
        return realm

    def _unsafe(self, where: str) -> RegistryRefused:
        return RegistryRefused(
            f"the registry {self._host} wants our credentials sent to {where}",
            mend="nothing was sent; check the address of the registry, and who runs it",
        )

    def _read(self, content: bytes) -> str:
        try:
            answer = json.loads(content)
            token = answer.get("token") or answer.get("access_token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            raise self.refusal("its token service answers without a token")
        return token
