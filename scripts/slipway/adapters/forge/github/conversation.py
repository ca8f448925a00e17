"""One request to GitHub and its answer: who asks, how often, and what a refusal means in our words.

PyGithub's requester is used without its objects: each method here is one request, so that it can be said of each
whether it may be repeated. A read may; a write may where the second one changes nothing or is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import stamina
from github import Auth, Github, GithubException
from urllib3.exceptions import NewConnectionError

from slipway.adapters.forge.github.answers import Busy, Changed, Lost, Refused, lost, refusal, wait_of

PAGE = 100  # items; the most that GitHub gives at once


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to ask and how often to try again; times in seconds.

    GitHub asks for a second between writes, and names longer waits itself. What it wants us to wait beyond
    `longest_wait` is left to the next run.
    """

    between_requests: float = 0.0
    between_writes: float = 1.0
    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 90.0
    silence: int = 30


class Conversation:
    """`repository` is `owner/name`; `api` the address of the REST API, such as `https://api.github.com`."""

    def __init__(self, repository: str, *, api: str, token: str | None, pace: Pace) -> None:
        self.repository = repository
        self.owner = repository.partition("/")[0]
        self.pace = pace
        self._token = token
        client = Github(
            auth=Auth.Token(token) if token else None,
            base_url=api,
            timeout=pace.silence,
            retry=None,
            seconds_between_requests=pace.between_requests,
            seconds_between_writes=pace.between_writes,
        )
        self._requester = client.requester

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of one read; `path` begins after the repository's name."""
        return self._ask(lambda: self._request("GET", path, query=query), f"GET {path}", repeat=True)

    def pages(self, path: str, *, inside: str = "", **query: str | int) -> Iterator[Any]:
        """All items of a list, page by page; `inside` names the field of the answer that holds it."""
        number, full = 0, True
        while full:
            number += 1
            answer = self.get(path, **query, per_page=PAGE, page=number)
            items = answer[inside] if inside else answer
            yield from items
            full = len(items) == PAGE

    def write(self, verb: str, path: str, body: Any = None, *, repeat: bool) -> Any:
        """One write; `repeat` it when the answer was lost, where doing it twice is doing it once.

        Raises:
            Lost: nobody knows whether GitHub did it; look.
        """
        return self._ask(lambda: self._request(verb, path, body=body), f"{verb} {path}", repeat=repeat)

    def mutate(self, name: str, given: dict[str, Any]) -> Any:
        """A GraphQL mutation, for the few things that REST cannot do; repeated, so look when it is refused."""
        return self._ask(
            lambda: self._requester.graphql_named_mutation(name, given, "clientMutationId"), name, repeat=True
        )

    def query(self, text: str) -> Any:
        """What a GraphQL query asks for, for what REST does not tell."""
        return self._ask(lambda: self._requester.graphql_query(text, {})[1]["data"], text, repeat=True)

    def _request(self, verb: str, path: str, *, query: dict[str, str | int] | None = None, body: Any = None) -> Any:
        address = f"/repos/{self.repository}{path}"
        _, data = self._requester.requestJsonAndCheck(verb, address, parameters=query, input=body)
        return data

    def _ask(self, request: Callable[[], Any], what: str, *, repeat: bool) -> Any:
        on = _again_after(repeat, longest=self.pace.longest_wait)
        for attempt in stamina.retry_context(
            on=on,
            attempts=self.pace.attempts,
            timeout=None,
            wait_initial=self.pace.first_wait,
            wait_max=self.pace.longest_wait,
            wait_jitter=self.pace.first_wait,
        ):
            with attempt:
                return self._answer(request, what)
        raise AssertionError("stamina returns or raises")

    def _answer(self, request: Callable[[], Any], what: str) -> Any:
        try:
            return request()
        except GithubException as error:
            raise self._ours(error, what) from None  # its text holds the whole answer
        except requests.RequestException as error:
            if _never_sent(error):
                raise Busy(what, self.repository, wait=None) from None
            raise lost(what, self.repository, type(error).__name__) from None
        except ValueError:
            raise lost(what, self.repository, "half an answer") from None

    def _ours(self, error: GithubException, what: str) -> Busy | Lost | Refused | Changed:
        wait = wait_of(error, now=time.time())
        if wait is not None:
            return Busy(what, self.repository, wait=wait)
        if error.status >= 500:
            return lost(what, self.repository, f"HTTP {error.status}")
        return refusal(error, what, self.repository, token=self._token)


def named(text: str) -> str:
    """A name as one part of an address; slashes of branches stay."""
    return quote(text, safe="/")


def _again_after(repeat: bool, *, longest: float) -> Callable[[Exception], bool | float]:
    def again(problem: Exception) -> bool | float:
        if isinstance(problem, Busy):
            if problem.wait is None:
                return True
            return problem.wait if problem.wait <= longest else False
        return repeat and isinstance(problem, Lost)

    return again


def _never_sent(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)
