"""The application: who asks, for which repository, and the page of the answer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.github_stand_in import git_data, mutations, pulls, runs, settings, threads
from tests.github_stand_in.asking import Answer, Ask, Handler
from tests.github_stand_in.description import Exchange, answer_schema, description, fill
from tests.github_stand_in.faults import Faults
from tests.github_stand_in.store import Hosted, Says

_ROUTES = {
    **settings.ROUTES,
    **runs.ROUTES,
    **pulls.ROUTES,
    **threads.ROUTES,
    **git_data.ROUTES,
}  # `/commits/{ref}/status` before `/commits/{ref}`
_BASE = "/repos/{owner}/{repo}"
_DOCUMENTATION = "https://docs.github.com/rest"


_TOKENS = {"secret-token": "slipway[bot]", "app-token": "slipway-app[bot]"}


@dataclass
class GitHub:
    """`tokens` are the known tokens, each with the login that it speaks for; `exchanges` is all that was said."""

    hosted: dict[str, Hosted] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=lambda: dict(_TOKENS))
    exchanges: list[Exchange] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.faults = Faults(Starlette(routes=[*_routes(self), Route("/graphql", self._graphql, methods=["POST"])]))

    def host(self, hosted: Hosted) -> Hosted:
        hosted.url = self.url
        self.hosted[hosted.name] = hosted
        return hosted

    async def answer(self, template: str, handler: Handler, request: Request) -> Response:
        body = json.loads(await request.body() or b"null")
        try:
            answer = await run_in_threadpool(self._handle, handler, request, body)
            content = self._filled(template, request, answer)
        except Says as said:
            answer, content = Answer(said.status), _error(said)
        response = _page(template, request, answer.status, content)
        shown = json.loads(bytes(response.body)) if response.body else None
        exchange = Exchange(request.method, request.url.path, request.url.query, body, answer.status, shown)
        self.exchanges.append(exchange)
        return response

    def _handle(self, handler: Handler, request: Request, body: Any) -> Answer:
        hosted = self.hosted.get(f"{request.path_params['owner']}/{request.path_params['repo']}")
        login = self._login(request)
        if hosted is None:
            raise Says(404, "Not Found")
        path = {name: str(value) for name, value in request.path_params.items()}
        with hosted.lock:
            return handler(Ask(hosted, login, path, dict(request.query_params), {} if body is None else body))

    def _login(self, request: Request) -> str:
        given = request.headers.get("authorization", "").partition(" ")[2]
        if given not in self.tokens:
            raise Says(401, "Bad credentials" if given else "Requires authentication")
        return self.tokens[given]

    def _filled(self, template: str, request: Request, answer: Answer) -> Any:
        schema = answer_schema(template, request.method, answer.status)
        return answer.fields if schema is None else fill(schema, answer.fields)

    async def _graphql(self, request: Request) -> Response:
        try:
            login = self._login(request)
        except Says as said:
            return JSONResponse(_error(said), status_code=said.status)
        body = await request.json()
        if body["query"] == "{viewer{login}}":
            return JSONResponse({"data": {"viewer": {"login": login}}})
        return JSONResponse(await run_in_threadpool(mutations.answer, self._by_node, body))

    def _by_node(self, node: str) -> Hosted | None:
        return self.hosted.get(node.removeprefix("R_"))


def _routes(github: GitHub) -> list[Route]:
    return [
        Route(_address(path), _endpoint(github, _BASE + path, handler), methods=[verb])
        for (verb, path), handler in _ROUTES.items()
    ]


def _endpoint(github: GitHub, template: str, handler: Handler) -> Any:
    async def endpoint(request: Request) -> Response:
        return await github.answer(template, handler, request)

    return endpoint


def _address(path: str) -> str:
    """The names of refs, tags and files hold slashes."""
    deep = {"{ref}", "{basehead}", "{path}", "{tag}"}
    parts = [f"{part[:-1]}:path}}" if part in deep else part for part in path.split("/")]
    return _BASE + "/".join(parts)


def _page(template: str, request: Request, status: int, content: Any) -> Response:
    if content is None:
        return Response(status_code=status)
    paged = "page" in description()["paths"][template][request.method.lower()]["query"]
    if not paged or not isinstance(content, list):
        return JSONResponse(content, status_code=status)
    size, page = int(request.query_params.get("per_page", 30)), int(request.query_params.get("page", 1))
    links = []
    if page * size < len(content):
        last = math.ceil(len(content) / size)
        links = [
            f'<{_with_page(request, number)}>; rel="{name}"' for name, number in (("next", page + 1), ("last", last))
        ]
    headers = {"Link": ", ".join(links)} if links else {}
    return JSONResponse(content[(page - 1) * size : page * size], status_code=status, headers=headers)


def _with_page(request: Request, page: int) -> str:
    query = urlencode({**request.query_params, "page": page})
    return f"{request.base_url}{request.url.path.lstrip('/')}?{query}"


def _error(said: Says) -> dict[str, Any]:
    about: dict[str, Any] = {"message": said.message, "documentation_url": _DOCUMENTATION, "status": str(said.status)}
    if said.errors:
        about["errors"] = list(said.errors)
    if said.status == 405:
        del about["status"]
    return about
