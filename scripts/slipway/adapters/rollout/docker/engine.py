"""The engine `docker`: versions as containers of this machine, behind a port that stays."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.adapters.rollout import Deployment, Live, Stray, client
from slipway.adapters.rollout.docker.project import Current, Project, own
from slipway.adapters.rollout.docker.takeover import answers, last_lines, pull, settle, take_over
from slipway.adapters.rollout.docker.wanted import wanted_of
from slipway.adapters.rollout.one_at_a_time import alone_in
from slipway.adapters.rollout.strays import strays
from slipway.errors import RolloutFailed

FRONT_IMAGE = "docker.io/library/haproxy:3.0"
ADDRESS = "127.0.0.1"
_TURN_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRollout:
    """Rolls out to containers that are known by files under `state`.

    `team` holds <environment>/<model>/compose.yaml where a team adds something to the project of a model; `address` is
    where the front of a new model is published, and `front_image` an image of HAProxy.
    """

    state: Path
    team: Path | None = None
    front_image: str = FRONT_IMAGE
    address: str = ADDRESS
    accept_event_time: bool = False

    def apply(self, deployment: Deployment) -> Live:
        project = self._project(deployment.model, deployment.environment)
        with alone_in(project.place):
            publish = project.published(self.address)
            team = self._of_the_team(deployment)
            wanted = wanted_of(deployment, accept_event_time=self.accept_event_time, team=team)
            if wanted.log_folder:
                own(Path(wanted.log_folder), project.user)
            current = settle(project, publish=publish)
            if current is not None and current.wanted == wanted and answers(project, current):
                return _counted_from_now(project, current).live
            pull(project, wanted.image)
            new = take_over(project, deployment, wanted, publish=publish, before=current)
            project.remove(new.other_colour)
            return new.live

    def live(self, model: str, environment: str) -> Live | None:
        project = self._project(model, environment)
        current = project.current()
        container = project.container(current.colour) if current else None
        if current is None or container is None or container.status != "running":
            return None
        return replace(current.live, digest=container.image.rpartition("@")[2])  # of what runs, whoever started it

    def strays(self, environment: str, *, known: Collection[Live]) -> list[Stray]:
        """Models that this machine serves, and that were asked for by nobody."""
        return strays(self.state, environment, known=known, live=self.live)

    ask = staticmethod(client.ask)

    def watch(self, live: Live, *, seconds: float) -> None:
        """Look again and again: Docker starts a dead server anew, and counts how often."""
        project = self._project(live.model, live.environment)
        end = time.monotonic() + seconds
        _refuse_fallen(project, live)
        while time.monotonic() < end:
            time.sleep(_TURN_SECONDS)
            _refuse_fallen(project, live)

    def stop(self, model: str, environment: str) -> None:
        project = self._project(model, environment)
        if project.place.exists():
            with alone_in(project.place):
                project.forget()
                project.remove_all()

    def _project(self, model: str, environment: str) -> Project:
        return Project.of(self.state.resolve() / environment / model, front_image=self.front_image)

    def _of_the_team(self, deployment: Deployment) -> str:
        if self.team is None:
            return ""
        path = self.team / deployment.environment / deployment.model / "compose.yaml"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def _counted_from_now(project: Project, current: Current) -> Current:
    """How often it was started again before is nothing that a rollout of today has to answer for."""
    container = project.container(current.colour)
    now = replace(current, restarts=container.restarts if container else 0)
    if now != current:
        project.record(now)
    return now


def _refuse_fallen(project: Project, live: Live) -> None:
    current = project.current()
    container = project.container(current.colour) if current and current.live == live else None
    if current is None or container is None:
        fault, log = "does not run any more", []
    else:
        found = container.fault_since(current.restarts)
        if found is None and container.health != "unhealthy":
            return
        fault = f"is not well: {found or 'its server runs and does not answer its health check'}"
        log = last_lines(project, current.colour)
    raise RolloutFailed(
        f"{live.model} {live.version} went live in {live.environment} and {fault}",
        mend=f"read `docker compose logs` in {project.place}",
        log=log,
    )
