"""Rollouts by docker compose: the runtime image, a real registry, and Debian's HAProxy in the official image's place.

Clients ask all the while, half of them on connections that they keep. The control shows that they notice a hard swap.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow.dataset
import pytest
from slipway.adapters.registry import open_registry
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.docker.engine import DockerRollout
from slipway.adapters.rollout.docker.project import Project
from slipway.errors import RolloutFailed, Unreachable

from tests.team import Team, copy_of
from tests.workflows.docker_rollouts import (
    ENVIRONMENT,
    INPUTS,
    MODEL,
    Versions,
    assert_alone,
    load,
    project_of,
    running_in,
)
from tests.workflows.engine import answers, becomes, docker, front_image, infer, runtime_image
from tests.workflows.rig import ROOT

pytestmark = pytest.mark.xdist_group("docker")

log = logging.getLogger(__name__)

_EACH = 2_500  # requests of each of the two kinds of clients
_BEFORE = 500
_APPLY = """
import json, sys
from pathlib import Path
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.docker.engine import DockerRollout
state, front, told = sys.argv[1:]
told = json.loads(told)
deployment = Deployment(**told | {"model_directory": Path(told["model_directory"])})
DockerRollout(state=Path(state), front_image=front).apply(deployment)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A rollout and the versions that it can be given; two of them are good."""

    rollout: DockerRollout
    versions: Versions
    first: Deployment
    second: Deployment


@pytest.fixture(scope="module")
def versions(base: str, _tooled: Team, registry_host: str, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    team = copy_of(_tooled, tmp_path_factory.mktemp("street"))
    registry = f"{registry_host}/street-{os.getpid()}"
    team.edit("slipway.yaml", "image_registry: layout:.slipway/registry", f"image_registry: {registry}")
    team.commit("Say where images go")
    runtime = open_registry(registry).repository("runtime").manifest(runtime_image(team.root, base=base)).digest
    return Versions(registry=registry, runtime=runtime, folder=tmp_path_factory.mktemp("rolled-out"))


@pytest.fixture(scope="module")
def all_of(versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with front_image(tmp_path_factory.mktemp("front")) as front:
        rollout = DockerRollout(state=versions.folder / "state", front_image=front)
        try:
            yield Street(
                rollout=rollout,
                versions=versions,
                first=versions.good("v1.0.0"),
                second=versions.good("v1.1.0", bias=0.1),
            )
        finally:
            rollout.stop(MODEL, ENVIRONMENT)


@pytest.fixture
def street(all_of: Street) -> Street:
    """With the first version live and nothing else there; where a test before left it so, this changes nothing."""
    all_of.rollout.apply(all_of.first)
    return all_of


def test_a_good_update_loses_no_request(street: Street) -> None:
    """Nobody may notice a release in the middle of the day, and each row that was answered is in the log once."""
    live = street.rollout.apply(street.first)
    rows_before = _rows_logged(street)

    with load(live) as clients:
        clients.wait_until_each(_BEFORE)
        new = street.rollout.apply(street.second)
        clients.wait_until_each(max(_EACH, *(seen.total() + _BEFORE for seen in clients.look().outcomes.values())))

    log.info("%s", clients.outcomes)
    assert clients.failed == {}
    assert clients.answered.keys() == {"v1.0.0", "v1.1.0"}
    assert new.url == live.url
    assert_alone(street.rollout, new)
    assert (_rows_logged(street) - rows_before)["v1.0.0"] == 2 * clients.answered["v1.0.0"]


def test_a_version_that_never_gets_ready_gets_no_request(street: Street) -> None:
    """It is taken away again; going back, once the manifest is what it was, changes nothing."""
    never = replace(street.versions.silent("v1.2.0"), ready_seconds=3)
    live = street.rollout.apply(street.first)

    with load(live) as clients:
        clients.wait_until_each(_BEFORE)
        with pytest.raises(RolloutFailed, match="not ready within 3 s; what served before still does"):
            street.rollout.apply(never)
        assert_alone(street.rollout, live)
        assert street.rollout.apply(street.first) == live
        clients.wait_until_each(_EACH)

    log.info("%s", clients.outcomes)
    assert clients.failed == {}
    assert clients.answered.keys() == {"v1.0.0"}


def test_going_back_loses_no_request(street: Street) -> None:
    """A rollback is hurried, and happens while everybody looks."""
    live = street.rollout.apply(street.second)

    with load(live) as clients:
        clients.wait_until_each(_BEFORE)
        back = street.rollout.apply(street.first)
        clients.wait_until_each(max(_EACH, *(seen.total() + _BEFORE for seen in clients.look().outcomes.values())))

    log.info("%s", clients.outcomes)
    assert clients.failed == {}
    assert clients.answered.keys() == {"v1.1.0", "v1.0.0"}
    assert_alone(street.rollout, back)


def test_control_a_hard_swap_loses_requests(street: Street) -> None:
    """If these clients saw no failure here, the tests above would show nothing."""
    with load(street.rollout.apply(street.first)) as clients:
        clients.wait_until_each(_BEFORE)
        (colour,) = running_in(street.rollout).keys() - {"front"}
        docker("container", "rm", "--force", project_of(street.rollout).container_of(colour))
        street.rollout.apply(street.second)

    log.info("%s", clients.outcomes)
    assert clients.failures > 0


def _rows_logged(street: Street) -> Counter[str]:
    folder = street.versions.folder / "served" / ENVIRONMENT / MODEL
    if not any(folder.glob("date=*/*.parquet")):
        return Counter()
    return Counter(pyarrow.dataset.dataset(folder, partitioning="hive").to_table()["version"].to_pylist())


def test_a_server_that_ends_at_once_shows_why(street: Street) -> None:
    """The incident is read at night, and the container is gone by then."""
    live = street.rollout.apply(street.first)

    with pytest.raises(RolloutFailed, match=r"its server ended.*what served before still does") as failure:
        street.rollout.apply(street.versions.broken("v1.3.0"))

    assert "cannot load /model/model.onnx" in "".join(failure.value.log)
    assert_alone(street.rollout, live)


def test_a_version_that_answers_wrongly_gets_no_request(street: Street) -> None:
    """Golden rows are asked at a port that no client knows: nobody else ever sees such an answer."""

    def examine(live: Live) -> None:
        answer = infer(live.url, MODEL, INPUTS)
        raise RolloutFailed(f"{answer['model_version']} answers {answer['outputs'][0]['data']}", mend="go back")

    live = street.rollout.apply(street.first)
    with load(live, a_second=200) as clients:
        with pytest.raises(RolloutFailed, match=r"v1\.1\.0 answers \[0\.5"):
            street.rollout.apply(replace(street.second, examine=examine))
        assert_alone(street.rollout, live)

    assert clients.failed == {}
    assert clients.answered.keys() == {"v1.0.0"}


def test_what_falls_over_later_is_noticed(street: Street) -> None:
    """Docker starts it again, and so nobody would."""
    live = street.rollout.apply(street.first)
    (colour,) = running_in(street.rollout).keys() - {"front"}
    street.rollout.watch(live, seconds=0)
    told = docker("container", "inspect", "--format", "{{.State.Pid}}", project_of(street.rollout).container_of(colour))
    os.kill(int(told), signal.SIGKILL)

    with pytest.raises(RolloutFailed, match=r"v1\.0\.0 went live in production and is not well: its server ended"):
        street.rollout.watch(live, seconds=10)


def test_a_machine_that_starts_again_serves_what_it_served(street: Street) -> None:
    """Containers come up in any order, at other addresses; and nobody of Slipway is there."""
    live = street.rollout.apply(street.second)
    project = project_of(street.rollout)
    (colour,) = running_in(street.rollout).keys() - {"front"}
    before = _address(project, colour)
    # Who starts first gets the first address that is free, .2: the server, unless it had that one.
    order = ("front", colour) if before.endswith(".2") else (colour, "front")
    both = [project.container_of(service) for service in order]
    docker("container", "stop", *both)
    docker("container", "start", *both)
    assert _address(project, colour) != before

    assert becomes(lambda: answers(live.url))
    with load(live) as clients:
        clients.wait_until_each(_BEFORE)

    assert clients.failed == {}
    assert clients.answered.keys() == {"v1.1.0"}
    assert_alone(street.rollout, live)


def _address(project: Project, service: str) -> str:
    found = project.container(service)
    assert found is not None
    (address,) = found.addresses
    return address


def test_a_server_that_has_just_been_started_leaves_when_it_is_told_to(street: Street) -> None:
    """The first process of a container ignores what it does not handle: each stop would take a minute."""
    name = docker("container", "run", "--detach", f"{street.first.image.partition(':v')[0]}@{street.first.digest}")
    begin = time.monotonic()
    docker("container", "stop", "-t", "60", name)
    docker("container", "rm", "--volumes", name)

    assert time.monotonic() - begin < 45


def test_a_front_that_ended_comes_back_at_its_port(street: Street) -> None:
    """Clients know that port, and no other."""
    live = street.rollout.apply(street.first)
    docker("container", "kill", project_of(street.rollout).container_of("front"))

    assert street.rollout.apply(street.first) == live
    assert_alone(street.rollout, live)


def test_what_runs_has_no_rights(street: Street) -> None:
    """Neither the server nor the front; and each file of the log is its server's own."""
    street.rollout.apply(street.first)
    project = project_of(street.rollout)
    (colour,) = running_in(street.rollout).keys() - {"front"}

    for service in ("front", colour):
        told = json.loads(docker("container", "inspect", project.container_of(service)))[0]
        status = Path(f"/proc/{told['State']['Pid']}/status").read_text()
        rights = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert rights["Uid"].split() == [str(project.user[0])] * 4
        assert (rights["CapEff"], rights["CapBnd"], rights["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
        assert told["HostConfig"]["ReadonlyRootfs"] is True
        published = [port for ports in told["NetworkSettings"]["Ports"].values() for port in ports or ()]
        assert {port["HostIp"] for port in published} == {"127.0.0.1"}


def test_an_image_that_docker_cannot_have_is_no_fault_of_a_version(street: Street) -> None:
    """The registry is gone, or Docker has no credentials: what served goes on, and nothing is taken back."""
    live = street.rollout.apply(street.first)
    nowhere = street.versions.of("v2.0.0", f"sha256:{'0' * 64}", registry="127.0.0.1:9")

    with pytest.raises(
        Unreachable, match=r"(?s)`docker image` failed.*mend: see that `docker pull 127\.0\.0\.1:9/tip@sha256:0"
    ):
        street.rollout.apply(nowhere)

    assert_alone(street.rollout, live)


def test_without_a_daemon_nobody_can_say(street: Street, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Docker is updated at this moment; the same run later finds everything as it was."""
    live = street.rollout.apply(street.first)
    with monkeypatch.context() as daemon:
        daemon.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere")
        for asked in (
            partial(street.rollout.apply, street.second),
            partial(street.rollout.live, MODEL, ENVIRONMENT),
            partial(street.rollout.watch, live, seconds=1),
        ):
            with pytest.raises(Unreachable, match="docker"):
                asked()

    assert_alone(street.rollout, live)


def test_compose_by_hand_changes_nothing(street: Street) -> None:
    """What Slipway wrote is the whole truth: a person who types `docker compose up` finds all as it should be."""
    live = street.rollout.apply(street.first)
    ids = {name: project_of(street.rollout).container(name) for name in ("front", "blue", "green")}
    place = project_of(street.rollout).place
    subprocess.run(["docker", "compose", "up", "--detach"], cwd=place, check=True, capture_output=True)

    assert {name: project_of(street.rollout).container(name) for name in ids} == ids
    assert_alone(street.rollout, live)


def test_the_front_is_replaced_by_the_command_of_the_guide_and_passes_on_to_what_was_live(street: Street) -> None:
    """A new image of it, or a new configuration, must not cost a rollout."""
    live = street.rollout.apply(street.first)
    before = project_of(street.rollout).container("front")
    (command,) = re.findall(r"`(docker compose up [^`]*front)`", (ROOT / "docs" / "docker.md").read_text())
    subprocess.run(shlex.split(command), cwd=project_of(street.rollout).place, check=True, capture_output=True)

    after = project_of(street.rollout).container("front")
    assert before is not None and after is not None
    assert before.id != after.id
    assert becomes(lambda: street.rollout.live(MODEL, ENVIRONMENT) == live)
    assert_alone(street.rollout, live)


def test_what_runs_there_and_git_does_not_know_is_listed(street: Street) -> None:
    """`slipway status --live` asks for it; what was stopped is not in it."""
    live = street.rollout.apply(street.first)
    assert [one.live for one in street.rollout.strays(ENVIRONMENT, known=[])] == [live]
    assert street.rollout.strays(ENVIRONMENT, known=[live]) == []

    street.rollout.stop(MODEL, ENVIRONMENT)
    assert street.rollout.strays(ENVIRONMENT, known=[]) == []


def test_killed_anywhere_and_run_again_one_version_is_live(street: Street, tmp_path: Path) -> None:
    """A runner is taken away in the middle of a rollout; the next one finds it in any state."""
    moments = _moments(street, tmp_path)
    assert {moment.split(":")[1] for moment in moments} == {"start-server", "move-traffic", "end-server", "file"}
    other, now = street.first, street.second  # the one that is live, and the one that is to be
    for moment in [*(one for one in moments if one.startswith("before")), moments[-1]]:
        with load(street.rollout.apply(other), a_second=100) as clients:
            assert _killed(street, now, moment), moment
            live = street.rollout.apply(now)

        assert clients.failed == {}, moment
        assert_alone(street.rollout, live)
        other, now = now, other


def _moments(street: Street, folder: Path) -> list[str]:
    """Those of an update to the second version, after the first moment at which something of it is there."""
    listed = folder / "moments"
    done = _apply_apart(street, street.second, {"SLIPWAY_LOG_MOMENTS": str(listed)})
    assert done.returncode == 0, done.stderr
    found = listed.read_text().splitlines()
    return found[found.index("before:start-server:1") :]


def _killed(street: Street, deployment: Deployment, moment: str) -> bool:
    return _apply_apart(street, deployment, {"SLIPWAY_KILL_AT": moment}).returncode == -signal.SIGKILL


def _apply_apart(street: Street, deployment: Deployment, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    plain = {"model", "environment", "version", "digest", "image", "commit", "model_directory", "served_log"}
    told = json.dumps({name: str(getattr(deployment, name)) for name in plain})
    return subprocess.run(
        [sys.executable, "-c", _APPLY, str(street.rollout.state), street.rollout.front_image, told],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_stopped_it_leaves_nothing_but_its_files(street: Street) -> None:
    """And the port, which clients may know."""
    before = street.rollout.apply(street.first)
    street.rollout.stop(MODEL, ENVIRONMENT)
    street.rollout.stop(MODEL, ENVIRONMENT)  # again is no harm

    assert street.rollout.live(MODEL, ENVIRONMENT) is None
    assert running_in(street.rollout) == {}
    assert not docker("network", "ls", "--quiet", "--filter", f"name={project_of(street.rollout).name}")
    assert street.rollout.apply(street.first).url == before.url
