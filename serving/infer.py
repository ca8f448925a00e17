"""The one hot path, as bare ASGI: read a body, run the model, write the answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

import orjson
from starlette.types import Receive, Scope, Send

from serving import bodies, protocol
from serving.admission import RETRY_AFTER_SECONDS, Admission, overloaded
from serving.bodies import ClientGone, Incoming
from serving.errors import RequestRefused
from serving.execution import Execution
from serving.inference import Model
from serving.metrics import Metrics
from serving.predictions import Predictions
from serving.protocol import Body, Rules
from serving.request_log import RequestLog
from serving.served import Served
from serving.tensors import Batch

log = logging.getLogger(__name__)

_JSON = (b"content-type", b"application/json")
_BINARY = (b"content-type", b"application/octet-stream")
_JSON_LENGTH = b"inference-header-content-length"

Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take, in bytes of its body, and from how many bytes an answer is compressed if wished."""

    most_bytes: int = 32 * 2**20
    compress_from_bytes: int = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of an answer."""

    status: int
    content: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [_JSON])


@dataclass(frozen=True)
class Infer:
    """Answers `infer` requests for one model."""

    model: Model
    execution: Execution
    admission: Admission
    metrics: Metrics
    predictions: Predictions
    request_log: RequestLog | None
    rules: Rules
    limits: Limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        incoming = Incoming(receive, self.admission, most_bytes=self.limits.most_bytes)
        try:
            answer = await self._admitted(dict(scope["headers"]), incoming)
        except ClientGone:
            self.metrics.failed("client_gone")
            return
        self.metrics.answered(answer.status, time.perf_counter() - start)
        headers = [*answer.headers, (b"content-length", str(len(answer.content)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def _admitted(self, headers: Headers, incoming: Incoming) -> Answer:
        if not self.admission.enter():
            await incoming.discard()
            return self._refused(overloaded(f"{self.admission.requests} requests are in flight"))
        try:
            return await self._answer(headers, incoming)
        finally:
            self.admission.leave(held_bytes=incoming.held_bytes)

    async def _answer(self, headers: Headers, incoming: Incoming) -> Answer:
        try:
            body = await self._body(headers, incoming)
            answer = await self._predict(body, json_length=_json_length(headers))
            return await self._packed(answer, headers)
        except RequestRefused as refusal:
            return self._refused(refusal)
        except ClientGone:
            raise
        except Exception:
            log.exception("a request failed")
            self.metrics.failed("model_failed")
            return Answer(500, _error("the model failed on this request; the server's log says why"))

    async def _body(self, headers: Headers, incoming: Incoming) -> bytes:
        body = await incoming.read()
        encoding = bodies.encoding_of(headers) if b"content-encoding" in headers else None
        if encoding is None:
            return body
        most = self.limits.most_bytes
        inflated = await self.execution.in_thread(lambda: bodies.inflate(body, encoding, most_bytes=most))
        incoming.hold(len(inflated))
        return inflated

    async def _predict(self, body: bytes, *, json_length: int | None) -> Body:
        request = protocol.read(body, model=self.model, rules=self.rules, json_length=json_length)
        logged = self.request_log is not None  # the log wants every output, whatever the client filters
        names = tuple(self.model.outputs) if logged else request.outputs
        answer = await self.execution.answer(request.batch, names)
        self._count(request, answer, body_bytes=0 if json_length is None else len(body))
        return protocol.write(request, answer, model=self.model)

    async def _packed(self, body: Body, headers: Headers) -> Answer:
        content = body.content
        own = [_JSON] if body.json_length is None else [_BINARY, (_JSON_LENGTH, str(body.json_length).encode())]
        if len(content) >= self.limits.compress_from_bytes and (encoding := bodies.wanted_encoding(headers)):
            wished = encoding
            content = await self.execution.in_thread(lambda: bodies.compress(content, wished))
            own += [(b"content-encoding", wished.encode()), (b"vary", b"accept-encoding")]
        return Answer(200, content, own)

    def _count(self, request: protocol.Request, answer: Batch, *, body_bytes: int) -> None:
        self.metrics.rows.inc(request.rows)
        self.metrics.batch_rows.observe(request.rows)
        self.predictions.count(answer, rows=request.rows)
        if request.unknown_inputs:
            self.metrics.unknown_inputs.inc(request.unknown_inputs)
        if self.request_log is not None:
            times = request.times or (time.time_ns() // 1000,) * request.rows
            self.request_log.record(Served(request.id, times, request.batch | answer, body_bytes))

    def _refused(self, refusal: RequestRefused) -> Answer:
        self.metrics.failed(refusal.cause)
        headers = [_JSON]
        if refusal.status == 503:
            headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
        return Answer(refusal.status, _error(refusal.reason), headers)


def _json_length(headers: Headers) -> int | None:
    stated = headers.get(_JSON_LENGTH)
    if stated is None:
        return None
    if not stated.isdigit() or len(stated) > 18:
        shown = stated[:40].decode("latin-1")
        raise RequestRefused(f"Inference-Header-Content-Length must be a number of bytes, is `{shown}`")
    return int(stated)


def _error(reason: str) -> bytes:
    return orjson.dumps({"error": reason})
