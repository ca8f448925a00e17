"""Everything that is asked about the server and its model, but `infer`."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from serving.infer import Infer
from serving.inference import Model
from serving.openapi import describe

EXTENSIONS = ("binary_tensor_data",)
_Endpoint = Callable[[HttpRequest], Awaitable[Response]]


def places(model: Model) -> tuple[str, str]:
    """The paths of the model: without a version, and with the one that is served."""
    own = f"/v2/models/{model.name}"
    return own, f"{own}/versions/{model.version}"


def of(infer: Infer, *, draining: threading.Event) -> Starlette:
    model, metrics = infer.model, infer.metrics
    description = describe(model, places=places(model))

    async def ready(_: HttpRequest) -> Response:
        is_ready = not draining.is_set()
        return JSONResponse({"ready": is_ready}, status_code=200 if is_ready else 503)

    async def model_ready(request: HttpRequest) -> Response:
        answer = await ready(request)
        content = {"name": model.name, "ready": answer.status_code == 200}
        return JSONResponse(content, status_code=answer.status_code)

    async def counts(_: HttpRequest) -> Response:
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    endpoints: dict[str, _Endpoint] = {
        "/v2": _constant({"name": "slipway-serving", "version": "2", "extensions": list(EXTENSIONS)}),
        "/v2/health/live": _constant({"live": True}),
        "/v2/health/ready": ready,
        "/metrics": counts,
        "/openapi.json": _constant(description),
    }
    for place in places(model):
        endpoints |= {place: _constant(_metadata(model)), f"{place}/ready": model_ready}
    return Starlette(
        routes=[
            *(Route(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()),
            *(Route(f"{place}/infer", _unreachable, methods=["POST"]) for place in places(model)),
        ],
        exception_handlers={HTTPException: _refuse_for(model)},
    )


def _constant(content: dict[str, object]) -> _Endpoint:
    async def endpoint(_: HttpRequest) -> Response:
        return JSONResponse(content)

    return endpoint


async def _unreachable(_: HttpRequest) -> Response:
    """Of `infer` the application answers every POST itself; the route is there so that a GET gets a 405."""
    raise HTTPException(404)


def _refuse_for(model: Model) -> Callable[[HttpRequest, Exception], Awaitable[Response]]:
    async def refuse(request: HttpRequest, failure: Exception) -> Response:
        assert isinstance(failure, HTTPException)
        asked = f"{request.method} {request.url.path[:200]}"
        reason = f"{asked}: {failure.detail}; the model is at {places(model)[1]}"
        return JSONResponse({"error": reason}, status_code=failure.status_code, headers=failure.headers)

    return refuse


def _metadata(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "onnxruntime_onnx",
        "inputs": [specification.metadata() for specification in model.inputs.values()],
        "outputs": [specification.metadata() for specification in model.outputs.values()],
    }
