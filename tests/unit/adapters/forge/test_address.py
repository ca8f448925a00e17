"""Which forge a checkout belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.forge.address import API, api_of, opener_of, repository_of, token_of, web_of

HERE = Path("/checkout")


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/team/flights",
        "https://github.com/team/flights.git",
        "https://x-access-token:secret@github.com/team/flights.git",
        "git@github.com:team/flights.git",
        "ssh://git@github.com/team/flights",
        "ssh://git@ssh.github.com:443/team/flights.git",
    ],
)
def test_every_form_of_a_github_address_names_its_repository(origin: str) -> None:
    """People clone in many ways; none may land on the local forge."""
    assert repository_of(HERE, origin, {}) == "team/flights"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "../team.git",
        "/srv/github.com/team/flights",
        "https://github.com.evil.org/team/flights",
        "git@gitlab.com:a/b",
    ],
)
def test_no_other_address_is_taken_for_github(origin: str | None) -> None:
    """A token must not be sent to whoever has a similar name."""
    assert repository_of(HERE, origin, {}) is None


def test_a_runner_speaks_of_the_checkout_that_it_runs_in() -> None:
    """A demo in CI makes repositories of its own, which must never write to the project's."""
    runner = {"GITHUB_REPOSITORY": "team/flights", "GITHUB_WORKSPACE": str(HERE)}
    assert repository_of(HERE, "/srv/bare.git", runner) == "team/flights"
    assert repository_of(HERE / "demo", "/srv/bare.git", runner) is None


def test_the_app_token_comes_first_and_an_empty_one_is_none() -> None:
    """An Actions secret that does not exist arrives as an empty variable."""
    assert token_of({"SLIPWAY_APP_TOKEN": "app", "GITHUB_TOKEN": "run"}) == "app"
    assert token_of({"SLIPWAY_APP_TOKEN": "", "GITHUB_TOKEN": "run"}) == "run"
    assert token_of({"GITHUB_TOKEN": ""}) is None


def test_enterprise_server_is_reached_at_its_own_address() -> None:
    """The runner names it."""
    assert api_of({"GITHUB_API_URL": "https://github.example.org/api/v3"}) == "https://github.example.org/api/v3"
    assert api_of({}) == API


@pytest.mark.parametrize(
    ("repository", "environment", "words"),
    [
        (None, {}, "on this machine"),
        ("acme/models", {"SLIPWAY_APP_TOKEN": "x", "GITHUB_ACTIONS": "true"}, "checks start by themselves"),
        ("acme/models", {"SLIPWAY_APP_CLIENT_ID": "Iv1.x", "GITHUB_TOKEN": "x"}, "checks start by themselves"),
        ("acme/models", {"SLIPWAY_APP_CLIENT_ID": "", "GITHUB_ACTIONS": "true"}, "wait until somebody approves"),
        ("acme/models", {"GITHUB_TOKEN": "x", "GITHUB_ACTIONS": "true"}, "wait until somebody approves"),
        ("acme/models", {"GITHUB_TOKEN": "x"}, "a person's token"),
    ],
)
def test_a_reader_is_told_who_opened_the_pull_request(
    repository: str | None, environment: dict[str, str], words: str
) -> None:
    """Opened by GITHUB_TOKEN, its checks do not start by themselves, and nobody would know why."""
    assert words in opener_of(repository, environment)


def test_a_browser_finds_what_a_text_links_to() -> None:
    """On a machine of one's own there is no page to link to, and a dead link is worse than none."""
    assert web_of("acme/models", {}) == "https://github.com/acme/models"
    assert web_of("acme/models", {"GITHUB_SERVER_URL": "https://git.example.org"}) == (
        "https://git.example.org/acme/models"
    )
    assert web_of(None, {"GITHUB_SERVER_URL": "https://github.com"}) is None
