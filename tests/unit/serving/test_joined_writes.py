"""Head and body of an answer leave together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from serving.joined_writes import JoinedWrites


class Sent(asyncio.Transport):
    """Keeps each write as it would have gone to the system."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


def within_a_loop(steps: Callable[[JoinedWrites, Sent], Awaitable[None]]) -> Sent:
    async def run() -> Sent:
        sent = Sent()
        await steps(JoinedWrites(sent, asyncio.get_running_loop()), sent)
        return sent

    return asyncio.run(run())


def test_head_and_body_are_one_write() -> None:
    """Each call of the system costs a small answer a third of its time."""

    async def steps(joined: JoinedWrites, sent: Sent) -> None:
        joined.write(b"head")
        joined.write(b"body")
        assert joined.get_write_buffer_size() == 8 and not sent.writes
        joined.flush()

    assert within_a_loop(steps).writes == [b"headbody"]


def test_what_nobody_flushes_leaves_at_the_end_of_the_turn() -> None:
    """As `100 Continue` does: a client waits for it before it sends its body, and would wait for ever."""

    async def steps(joined: JoinedWrites, sent: Sent) -> None:
        joined.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0)
        assert sent.writes == [b"HTTP/1.1 100 Continue\r\n\r\n"]

    within_a_loop(steps)


def test_a_large_body_is_not_copied_and_keeps_its_place() -> None:
    """The order of bytes is all that a stream has."""
    large = b"x" * 100_000

    async def steps(joined: JoinedWrites, sent: Sent) -> None:
        joined.writelines([b"head", large, b"next"])
        joined.flush()

    assert within_a_loop(steps).writes == [b"head", large, b"next"]


@pytest.mark.parametrize(("end", "writes"), [("close", [b"last"]), ("abort", [])])
def test_closing_sends_what_is_held_and_aborting_drops_it(end: str, writes: list[bytes]) -> None:
    """A refusal is written and its connection closed in one breath: it must still arrive."""

    async def steps(joined: JoinedWrites, sent: Sent) -> None:
        joined.write(b"last")
        getattr(joined, end)()
        await asyncio.sleep(0)

    sent = within_a_loop(steps)
    assert sent.writes == writes and sent.closed


def test_a_real_connection_gets_every_byte_in_order() -> None:
    """Small and large ones, over a socket whose buffer is smaller than they are."""
    pieces = [bytes([number % 251]) * (number * 997 % 150_000) for number in range(60)]

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=theirs)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        joined = JoinedWrites(transport, loop)
        for number, piece in enumerate(pieces):
            joined.write(piece)
            if number % 7 == 0:
                await asyncio.sleep(0)
        joined.close()
        found = await reader.read()
        writer.close()
        await writer.wait_closed()
        return found

    assert asyncio.run(run()) == b"".join(pieces)
