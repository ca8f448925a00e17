"""Answers to a registry's `401`: a bearer token (distribution token specification) or basic credentials.

Credentials go to the registry and to a realm over https only; a realm in plain http is accepted from a registry
on this machine, for a realm on this machine, and from nobody else.

A token is asked for exactly what a request needs, pull and push in one, and kept under that: a token to pull that
is sent again with a push is refused by registries that follow the specification.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.request import parse_http_list

import httpx

from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.names import is_loopback
from slipway.adapters.registry.patience import refuse_busy
from slipway.errors import RegistryRefused

_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"(.*)"|([^\s"]*))\s*')  # escapes are undone by `parse_http_list`


@dataclass(frozen=True, slots=True)
class Challenge:
    """One `WWW-Authenticate` header: how the registry wants to be told who asks."""

    scheme: str  # lower case
    parameters: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read a header (RFC 9110, 11.6.1); what cannot be read is left out."""
        scheme, _, rest = text.strip().partition(" ")
        found = filter(None, map(_PARAMETER.fullmatch, parse_http_list(rest)))
        parameters = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in found}
        return cls(scheme.lower(), parameters)


class Gate:
    """Keeps the tokens of one registry, each under the scopes that it was asked for."""

    def __init__(self, client: httpx.Client, *, host: str, credentials: Credentials | None, local: bool) -> None:
        self._client = client
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
        response = self._ask(realm, parameters, asked)
        if response.status_code in (400, 401, 403) and not writes and asked != reduced:
            asked = reduced  # an account that may only read
            response = self._ask(realm, parameters, asked)
        refuse_busy(response)
        if response.status_code != 200:
            raise self.refusal(f"its token service answers HTTP {response.status_code}")
        bearer = f"Bearer {self._read(response)}"
        self._headers |= {(scopes, may_write): bearer for may_write in {False, asked == scopes}}

    def _ask(self, realm: httpx.URL, parameters: dict[str, str], scopes: tuple[str, ...]) -> httpx.Response:
        query = [("scope", scope) for scope in scopes]
        if service := parameters.get("service"):
            query.append(("service", service))
        headers = {} if self._credentials is None else {"authorization": self._credentials.basic}
        address = realm.copy_with(params=[*realm.params.multi_items(), *query])
        return self._client.get(address, headers=headers, follow_redirects=False)  # a redirect could lead anywhere

    def _safe_realm(self, text: str) -> httpx.URL:
        try:
            realm = httpx.URL(text)
        except httpx.InvalidURL:
            realm = httpx.URL()
        local = self._local and realm.scheme == "http" and is_loopback(realm.host)
        if realm.userinfo or not realm.host or not (realm.scheme == "https" or local):
            raise RegistryRefused(
                f"the registry {self._host} wants our credentials sent to {realm.scheme or 'no'}://{realm.host}, "
                "which is not https",
                mend="nothing was sent; check the address of the registry, and who runs it",
            )
        return realm

    def _read(self, response: httpx.Response) -> str:
        try:
            answer = response.json()
            token = answer.get("token") or answer.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            raise self.refusal("its token service answers without a token")
        return token
