"""What stands before a real registry in the wild: a token service that means it, a rate limit, a bad connection.

It checks and then hands every request on to the docker-registry of the tests.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD = "robot", "correct-horse-battery"
_HOP = {"connection", "transfer-encoding", "host", "authorization"}


@dataclass
class Gatekeeper:
    """What it demands, and what it saw."""

    behind: str
    address: str = ""
    scheme: str = "bearer"  # or `basic`, or `` for an open door
    realm: str = ""  # of its own token service when empty
    public_pull: bool = False
    may_push: bool = True  # whether USER gets more than pull
    over_asking: int = 0  # the status for a scope that is not granted; 0 grants the rest silently
    refusal: int = 401  # for a token that does not suffice
    uploads_at: str = ""  # where uploads are sent instead
    faults: list[tuple[int, str]] = field(default_factory=list)  # (status, Retry-After); status 0 hangs up
    token_requests: list[tuple[str, ...]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)  # Authorization headers that reached it

    def grant(self, scopes: list[str], authorization: str) -> tuple[int, list[str]]:
        """Answer of the token service: a status and the scopes in the token."""
        known = authorization == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if authorization and not known:
            return 401, []
        allowed = {"pull", "push"} if known and self.may_push else {"pull"} if known or self.public_pull else set()
        granted = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            if self.over_asking and not set(actions.split(",")) <= allowed:
                return self.over_asking, []
            if given := sorted(set(actions.split(",")) & allowed):
                granted.append(f"{kind}:{name}:{','.join(given)}")
        return 200, granted

    def admits(self, method: str, path: str, authorization: str) -> bool:
        """Whether a request's token, or its password, suffices."""
        if self.scheme == "basic":
            return authorization == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.scheme == "":
            return True
        name = path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0]
        needed = "pull" if method in ("GET", "HEAD") else "push"
        token = authorization.removeprefix("Bearer ")
        return any(
            scope.split(":")[1] == name and needed in scope.split(":")[2].split(",") for scope in _scopes_in(token)
        )


def _scopes_in(token: str) -> list[str]:
    try:
        scopes: list[str] = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        return []
    return scopes


@contextmanager
def gatekeeper(behind: str, **demands: object) -> Iterator[Gatekeeper]:
    """Run one on a free port of this machine until the end of the block."""
    keeper = Gatekeeper(behind, **demands)  # type: ignore[arg-type]
    handler = type("Handler", (_Handler,), {"keeper": keeper})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    keeper.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield keeper
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    keeper: Gatekeeper

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        authorization = self.headers.get("authorization", "")
        if authorization:
            self.keeper.received.append(authorization)
        self.keeper.requests.append(f"{self.command} {self.path}")
        if self.path.startswith("/token"):
            self._give_token(authorization)
        elif self.keeper.faults:
            self._fail(*self.keeper.faults.pop(0))
        elif not self.keeper.admits(self.command, urlsplit(self.path).path, authorization):
            self._challenge()
        else:
            self._hand_on(body)

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815 - the names that http.server looks for

    def _give_token(self, authorization: str) -> None:
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
        self.keeper.token_requests.append(tuple(scopes))
        status, granted = self.keeper.grant(scopes, authorization)
        token = base64.urlsafe_b64encode(json.dumps(granted).encode()).decode()
        self._answer(status, json.dumps({"token": token}).encode() if status == 200 else b"{}")

    def _fail(self, status: int, wait: str) -> None:
        if status == 0:
            self.close_connection = True
            return
        self._answer(status, b"{}", {"Retry-After": wait} if wait else {})

    def _challenge(self) -> None:
        realm = self.keeper.realm or f"http://{self.keeper.address}/token"
        scheme = f'Bearer realm="{realm}",service="tests"' if self.keeper.scheme == "bearer" else 'Basic realm="tests"'
        errors = {"errors": [{"code": "DENIED", "message": "not you"}]}
        status = 401 if not self.headers.get("authorization") else self.keeper.refusal
        self._answer(status, json.dumps(errors).encode(), {"WWW-Authenticate": scheme})

    def _hand_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.keeper.behind)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection.request(self.command, self.path, body, {**headers, "Host": self.keeper.address})
        answer = connection.getresponse()
        content = answer.read()
        said = dict(answer.getheaders())
        if self.keeper.uploads_at and "Location" in said:
            said["Location"] = self.keeper.uploads_at
        self._answer(answer.status, content, said)
        connection.close()

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if name.lower() not in _HOP | {"content-length", "date", "server"}:
                self.send_header(name, value)
        length = (headers or {}).get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Say nothing."""
