"""The routes: `infer` by hand, everything else by Starlette.

One row of a small model costs 5 µs in onnxruntime and 60 µs in HTTP, so the one hot path skips Starlette's
routing and request objects, which halve the throughput (measured with wrk).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from serving import protocol
from serving.errors import RequestRefused
from serving.inference import Model
from serving.metrics import Metrics
from serving.protocol import Rules
from serving.request_log import RequestLog, Served
from serving.tensors import Batch

log = logging.getLogger(__name__)

INLINE_BELOW_SECONDS = 0.001
_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")
_DISCARDED = 8  # times the limit: so much of a too large body is read away, so that the client sees the answer


@dataclass(frozen=True)
class Application:
    """The ASGI application of one model.

    `draining` is set once the process leaves: from then on each answer ends its connection, so that a client's
    next request opens a new one, to the process that took over.
    """

    model: Model
    metrics: Metrics
    request_log: RequestLog | None
    rules: Rules
    draining: threading.Event
    most_bytes: int
    inline: bool

    @cached_property
    def places(self) -> tuple[str, str]:
        """The paths of the model: without a version, and with the one that is served."""
        own = f"/v2/models/{self.model.name}"
        return own, f"{own}/versions/{self.model.version}"

    @cached_property
    def _infer_paths(self) -> frozenset[str]:
        return frozenset(f"{place}/infer" for place in self.places)

    @cached_property
    def _other_routes(self) -> Starlette:
        return _routes(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._infer_paths and scope["method"] == "POST":
            await self._infer(scope, receive, send)
        else:
            await self._other_routes(scope, receive, self._closing(send))

    async def _infer(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        body = await _body(receive, most_bytes=self.most_bytes)
        if body is None:  # the client went away
            return
        status, content = await self._answer(scope, body)
        self.metrics.requests.labels(code=str(status)).inc()
        self.metrics.seconds.observe(time.perf_counter() - start)
        headers = [_JSON, (b"content-length", str(len(content)).encode())]
        if self.draining.is_set():
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        try:
            _refuse_unreadable(dict(scope["headers"]), size=len(body), most_bytes=self.most_bytes)
            return 200, await self._predict(body)
        except RequestRefused as refusal:
            return refusal.status, _error(refusal.reason)
        except Exception:
            log.exception("a request failed")
            return 500, _error("the model failed on this request; the server's log says why")

    async def _predict(self, body: bytes) -> bytes:
        request = protocol.read(body, model=self.model, rules=self.rules)
        logged = self.request_log is not None  # the log wants every output, whatever the client filters
        names = tuple(self.model.outputs) if logged else request.outputs
        if self.inline:
            answer = self.model.answer(request.batch, names)
        else:
            answer = await asyncio.to_thread(self.model.answer, request.batch, names)
        self._count(request, answer)
        return protocol.write(request, answer, model=self.model)

    def _count(self, request: protocol.Request, answer: Batch) -> None:
        self.metrics.rows.inc(request.rows)
        if request.unknown_inputs:
            self.metrics.unknown_inputs.inc(request.unknown_inputs)
        if self.request_log is not None:
            times = request.times or (time.time_ns() // 1000,) * request.rows
            self.request_log.record(Served(request.id, times, request.batch | answer))

    def _closing(self, send: Send) -> Send:
        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and self.draining.is_set():
                message = {**message, "headers": [*message["headers"], _CLOSE]}
            await send(message)

        return send_and_close


def _routes(application: Application) -> Starlette:
    model, metrics, draining = application.model, application.metrics, application.draining

    async def live(_: HttpRequest) -> Response:
        return JSONResponse({"live": True})

    async def ready(_: HttpRequest) -> Response:
        is_ready = not draining.is_set()
        return JSONResponse({"ready": is_ready}, status_code=200 if is_ready else 503)

    async def server(_: HttpRequest) -> Response:
        return JSONResponse({"name": "slipway-serving", "version": "2", "extensions": []})

    async def about(_: HttpRequest) -> Response:
        return JSONResponse(_metadata(model))

    async def counts(_: HttpRequest) -> Response:
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    routes = {"/v2": server, "/v2/health/live": live, "/v2/health/ready": ready, "/metrics": counts}
    for place in application.places:
        routes |= {place: about, f"{place}/ready": ready}

    async def refuse(request: HttpRequest, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException)
        reason = f"{request.method} {request.url.path[:200]}: {failure.detail}; the model is at {application.places[1]}"
        return JSONResponse({"error": reason}, status_code=failure.status_code, headers=failure.headers)

    return Starlette(
        routes=[Route(path, endpoint) for path, endpoint in routes.items()],
        exception_handlers={HTTPException: refuse},
    )


def _metadata(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "onnxruntime_onnx",
        "inputs": [specification.metadata() for specification in model.inputs.values()],
        "outputs": [specification.metadata() for specification in model.outputs.values()],
    }


def _refuse_unreadable(headers: Mapping[bytes, bytes], *, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise RequestRefused(f"body: larger than {most_bytes} bytes", status=413)
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").lower()
    if encoding != "identity":
        raise RequestRefused(f"Content-Encoding: `{encoding[:40]}` is not read yet: send the body as it is", status=415)
    content_type = headers.get(b"content-type", b"").decode("latin-1").lower()
    if b"inference-header-content-length" in headers or content_type.startswith("application/octet-stream"):
        raise RequestRefused("body: binary tensors are not read yet: send JSON with `data`", status=415)


async def _body(receive: Receive, *, most_bytes: int) -> bytes | None:
    """Read the body; of a too large one only enough is kept to see that it is. None: the client went away."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        if size <= most_bytes:
            chunks.append(message["body"])
        size += len(message["body"])
        if not message["more_body"] or size > most_bytes * _DISCARDED:
            return b"".join(chunks)


def _error(reason: str) -> bytes:
    return orjson.dumps({"error": reason})
