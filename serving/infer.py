"""The one hot path: a body in, the model's run, an answer out.

A request that is there as a whole is answered by `begin`, as a rule at once. As an ASGI application, `Infer` reads the
body first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from starlette.types import Receive, Scope, Send

from serving import bodies, protocol
from serving.admission import RETRY_AFTER_SECONDS, Admission, Visit, overloaded
from serving.bodies import ClientGone
from serving.errors import RequestRefused
from serving.execution import Execution
from serving.inference import Model
from serving.metrics import Metrics
from serving.predictions import Predictions
from serving.protocol import Request, Rules
from serving.request_log import RequestLog
from serving.served import Served
from serving.tensors import Batch

log = logging.getLogger(__name__)

_JSON = (b"content-type", b"application/json")
_BINARY = (b"content-type", b"application/octet-stream")
_JSON_LENGTH = b"inference-header-content-length"
_IN_JSON = (_JSON,)

Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take, in bytes of its body, and from how many bytes an answer is compressed if wished."""

    most_bytes: int = 32 * 2**20
    compress_from_bytes: int = 64 * 2**10


class Predicted(NamedTuple):
    """What the model was asked, and what it said; `body_bytes` are those that the inputs are windows on."""

    request: Request
    outputs: Batch
    body_bytes: int


class Answer(NamedTuple):
    """Status, body and headers of an answer, but for the body's length; `predicted` is None of a refusal."""

    status: int
    content: bytes
    headers: tuple[tuple[bytes, bytes], ...] = _IN_JSON
    predicted: Predicted | None = None


Answering = Coroutine[Any, Any, Answer]  # of what waits for a thread


@dataclass(frozen=True)
class Infer:
    """Answers `infer` requests for one model. Who sends an answer says so by `sent`, whereupon it counts."""

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
        try:
            answer = await self._read_and_answer(dict(scope["headers"]), receive)
        except ClientGone:
            self.gone()
            return
        length = (b"content-length", str(len(answer.content)).encode())
        await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
        await send({"type": "http.response.body", "body": answer.content})
        self.sent(answer, seconds=time.perf_counter() - start)

    def begin(self, headers: Headers, body: bytes) -> Answer | Answering:
        """Answer a request whose body is there as a whole, or what of that has to wait for a thread."""
        visit = self.admission.enter()
        if visit is None:
            return self._refused(self._full())
        try:
            visit.hold(len(body))
            answer = self._answer(headers, body, visit)
        except Exception as failure:
            answer = self._failed(failure)
        if not isinstance(answer, Answer):
            return self._rest_of(answer, visit)
        visit.leave()
        return answer

    def sent(self, answer: Answer, *, seconds: float) -> None:
        """Count an answer and log it, once it is on its way: its client need not wait for that."""
        self.metrics.answered(answer.status, seconds)
        if answer.predicted is None:
            return
        try:
            self._count(answer.predicted)
        except Exception:  # it must not cost others, who are counted after it, their place
            log.exception("an answer could not be counted")

    def _count(self, predicted: Predicted) -> None:
        request, outputs, body_bytes = predicted
        self.metrics.rows.inc(request.rows)
        self.metrics.batch_rows.observe(request.rows)
        self.predictions.count(outputs, rows=request.rows)
        if request.unknown_inputs:
            self.metrics.unknown_inputs.inc(request.unknown_inputs)
        if self.request_log is not None:
            times = request.times or (time.time_ns() // 1000,) * request.rows
            self.request_log.record(Served(request.id, times, request.batch | outputs, body_bytes))

    def gone(self) -> None:
        """Count a client who did not wait."""
        self.metrics.failed("client_gone")

    async def _read_and_answer(self, headers: Headers, receive: Receive) -> Answer:
        visit = self.admission.enter()
        if visit is None:
            await bodies.discard(receive, most_bytes=self.limits.most_bytes)
            return self._refused(self._full())
        try:
            body = await bodies.read(receive, visit, most_bytes=self.limits.most_bytes)
            answer = self._answer(headers, body, visit)
            return answer if isinstance(answer, Answer) else await answer
        except ClientGone:
            raise
        except Exception as failure:
            return self._failed(failure)
        finally:
            visit.leave()

    async def _rest_of(self, answering: Answering, visit: Visit) -> Answer:
        try:
            return await answering
        except Exception as failure:
            return self._failed(failure)
        finally:
            visit.leave()

    def _answer(self, headers: Headers, body: bytes, visit: Visit) -> Answer | Answering:
        encoding = bodies.encoding_of(headers) if b"content-encoding" in headers else None
        if encoding is not None:
            return self._inflate_and_predict(headers, body, encoding, visit)
        return self._predict(headers, body)

    async def _inflate_and_predict(self, headers: Headers, body: bytes, encoding: str, visit: Visit) -> Answer:
        most = self.limits.most_bytes
        inflated = await self.execution.in_thread(lambda: bodies.inflate(body, encoding, most_bytes=most))
        visit.hold(len(inflated))
        answer = self._predict(headers, inflated)
        return answer if isinstance(answer, Answer) else await answer

    def _predict(self, headers: Headers, body: bytes) -> Answer | Answering:
        json_length = _json_length(headers)
        request = protocol.read(body, model=self.model, rules=self.rules, json_length=json_length)
        logged = self.request_log is not None  # the log wants every output, whatever the client filters
        names = tuple(self.model.outputs) if logged else request.outputs
        body_bytes = 0 if json_length is None else len(body)
        if not self.execution.is_quick(request.batch):
            return self._predict_in_thread(headers, request, names, body_bytes)
        outputs = self.execution.run(request.batch, names)
        return self._packed(headers, Predicted(request, outputs, body_bytes))

    async def _predict_in_thread(
        self, headers: Headers, request: Request, names: tuple[str, ...], body_bytes: int
    ) -> Answer:
        outputs = await self.execution.run_in_thread(request.batch, names)
        answer = self._packed(headers, Predicted(request, outputs, body_bytes))
        return answer if isinstance(answer, Answer) else await answer

    def _packed(self, headers: Headers, predicted: Predicted) -> Answer | Answering:
        content, json_length = protocol.write(predicted.request, predicted.outputs, model=self.model)
        own = _IN_JSON if json_length is None else (_BINARY, (_JSON_LENGTH, str(json_length).encode()))
        answer = Answer(200, content, own, predicted)
        if len(content) >= self.limits.compress_from_bytes and (encoding := bodies.wanted_encoding(headers)):
            return self._compressed(answer, encoding)
        return answer

    async def _compressed(self, answer: Answer, encoding: str) -> Answer:
        content = await self.execution.in_thread(lambda: bodies.compress(answer.content, encoding))
        said = ((b"content-encoding", encoding.encode()), (b"vary", b"accept-encoding"))
        return answer._replace(content=content, headers=(*answer.headers, *said))

    def _full(self) -> RequestRefused:
        return overloaded(f"{self.admission.requests} requests are in flight")

    def _failed(self, failure: Exception) -> Answer:
        if isinstance(failure, RequestRefused):
            return self._refused(failure)
        log.error("a request failed", exc_info=failure)
        self.metrics.failed("model_failed")
        return Answer(500, _error("the model failed on this request; the server's log says why"))

    def _refused(self, refusal: RequestRefused) -> Answer:
        self.metrics.failed(refusal.cause)
        later = ((b"retry-after", str(RETRY_AFTER_SECONDS).encode()),) if refusal.status == 503 else ()
        return Answer(refusal.status, _error(refusal.reason), (_JSON, *later))


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
