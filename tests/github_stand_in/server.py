"""The stand-in, served on a free port of this machine by a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.github_stand_in.application import GitHub


@contextmanager
def served(github: GitHub) -> Iterator[GitHub]:
    """`github.url` is where it listens, until the block ends."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:  # asyncio answers at once only where that is named
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        github.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = uvicorn.Config(github.faults, http="h11", lifespan="off", log_level="critical", ws="none")
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield github
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
