"""Short requests to `infer`, answered without ASGI, all that came in a turn of the event loop one after the other.

A task, uvicorn's cycle and the messages of ASGI cost as much as to read a row, run the model and answer does (measured
with wrk). What waits for a thread gets a task all the same.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from typing import Protocol

from serving.infer import Answer, Answering, Headers, Infer


class _Nobody:
    """Whom uvicorn wakes where a task would wait."""

    def set(self) -> None:
        pass


class Whole:
    """A request that is answered once it is there as a whole; it stands where uvicorn has its cycle."""

    __slots__ = ("chunks", "disconnected", "headers", "keep_alive", "response_complete", "since")
    message_event = _Nobody()
    response_started = False  # an answer is sent as a whole, too

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.chunks: list[bytes] = []
        self.since = 0.0
        self.keep_alive = True
        self.response_complete = self.disconnected = False

    @property
    def body(self) -> bytes:
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)


class Client(Protocol):
    """The connection that such a request came by."""

    @property
    def is_gone(self) -> bool:
        """Whether nobody would get an answer."""

    def answer(self, whole: Whole, answer: Answer) -> None:
        """Have an answer ready, to leave at `flush`."""

    def flush(self) -> None: ...


class Turns:
    """Answers in a turn of the event loop what came in the turn before.

    Answers to several clients leave together: each write wakes its client, and drives out of the processor's caches
    what the next request needs.
    """

    def __init__(
        self, infer: Infer, *, paths: Collection[bytes], draining: threading.Event, tasks: set[asyncio.Task[None]]
    ) -> None:
        self._infer = infer
        self._paths = frozenset(paths)
        self._draining = draining
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Client, Whole]] = []

    def takes(self, url: bytes, *, body_bytes: int) -> bool:
        """Whether a POST is one of those."""
        return url in self._paths and body_bytes <= self._infer.limits.most_bytes

    def add(self, client: Client, whole: Whole) -> None:
        if not self._waiting:
            self._loop.call_soon(self._answer_all)
        self._waiting.append((client, whole))

    def _answer_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        answered = [(whole, self._answer(client, whole)) for client, whole in waiting]
        for client, _ in waiting:
            client.flush()
        for whole, answer in answered:
            if answer is not None:
                self._infer.sent(answer, seconds=time.perf_counter() - whole.since)

    def _answer(self, client: Client, whole: Whole) -> Answer | None:
        if client.is_gone:
            self._infer.gone()
            return None
        whole.since = time.perf_counter()
        answer = self._infer.begin(whole.headers, whole.body)
        if isinstance(answer, Answer):
            self._send(client, whole, answer)
            return answer
        task = self._loop.create_task(self._answer_later(client, whole, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None

    async def _answer_later(self, client: Client, whole: Whole, answering: Answering) -> None:
        answer = await answering
        if client.is_gone:
            self._infer.gone()
            return
        self._send(client, whole, answer)
        client.flush()
        self._infer.sent(answer, seconds=time.perf_counter() - whole.since)

    def _send(self, client: Client, whole: Whole, answer: Answer) -> None:
        whole.keep_alive = whole.keep_alive and not self._draining.is_set()
        client.answer(whole, answer)
