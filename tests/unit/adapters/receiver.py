"""A program of a team that a webhook tells: a real server on this machine, which keeps what came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Came:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are the statuses that it gives next, then always 204; `to` is where it redirects."""

    url: str
    answers: list[int] = field(default_factory=list)
    to: str = ""
    came: list[Came] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, told: Receiver, *connection: Any) -> None:
        self._told = told
        super().__init__(*connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._told.came.append(Came({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self._told.answers.pop(0) if self._told.answers else 204)
        if self._told.to:
            self.send_header("location", self._told.to)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver(*answers: int, to: str = "") -> Iterator[Receiver]:
    told = Receiver("", list(answers), to)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, told)) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/slipway"
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        try:
            yield told
        finally:
            server.shutdown()
