"""A team's pager: takes what Alertmanager delivers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.monitoring.programs import PATIENCE

Alert = dict[str, Any]


@dataclass
class Pager:
    url: str
    delivered: list[Alert] = field(default_factory=list)

    def wait_for(self, name: str, *, status: str = "firing", **labels: str) -> Alert:
        """The first of this name with these labels; none in half a minute fails the test."""
        wanted = {"alertname": name, **labels}.items()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for alert in tuple(self.delivered):
                if wanted <= alert["labels"].items() and alert["status"] == status:
                    return alert
            time.sleep(0.1)
        raise AssertionError(f"{name} was not delivered as {status}; there came {self.names()}")

    def names(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.delivered}


class _Webhook(BaseHTTPRequestHandler):
    def __init__(self, pager: Pager, *connection: Any) -> None:
        self._pager = pager
        super().__init__(*connection)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._pager.delivered.extend(body["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def pager() -> Iterator[Pager]:
    told = Pager("")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Webhook, told)) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/slipway"
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield told
        server.shutdown()
