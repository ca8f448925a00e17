"""The token of a job reaches GitHub with a fetch, and nobody else."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from slipway.adapters import git, git_credentials
from slipway.errors import Unreachable

ORIGIN = "https://github.com/team/flights"
TOKEN = {"GITHUB_TOKEN": "correct-horse"}


class _Server(ThreadingHTTPServer):
    """Refuses all, and keeps the `Authorization` headers that it was shown."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refuses)
        self.shown: list[list[str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Refuses(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:  # the library's name
        self.server.shown.append(self.headers.get_all("Authorization") or [])
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def test_a_fetch_shows_the_token_once_also_beside_one_that_the_checkout_holds(
    server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private repository gives nothing without it, and GitHub refuses a request that shows two."""
    git.run("init", "--quiet", cwd=tmp_path)
    git.run("remote", "add", "origin", f"{server.url}/team/flights", cwd=tmp_path)
    git.run("config", f"http.{server.url}/.extraheader", "Authorization: Basic old", cwd=tmp_path)
    monkeypatch.setenv("GITHUB_SERVER_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", "correct-horse")

    with pytest.raises(Unreachable) as refused:
        git.fetch(tmp_path)

    expected = "Basic " + base64.b64encode(b"x-access-token:correct-horse").decode()
    assert server.shown[0] == [expected]
    assert "correct-horse" not in str(refused.value) and expected not in str(refused.value)
    assert "old" in (tmp_path / ".git" / "config").read_text()  # and nothing is written there


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        (ORIGIN, {}),
        (None, TOKEN),
        ("/srv/flights.git", TOKEN),
        ("https://github.com.evil.example/team/flights", TOKEN),
        ("https://gitlab.example/team/flights", TOKEN),
        ("git@github.com:team/flights.git", TOKEN),
        (ORIGIN, {**TOKEN, "GITHUB_SERVER_URL": "https://github.example"}),
    ],
)
def test_no_other_server_is_shown_the_token(url: str | None, environment: dict[str, str]) -> None:
    """Where origin leads is written in a file of the workspace, which anybody may have changed."""
    assert git_credentials.shown_to(url, environment) == {}


def test_settings_that_were_given_the_same_way_are_kept() -> None:
    """A runner behind a proxy has its own there."""
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.proxy", "GIT_CONFIG_VALUE_0": "http://proxy"}
    shown = git_credentials.shown_to(ORIGIN, {**given, "SLIPWAY_APP_TOKEN": "app"})
    assert shown["GIT_CONFIG_COUNT"] == "3"
    assert set(shown) == {"GIT_CONFIG_COUNT", *(f"GIT_CONFIG_{what}_{n}" for what in ("KEY", "VALUE") for n in (1, 2))}
