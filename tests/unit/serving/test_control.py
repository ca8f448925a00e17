"""The control socket: one line in, one JSON line out."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.control import Control, Reply, receive_listener
from serving.listener import bind


@pytest.fixture
def path() -> Iterator[Path]:
    """A short one: a Unix socket's path has at most 103 characters."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "control"


async def fine() -> Reply:
    return {"fine": True}


async def refuse() -> Reply:
    return {"error": "does not accept"}


def say(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(line)
        return connection.makefile("rb").readline()


def test_only_its_owner_can_open_it(path: Path) -> None:
    """Who can speak to it can take the listening socket."""

    async def run() -> int:
        with bind("127.0.0.1", 0) as listening:
            control = Control(path, {"status": fine}, share=lambda: listening)
            await control.start()
            mode = path.stat().st_mode
            control.close()
        return stat.S_IMODE(mode)

    assert asyncio.run(run()) & 0o077 == 0
    assert not path.exists()


@pytest.mark.parametrize("line", [b"nonsense\n", b"\n", b"\xff\xfe\n"])
def test_an_unknown_command_is_answered_with_those_that_there_are(path: Path, line: bytes) -> None:
    """A newer rollout may speak to an older server."""

    async def run() -> bytes:
        with bind("127.0.0.1", 0) as listening:
            control = Control(path, {"status": fine}, share=lambda: listening)
            await control.start()
            reply = await asyncio.to_thread(say, path, line)
            control.close()
        return reply

    assert json.loads(asyncio.run(run())) == {"error": "commands: status"}


def test_an_endless_line_ends_its_connection_and_nothing_else(path: Path) -> None:
    """The control socket is the way to a healthy swap: it must outlive any nonsense."""

    async def run() -> bytes:
        with bind("127.0.0.1", 0) as listening:
            control = Control(path, {"status": fine}, share=lambda: listening)
            await control.start()
            with pytest.raises(OSError):
                while True:
                    await asyncio.to_thread(say, path, b"x" * 1_000_000)
            reply = await asyncio.to_thread(say, path, b"status\n")
            control.close()
        return reply

    assert json.loads(asyncio.run(run())) == {"fine": True}


def test_the_listening_socket_that_is_handed_over_is_the_same_one(path: Path) -> None:
    """A second socket on the port would split, and on closing lose, the connections that wait."""

    async def run() -> bytes:
        listening = bind("127.0.0.1", 0)
        address = listening.getsockname()
        control = Control(path, {"listener": fine}, share=lambda: listening)
        await control.start()
        inherited = await asyncio.to_thread(receive_listener, path)
        client = socket.create_connection(address, timeout=30)  # queued before the first owner closes its copy
        listening.close()
        control.close()
        with inherited, client:
            inherited.setblocking(True)
            connection, _ = inherited.accept()
            with connection:
                connection.sendall(b"still here")
            return client.recv(100)

    assert asyncio.run(run()) == b"still here"


def test_a_server_that_does_not_listen_gives_no_socket(path: Path) -> None:
    """The new version must fail loudly here, and be ended, while the old one serves on."""

    async def run() -> None:
        with bind("127.0.0.1", 0) as listening:
            control = Control(path, {"listener": refuse}, share=lambda: listening)
            await control.start()
            try:
                await asyncio.to_thread(receive_listener, path)
            finally:
                control.close()

    with pytest.raises(ConnectionError, match=r"gave no listening socket.*does not accept"):
        asyncio.run(run())
