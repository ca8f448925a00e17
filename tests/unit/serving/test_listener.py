"""The listening socket, and what happens to connections when a process lets go of it."""

from __future__ import annotations

import asyncio
import socket

from serving.listener import Listener, bind, url_of


class Greeter(asyncio.Protocol):
    """Says hello to each connection; `greeted` counts them."""

    greeted = 0
    nodelay = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        own = transport.get_extra_info("socket")
        Greeter.nodelay = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        Greeter.greeted += 1
        transport.write(b"hello")
        transport.close()


def connect(listening: socket.socket) -> socket.socket:
    return socket.create_connection(listening.getsockname(), timeout=30)


def read(client: socket.socket) -> bytes:
    with client:
        return client.recv(10)


def test_head_and_body_of_an_answer_do_not_wait_for_each_other() -> None:
    """Without TCP_NODELAY each answer on a kept connection took 44 ms instead of 0.5 ms."""

    async def run() -> None:
        listening = bind("127.0.0.1", 0)
        listener = Listener(listening, Greeter)
        client = connect(listening)
        await asyncio.to_thread(read, client)
        await listener.stop()

    asyncio.run(run())
    assert Greeter.nodelay != 0


def test_the_last_process_answers_all_that_the_kernel_had_queued() -> None:
    """Connections wait in the kernel for whoever accepts; with nobody left to come, a close would reset them."""

    async def run() -> list[bytes]:
        listening = bind("127.0.0.1", 0)
        listener = Listener(listening, Greeter)
        clients = [connect(listening) for _ in range(40)]  # the loop has had no turn to accept one
        await listener.stop()
        return [await asyncio.to_thread(read, client) for client in clients]

    assert asyncio.run(run()) == [b"hello"] * 40


def test_a_process_that_shared_the_socket_leaves_the_queue_to_the_next() -> None:
    """The next one is warm and waits; the one that leaves would only make them wait for its drain."""

    async def run() -> tuple[int, list[bytes]]:
        listening = bind("127.0.0.1", 0)
        inherited = listening.dup()
        Greeter.greeted = 0
        first = Listener(listening, Greeter)
        first.shared = True
        clients = [connect(inherited) for _ in range(40)]
        await first.stop()
        greeted_by_first = Greeter.greeted
        second = Listener(inherited, Greeter)
        answers = [await asyncio.to_thread(read, client) for client in clients]
        await second.stop()
        return greeted_by_first, answers

    assert asyncio.run(run()) == (0, [b"hello"] * 40)


def test_a_stopped_listener_refuses_at_once() -> None:
    """A load balancer must see a refusal, not a connection that nobody reads."""

    async def run() -> int:
        listening = bind("127.0.0.1", 0)
        address = listening.getsockname()
        await Listener(listening, Greeter).stop()
        with socket.socket() as client:
            return client.connect_ex(address)

    assert asyncio.run(run()) != 0


def test_the_address_is_one_that_clients_can_use() -> None:
    """Port 0 means "any": what counts is the port that it became."""
    with bind("127.0.0.1", 0) as listening:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
