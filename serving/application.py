"""The ASGI application of one model: `infer` by hand, everything else by Starlette.

One row of a small model costs 5 µs in onnxruntime and 60 µs in HTTP, so the one hot path skips Starlette's
routing and request objects, which halve the throughput (measured with wrk).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from serving import routes
from serving.infer import Infer
from serving.inference import Model

_CLOSE = (b"connection", b"close")


@dataclass(frozen=True)
class Application:
    """Dispatches requests.

    `draining` is set once the process leaves: from then on each answer ends its connection, so that a client's
    next request opens a new one, to the process that took over.
    """

    infer: Infer
    draining: threading.Event

    @property
    def model(self) -> Model:
        return self.infer.model

    @cached_property
    def infer_paths(self) -> frozenset[str]:
        return frozenset(f"{place}/infer" for place in routes.places(self.model))

    @cached_property
    def _other_routes(self) -> Starlette:
        return routes.of(self.infer, draining=self.draining)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = self._closing(send)
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self.infer_paths:
            await self.infer(scope, receive, send)
        else:
            await self._other_routes(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        async def send_and_close(message: Message) -> None:
            if self.draining.is_set() and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], _CLOSE]}
            await send(message)

        return send_and_close
