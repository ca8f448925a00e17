"""What Docker says of a container, and whose fault it is that a command failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.rollout.docker.containers import Container, Docker
from slipway.errors import Unreachable


def inspected(*, restarts: int = 0, published: bool = True, **state: Any) -> Container:
    """As `docker inspect` of 20.10 prints it, of which much is left out."""
    return Container.read(
        {
            "Id": "4f5c",
            "RestartCount": restarts,
            "Config": {"Image": "registry/tip@sha256:0"},
            "State": {"Status": "running", "ExitCode": 0, "OOMKilled": False, "Error": ""} | state,
            "NetworkSettings": {
                "Ports": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}] if published else None},
                "Networks": {"tip_default": {"IPAddress": "172.19.0.3"}},
            },
        }
    )


def test_a_container_is_reached_at_its_port_and_its_address() -> None:
    """Slipway asks it by the one, and the front by the other."""
    container = inspected()

    assert container.port == 32768
    assert set(container.addresses) == {"172.19.0.3"}


def test_one_that_is_not_up_has_no_port() -> None:
    """Docker gives ports and addresses when it starts a container, and takes them back when that ends."""
    assert inspected(published=False, Status="exited").port == 0


@pytest.mark.parametrize(
    ("container", "told"),
    [
        (inspected(), None),
        (inspected(restarts=2), "its server ended, and Docker started it again"),
        (inspected(Status="exited", ExitCode=2), "its server ended with code 2"),
        (inspected(Status="restarting", ExitCode=2), "its server ended with code 2"),
        (
            inspected(restarts=3, Status="restarting", ExitCode=137, OOMKilled=True),
            "its server ended, for it needs more memory than it is given, and Docker started it again",
        ),
        (
            inspected(Status="created", ExitCode=127, Error="exec: python3: not found"),
            "its server cannot be started: exec: python3: not found",
        ),
        (inspected(Status="created"), None),
    ],
)
def test_what_is_wrong_is_told_in_words(container: Container, told: str | None) -> None:
    """It becomes the reason of an incident, which is read at night."""
    assert container.fault_since(0) == told


def test_what_was_started_again_before_is_not_held_against_it_now() -> None:
    """A server that fell over last week, and is looked at again today, does not lose its place for that."""
    assert inspected(restarts=2).fault_since(2) is None
    assert inspected(restarts=3).fault_since(2) is not None


@pytest.mark.parametrize(
    ("health", "runs"),
    [({}, True), ({"Health": {"Status": "starting"}}, True), ({"Health": {"Status": "unhealthy"}}, False)],
)
def test_what_answers_its_health_check_no_more_does_not_run(health: dict[str, Any], *, runs: bool) -> None:
    """It is there, and serves nobody; an image without a check is believed."""
    assert inspected(**health).runs is runs


def test_without_docker_nobody_can_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that was set up anew says nothing about a version, which would else be taken back."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unreachable, match="there is no program `docker` here"):
        Docker(tmp_path).container("tip")


def test_what_docker_refuses_is_told_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks after the machine needs them, and what to see to."""
    _a_docker_that(tmp_path, "echo Cannot connect to the Docker daemon >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(Unreachable, match=r"(?s)`docker compose` failed: Cannot connect.*mend: see that `docker info`"):
        Docker(tmp_path)("compose", "up")


def test_a_docker_that_hangs_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon whose disk is gone takes connections and says nothing."""
    _a_docker_that(tmp_path, "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(Unreachable, match="did not end within"):
        Docker(tmp_path)("compose", "up", seconds=0.3)


def test_no_variable_of_ours_changes_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose takes a variable before the file that describes the project; a bucket's credentials must come through."""
    _a_docker_that(tmp_path, "env")
    for name in ("COMPOSE_FILE", "SLIPWAY_PUBLISH", "AWS_PROFILE"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    seen = Docker(tmp_path)("compose", "up")

    assert "AWS_PROFILE=mine" in seen
    assert "COMPOSE_FILE" not in seen and "SLIPWAY_PUBLISH" not in seen


def _a_docker_that(folder: Path, does: str) -> None:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
