"""What a server's container is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.docker.wanted import arguments_of, by_digest, wanted_of

DEPLOYMENT = Deployment(
    model="tip",
    environment="production",
    version="v1.4.0_r2",
    digest="sha256:0",
    image="registry:5000/waiters/tip:v1.4.0_r2@sha256:0",
    commit="c0ffee",
    model_directory=Path("/models"),
    served_log="/srv/served",
)


@pytest.mark.parametrize(
    ("image", "asked"),
    [
        ("ghcr.io/waiters/tip:v1.4.0@sha256:0", "ghcr.io/waiters/tip@sha256:0"),
        ("127.0.0.1:5000/tip:v1.4.0@sha256:0", "127.0.0.1:5000/tip@sha256:0"),
        ("127.0.0.1:5000/tip@sha256:0", "127.0.0.1:5000/tip@sha256:0"),
    ],
)
def test_docker_is_asked_for_the_digest_alone(image: str, asked: str) -> None:
    """A tag says nothing about bytes; and the port of a registry is no tag."""
    assert by_digest(image) == asked


def test_a_log_in_a_folder_is_mounted_at_a_place_of_its_own() -> None:
    """The server knows nothing of the machine's folders, and can write into this one alone."""
    wanted = wanted_of(DEPLOYMENT, accept_event_time=False, team="")

    assert wanted.files == ["compose.yaml", "served-log-folder.yaml"]
    assert wanted.log_folder == "/srv/served/production/tip"
    assert wanted.arguments == "--name=tip --model-version=v1.4.0_r2 --served-log=/served --log-mode=rows"


def test_a_log_in_a_bucket_gets_names_of_credentials_and_no_folder() -> None:
    """A folder by the name of `s3:` would fill up in silence."""
    wanted = wanted_of(replace(DEPLOYMENT, served_log="s3://waiters/served"), accept_event_time=False, team="")

    assert wanted.files == ["compose.yaml", "served-log-bucket.yaml"]
    assert wanted.log_folder == ""
    assert "--served-log=s3://waiters/served/production/tip" in wanted.arguments


def test_without_a_log_a_server_gets_neither_folder_nor_credentials() -> None:
    """What it does not need, nobody can take from it."""
    wanted = wanted_of(replace(DEPLOYMENT, served_log=None), accept_event_time=False, team="")

    assert wanted.files == ["compose.yaml"]
    assert "--served-log" not in wanted.arguments


def test_what_a_team_changes_makes_another_server() -> None:
    """More memory is rolled out like a version; the same again is not."""
    before, after = (wanted_of(DEPLOYMENT, accept_event_time=False, team=team) for team in ("", "services: {}\n"))

    assert before != after
    assert before == wanted_of(DEPLOYMENT, accept_event_time=False, team="")


def test_an_option_without_a_value_stands_alone() -> None:
    """As the server's command line wants it."""
    assert arguments_of({"--name": "tip", "--accept-event-time": None}) == "--name=tip --accept-event-time"
