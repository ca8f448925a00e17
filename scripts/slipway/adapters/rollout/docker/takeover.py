"""How one colour takes over from the other.

The order makes every kill harmless. The new server starts beside the old one, at a port of its own. Once it is ready,
the front is told to pass requests on to it; `live.json` names it; the old one answers what it has, and goes. Whatever
`live.json` does not name is ended by the next run, after the front was seen to point to what it names.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import httpx

from slipway.adapters import crash_points
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.docker.containers import Container
from slipway.adapters.rollout.docker.project import COLOURS, FRONT, Current, Project
from slipway.adapters.rollout.docker.wanted import Wanted
from slipway.errors import RolloutFailed, SlipwayError, Unreachable

_FRONT_SECONDS = 60.0
_PULL_SECONDS = 1800.0
_READY_SECONDS = 5.0
_TURN_SECONDS = 0.2
_FAILED_SECONDS = 5  # for a server that failed: it got no traffic, or for a moment, and may hear no signal
_LOG_LINES_SHOWN = 10
_EVERYWHERE = "0.0.0.0"  # noqa: S104  # looked for, and bound only where somebody asked for it


def settle(project: Project, *, publish: str) -> Current | None:
    """End what a run that broke off has left behind; what is live, with the front pointing to it.

    Raises:
        Unreachable: Docker or the front does not answer.
    """
    current = project.current()
    if current is None:
        project.remove_all()
        return None
    project.write(current.colour, current.wanted, publish=publish)
    project.front.write(current.colour)
    _open_front(project)
    project.front.point_to(current.colour)
    project.remove(current.other_colour)
    return current


def take_over(
    project: Project, deployment: Deployment, wanted: Wanted, *, publish: str, before: Current | None
) -> Current:
    """Bring `wanted` to life beside what is live, and let the front pass requests on to it; the old server stays.

    Raises:
        RolloutFailed: it never became ready; what was live still is.
        Unreachable: Docker or the front does not answer.
        Exception: what `deployment.examine` raised; what was live still is.
    """
    colour = before.other_colour if before else COLOURS[0]
    try:
        project.write(colour, wanted, publish=publish)
        container = _brought_up(project, colour, deployment, serving=before is not None)
        if deployment.examine is not None:
            deployment.examine(live_of(deployment, f"127.0.0.1:{container.port}"))
        _move(project, colour, container)
        new = Current(live=live_of(deployment, publish), colour=colour, wanted=wanted)
        project.record(new)
    except BaseException:  # also a Ctrl-C: nobody else knows of this server yet
        with contextlib.suppress(SlipwayError):  # the next run does it
            _give_up(project, colour, publish=publish, before=before)
        raise
    return new


def pull(project: Project, image: str) -> None:
    """Fetch an image that this machine does not have.

    Raises:
        Unreachable: Docker cannot have it; the registry answered Slipway a moment ago.
    """
    if project.docker.has_image(image):
        return
    try:
        project.docker("image", "pull", "--quiet", image, seconds=_PULL_SECONDS)
    except Unreachable as failure:
        mend = f"see that `docker pull {image}` works for whoever rolls out; `docker login` gives Docker credentials"
        raise Unreachable(failure.problem, mend=mend) from failure


def answers(project: Project, current: Current) -> bool:
    """Whether what is live runs, and answers through the front."""
    container = project.container(current.colour)
    return container is not None and container.runs and is_ready(current.live.url)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v2/health/ready", timeout=_READY_SECONDS).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def live_of(deployment: Deployment, publish: str) -> Live:
    return Live(
        model=deployment.model,
        environment=deployment.environment,
        version=deployment.version,
        digest=deployment.digest,
        url=f"http://{publish.replace(_EVERYWHERE, '127.0.0.1')}",
    )


def _brought_up(project: Project, colour: str, deployment: Deployment, *, serving: bool) -> Container:
    """The container of a server that is ready at its own port."""
    try:
        project.up(colour)
    except Unreachable:
        container = project.container(colour)
        if container is None or container.fault_since(0) is None:
            raise
    end = time.monotonic() + deployment.ready_seconds
    while True:
        container = project.container(colour)
        if container is None:
            raise Unreachable(f"somebody removed {project.container_of(colour)}", mend="roll out again")
        fault = container.fault_since(0)
        if fault is None and is_ready(f"http://127.0.0.1:{container.port}"):
            return container
        if fault is None and time.monotonic() >= end:
            fault = f"its server was not ready within {deployment.ready_seconds:g} s"
        if fault is not None:
            raise _never_ready(project, colour, deployment, fault, serving=serving)
        time.sleep(_TURN_SECONDS)


def _never_ready(project: Project, colour: str, deployment: Deployment, fault: str, *, serving: bool) -> RolloutFailed:
    end = "what served before still does" if serving else "nothing is served"
    return RolloutFailed(
        f"{deployment.model} {deployment.version} does not go live in {deployment.environment}: {fault}; {end}",
        mend="what the log says mends it; then roll out again",
        log=last_lines(project, colour),
    )


def last_lines(project: Project, colour: str) -> list[str]:
    return project.docker.log_of(project.container_of(colour), lines=_LOG_LINES_SHOWN) or ["(it printed nothing)"]


def _move(project: Project, colour: str, container: Container) -> None:
    """Let the front pass each request that begins from now on to the container of `colour`."""
    if project.container(FRONT) is None:
        project.front.write(colour)  # it starts with what this says
    _open_front(project)
    _wait(lambda: project.front.reaches(colour, container.addresses), f"does not reach {colour}", project)
    with crash_points.external_write("move-traffic"):
        project.front.point_to(colour)
    project.front.write(colour)


def _open_front(project: Project) -> None:
    """See that the front runs and can be told something."""
    front = project.container(FRONT)
    if front is None or not front.runs:
        try:
            project.up(FRONT)
        except Unreachable as failure:
            mend = f"if its port is taken, write another one into {project.place / 'publish'}; else {failure.mend}"
            raise Unreachable(failure.problem, mend=mend) from failure
    _wait(project.front.listens, "does not answer", project)


def _wait(condition: Callable[[], bool], otherwise: str, project: Project) -> None:
    end = time.monotonic() + _FRONT_SECONDS
    while not condition():
        if time.monotonic() >= end:
            log = " / ".join(last_lines(project, FRONT))
            raise Unreachable(
                f"the front of {project.place} {otherwise}: {log}",
                mend=f"read `docker compose logs front` in {project.place}, then roll out again",
            )
        time.sleep(_TURN_SECONDS)


def _give_up(project: Project, colour: str, *, publish: str, before: Current | None) -> None:
    """Put back what was live; without anything, nothing is left."""
    if before is None:
        project.remove_all()
        return
    project.write(before.colour, before.wanted, publish=publish)
    project.front.write(before.colour)
    if project.front.listens():
        project.front.point_to(before.colour)
    project.remove(colour, seconds=_FAILED_SECONDS)
