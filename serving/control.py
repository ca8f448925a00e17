"""The control socket: one line in, one JSON line out, for whoever rolls versions out.

status     what is served, and whether it accepts
accept     start accepting, for a server that was started with --hold; answers once it does
listener   the same, with a copy of the listening socket attached (SCM_RIGHTS)
flush      answers once the served log was written, and whether all of it is stored
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

Reply = dict[str, object]
Command = Callable[[], Awaitable[Reply]]

_LONGEST_REPLY = 65_536
_SECONDS = 10.0


class Control:
    """Answers on a Unix socket that only its owner can open."""

    def __init__(self, path: Path, commands: Mapping[str, Command], *, share: Callable[[], socket.socket]) -> None:
        self._path = path
        self._commands = commands
        self._share = share
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._answer, self._path)
        finally:
            os.umask(before)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = (await reader.readline()).decode("utf-8", "replace").strip()
            answer = self._commands.get(command)
            reply = await answer() if answer else {"error": f"commands: {', '.join(self._commands)}"}
            line = json.dumps(reply).encode() + b"\n"
            if command == "listener" and "error" not in reply:
                self._send_listener(writer, line)
            else:
                writer.write(line)
                await writer.drain()
        except (OSError, ValueError):  # who asked went away, or sent an endless line
            pass
        finally:
            writer.close()

    def _send_listener(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        # asyncio's own view of the socket has no sendmsg; a copy of the descriptor has.
        descriptor = os.dup(writer.get_extra_info("socket").fileno())
        with socket.socket(fileno=descriptor) as plain:
            socket.send_fds(plain, [line], [self._share().fileno()])


def receive_listener(path: Path) -> socket.socket:
    """Ask the server behind the control socket `path` for a copy of its listening socket.

    Raises:
        OSError: it does not answer, or does not listen.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(str(path))
        connection.sendall(b"listener\n")
        line, descriptors, _flags, _address = socket.recv_fds(connection, _LONGEST_REPLY, 1)
    if not descriptors:
        raise ConnectionError(f"{path} gave no listening socket: {line.decode(errors='replace').strip()}")
    return socket.socket(fileno=descriptors[0])
