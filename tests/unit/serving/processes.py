"""A real server process, spoken to over its two sockets."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

BODY = json.dumps(
    {
        "inputs": [
            {"name": "hour", "datatype": "FP32", "shape": [1, 1], "data": [6]},
            {"name": "carrier", "datatype": "BYTES", "shape": [1, 1], "data": ["AA"]},
        ]
    }
).encode()
HEAD = b"POST /v2/models/flight-delay/infer HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % len(BODY)
PATIENCE = 60.0


class Server:
    """A server process, spoken to over its two sockets."""

    def __init__(self, control: Path, arguments: list[str]) -> None:
        self.control = control
        self._said = Path(f"{control}.log")
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving", "--control-socket", str(control), *arguments],
                stdin=subprocess.PIPE,
                stderr=said,
            )

    def said(self) -> str:
        """What it printed."""
        return self._said.read_text()

    def say(self, line: bytes) -> Any:
        while True:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE)
                if connection.connect_ex(str(self.control)) == 0:
                    connection.sendall(line + b"\n")
                    return json.loads(connection.makefile("rb").readline())
            assert self.process.poll() is None

    def address(self) -> tuple[str, int]:
        while not (status := self.say(b"status"))["accepting"]:
            assert self.process.poll() is None
        host, _, port = status["url"].removeprefix("http://").partition(":")
        return host, int(port)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address(), timeout=PATIENCE)

    def leave(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def discard(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


def answer(connection: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response


def read_status(stream: BinaryIO) -> int:
    """The status of the next answer, read to its end."""
    status, length = int(stream.readline().split()[1]), 0
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    stream.read(length)
    return status
