"""Web servers on loopback: one that speaks TLS and breaks off when asked to, and a stand-in of a hub."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.unit.adapters.registry.certificates import write_certificate


class Quiet(BaseHTTPRequestHandler):
    """What all of them answer by."""

    protocol_version = "HTTP/1.1"
    server: Any  # what of ours it answers for

    def log_message(self, *told: object) -> None:
        pass

    def give(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def endless(handler: BaseHTTPRequestHandler, piece: bytes = b"x" * 65_536) -> None:
    """An answer that goes on until nobody listens."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(piece)
    except OSError:
        handler.close_connection = True


class Running:
    """A server in a thread."""

    def __init__(self, handler: type[Quiet]) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.ours = self  # type: ignore[attr-defined]
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def encrypt(self, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)


class _Files(Quiet):
    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.ours.asked.append(path)
        self.server.ours.logins.append(self.headers.get("Authorization", "nobody"))
        if path in self.server.ours.redirects:
            self.give(302, Location=self.server.ours.redirects[path])
        elif path == "/half":
            self._half()
        elif path == "/endless":
            endless(self)
        elif path == "/silent":
            time.sleep(30)
        elif path in ("/401", "/403", "/500"):
            self.give(int(path[1:]))
        elif path in self.server.ours.files:
            self.give(200, self.server.ours.files[path])
        else:
            self.give(404)

    do_HEAD = do_GET  # noqa: N815  # as the library calls it

    def _half(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 500)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


class WebServer(Running):
    """`https://localhost:PORT/…`, vouched for by `certificate` alone.

    `redirects` has where a path leads, and `logins` as whom each request came.
    """

    def __init__(self, folder: Path, *, beside: WebServer | None = None) -> None:
        """`beside` another one, it has the same certificate."""
        super().__init__(_Files)
        self.redirects: dict[str, str] = {}
        self.logins: list[str] = []
        self._pair: tuple[Path, Path] = beside._pair if beside else write_certificate(folder, "localhost")
        self.certificate = self._pair[0]
        self.encrypt(*self._pair)

    def address(self, path: str, content: bytes | None = None) -> str:
        digest = hashlib.sha256(self.files.get(path, b"") if content is None else content).hexdigest()
        return f"https://localhost:{self.port}{path}#sha256={digest}"


class _Hub(Quiet):
    """As much of the hub's API as `repo_info`, `list_repo_tree` and `hf_hub_download` ask for."""

    def do_GET(self) -> None:
        hub, path = self.server.ours, unquote(urlsplit(self.path).path)
        hub.asked.append(path)
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            return self.give(401, X_Error_Code="GatedRepo", X_Error_Message="Access to this model is restricted")
        if path in (f"/api/models/{hub.repository}/revision/{name}" for name in (hub.branch, hub.commit)):
            return self._json({"id": hub.repository, "sha": hub.commit, "siblings": []})
        if path == f"/api/models/{hub.repository}/tree/{hub.commit}":
            return self._json([self._entry(name, content) for name, content in hub.files.items()])
        return self._file(path.removeprefix(f"/{hub.repository}/resolve/{hub.commit}/"))

    do_HEAD = do_GET  # noqa: N815  # as the library calls it

    def _file(self, name: str) -> None:
        hub = self.server.ours
        if name not in hub.files:
            return self.give(404, X_Error_Code="EntryNotFound" if hub.repository in self.path else "RepoNotFound")
        content = hub.files[name]
        return self.give(200, content, ETag=f'"{hashlib.sha1(content).hexdigest()}"', X_Repo_Commit=hub.commit)

    def _entry(self, name: str, content: bytes) -> dict[str, object]:
        return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def _json(self, told: object) -> None:
        self.give(200, json.dumps(told).encode(), Content_Type="application/json")


class Hub(Running):
    """An imitation: one repository of models with one branch, and a token where it is gated."""

    repository, branch = "acme/fraud", "main"

    def __init__(self) -> None:
        super().__init__(_Hub)
        self.token = ""

    @property
    def commit(self) -> str:
        told = b"".join(name.encode() + content for name, content in sorted(self.files.items()))
        return hashlib.sha1(told).hexdigest()


class _Lfs(Quiet):
    """As much of its batch API as a download asks for, whatever size it is asked by."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        (asked,) = json.loads(self.rfile.read(length))["objects"]
        if self.server.ours.status != 200:
            return self.give(self.server.ours.status)
        there = {"href": f"http://127.0.0.1:{self.server.ours.port}/object"}
        told = {"transfer": "basic", "objects": [{**asked, "actions": {"download": there}}]}
        return self.give(200, json.dumps(told).encode(), Content_Type="application/vnd.git-lfs+json")

    def do_GET(self) -> None:
        content = self.server.ours.files.get("/object")
        if content is None:
            return endless(self)
        return self.give(200, content)


class LfsServer(Running):
    """One object, `/object` of its files, for every one that is asked for; without it, a stream without an end."""

    def __init__(self) -> None:
        super().__init__(_Lfs)
        self.status = 200
        self.start()


class _OfFolder(Quiet):
    def do_GET(self) -> None:
        self.server.ours.asked.append(self.headers.get("Authorization", "nobody"))
        content = self.server.ours.files.get(self.path)
        if self.server.ours.status != 200:
            self.give(self.server.ours.status)
        elif content is None:
            self.give(404)
        else:
            self.give(200, content)

    do_HEAD = do_GET  # noqa: N815  # as the library calls it


class FolderServer(Running):
    """Files below a folder, over plain http; or `status`, for each. `asked` keeps as whom they came."""

    def __init__(self, folder: Path) -> None:
        super().__init__(_OfFolder)
        found = (path for path in folder.rglob("*") if path.is_file())
        self.files = {f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in found}
        self.status = 200
        self.start()


class _Doorkeeper(Quiet):
    def do_GET(self) -> None:
        self.server.ours.asked.append(self.headers.get("Authorization", "nobody"))
        self.give(401, WWW_Authenticate='Basic realm="a registry"')

    do_HEAD = do_GET  # noqa: N815  # as the client calls it


class Doorkeeper(Running):
    """A registry that lets nobody in, and keeps in `asked` as whom they came."""

    def __init__(self) -> None:
        super().__init__(_Doorkeeper)
        self.start()
