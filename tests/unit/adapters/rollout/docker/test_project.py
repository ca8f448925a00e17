"""What is written into the folder of a project, and what its files promise."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from slipway.adapters.rollout import Live
from slipway.adapters.rollout.docker import project as of_project
from slipway.adapters.rollout.docker.project import Current, Project, dotenv, free_port, own
from slipway.adapters.rollout.docker.wanted import Wanted
from slipway.errors import BadFile, Unreachable

WANTED = Wanted(
    image="registry/tip@sha256:0", arguments="--name=tip", log="served-log-folder.yaml", log_folder="/served"
)
LIVE = Live(model="tip", environment="production", version="v1.0.0", digest="sha256:0", url="http://127.0.0.1:20001")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "production" / "tip").mkdir(parents=True)
    return Project.of(tmp_path / "production" / "tip", front_image="haproxy:3.0")


def composed() -> dict[str, Any]:
    path = Path(of_project.__file__).with_name("compose.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return found


@pytest.mark.parametrize("service", ["front", "blue", "green"])
def test_no_container_may_do_more_than_it_must(service: str) -> None:
    """One container that is broken into must not be the machine; the tests with Docker look at what runs."""
    told = composed()[service]

    assert (told["read_only"], told["cap_drop"], told["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert told["user"] == "${SLIPWAY_USER}"
    assert {"mem_limit", "pids_limit"} <= told.keys()
    assert told["restart"] == "unless-stopped"


def test_a_server_is_reached_on_this_machine_alone() -> None:
    """Clients come by the front; the port of its own is for Slipway's questions."""
    assert [composed()[colour]["ports"] for colour in ("blue", "green")] == [["127.0.0.1::8080"]] * 2


def test_the_colours_are_the_same_but_for_what_they_run() -> None:
    """A version must not be given less memory because it is the second."""
    blue, green = (composed()[colour] for colour in ("blue", "green"))

    assert blue.keys() == green.keys()
    assert {key for key in blue if blue[key] != green[key]} == {"profiles", "image", "command"}


def test_a_port_is_chosen_once(project: Project) -> None:
    """It is written into clients' configurations."""
    chosen = project.published("127.0.0.1")

    assert project.published("0.0.0.0") == chosen
    assert chosen.startswith("127.0.0.1:")
    assert 20_000 <= int(chosen.rpartition(":")[2]) < 30_000


def test_a_port_that_somebody_has_is_not_chosen() -> None:
    """The front could not start."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()

        assert free_port("127.0.0.1", among=[taken.getsockname()[1], free]) == free


def test_where_no_port_is_free_no_version_is_at_fault() -> None:
    """It is the machine's, and a version must not be taken back for it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(Unreachable, match=r"no port of 127\.0\.0\.1 is free"),
    ):
        free_port("127.0.0.1", among=[taken.getsockname()[1]])


def test_what_was_recorded_is_read_again(project: Project) -> None:
    """The next run knows by it what serves, and what it is made of."""
    current = Current(live=LIVE, colour="green", wanted=WANTED, restarts=2)
    project.record(current)

    assert project.current() == current
    assert json.loads((project.place / "live.json").read_text())["url"] == LIVE.url  # as documented
    assert current.other_colour == "blue"


@pytest.mark.parametrize(
    "content", ["", "{}", "3", "[]", '{"model": "tip", "colour": "blue", "wanted": 3, "restarts": 0}']
)
def test_a_record_that_is_none_names_the_file(project: Project, content: str) -> None:
    """Somebody edited it; a guess would start a second version, or end the first."""
    (project.place / "live.json").write_text(content)

    with pytest.raises(BadFile, match=r"live\.json is not what a rollout wrote"):
        project.current()


def test_what_is_written_says_all_that_compose_needs(project: Project) -> None:
    """A person who comes into the folder at night types `docker compose ps`."""
    project.write("green", WANTED, publish="127.0.0.1:20001")
    written = {path.name for path in project.place.iterdir()}
    variables = dict(line.split("=", 1) for line in (project.place / ".env").read_text().splitlines())

    assert {"compose.yaml", "served-log-folder.yaml", ".env", "front", "admin"} <= written
    assert variables["COMPOSE_FILE"] == "'compose.yaml:served-log-folder.yaml'"
    assert variables["COMPOSE_PROFILES"] == "'green'"
    assert variables["SLIPWAY_GREEN_IMAGE"] == "'registry/tip@sha256:0'"
    assert "SLIPWAY_BLUE_IMAGE" not in variables


def test_what_a_team_adds_comes_last(project: Project) -> None:
    """So that its limits count, and not ours."""
    text = "services: {blue: {mem_limit: 8g}, green: {mem_limit: 8g}}\n"
    wanted = Wanted(image="registry/tip@sha256:0", arguments="", team=text)
    project.write("blue", wanted, publish="127.0.0.1:20001")

    assert wanted.files == ["compose.yaml", "of-the-team.yaml"]
    assert (project.place / "of-the-team.yaml").read_text() == text


def test_checkouts_of_one_machine_have_projects_of_their_own(tmp_path: Path) -> None:
    """Two repositories may each have a model of one name; to stop the one must not stop the other."""
    one, other = (Project.of(tmp_path / name / "production" / "tip", front_image="x") for name in ("a", "b"))

    assert one.name != other.name
    assert one.name.startswith("slipway-production-tip-")


@pytest.mark.parametrize("value", ["it's", "a\nb", "a\\b"])
def test_a_value_that_compose_would_read_otherwise_is_refused(value: str) -> None:
    """A folder of that name would be another folder, or another variable."""
    with pytest.raises(BadFile, match="which compose cannot read"):
        dotenv({"SLIPWAY_SERVED_LOG": value})


def test_a_folder_is_given_to_the_user_who_writes_there(tmp_path: Path) -> None:
    """The server has no rights but its own user's; made by Docker, the folder would be root's."""
    user = (65532, 65532) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    own(tmp_path / "served" / "production" / "tip", user)
    made = (tmp_path / "served" / "production" / "tip").stat()

    assert (made.st_uid, made.st_gid) == user
    assert made.st_mode & 0o022 == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A served log that nobody can write would stop the watch, days later."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BadFile, match="cannot be given to user 65532"):
        own(tmp_path / "file" / "served", (65532, 65532))
