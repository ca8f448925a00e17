"""Which engine runs what the manifests name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.rollout import Rollout
from slipway.adapters.rollout.process import ProcessRollout
from slipway.adapters.workplace import Workplace
from slipway.domain.settings import RolloutEngine


def engine_of(place: Workplace) -> Rollout:
    """The engine that slipway.yaml names."""
    return _ENGINES[place.settings.rollout_engine](place)


def process_engine(place: Workplace) -> ProcessRollout:
    """Servers as processes of this machine.

    `SLIPWAY_ACCEPT_EVENT_TIME=1` lets a request say when it happened, to serve history: for a demonstration, never
    where clients are not trusted.
    """
    return ProcessRollout(
        state=_state(place, os.environ), accept_event_time=os.environ.get("SLIPWAY_ACCEPT_EVENT_TIME") == "1"
    )


def docker_engine(place: Workplace) -> Rollout:
    """Containers of this machine, behind a port of their own.

    `SLIPWAY_DOCKER_ADDRESS` is the address of this machine at which new models are published, by default the loopback;
    `SLIPWAY_HAPROXY_IMAGE` another image of HAProxy than Docker Hub's.
    """
    from slipway.adapters.rollout.docker.engine import ADDRESS, FRONT_IMAGE, DockerRollout

    return DockerRollout(
        state=_state(place, os.environ),
        team=place.repository.root / "deploy",
        address=os.environ.get("SLIPWAY_DOCKER_ADDRESS") or ADDRESS,
        front_image=os.environ.get("SLIPWAY_HAPROXY_IMAGE") or FRONT_IMAGE,
    )


def cluster_engine(place: Workplace) -> Rollout:
    """Deployments of the clusters that the environments' contexts name."""
    from slipway.adapters.rollout.kubernetes.engine import KubernetesRollout

    return KubernetesRollout(
        engine=place.settings.rollout_engine,
        repository=place.repository.root,
        head=lambda: place.forge.head(place.forge.default_branch),
        contexts={environment.name: environment.context for environment in place.settings.environments},
        same_as=lambda model, digest: _images_of(model, digest, place),
    )


def _images_of(model: str, digest: str, place: Workplace) -> frozenset[str]:
    """The images that a digest stands for: one, or one a platform where it is that of an index."""
    found = Platforms.read(place.registry.repository(model), digest)
    return frozenset({digest, *(image.digest for image in found.images)})


def _state(place: Workplace, environment: Mapping[str, str]) -> Path:
    """Where it is known what serves: on a runner of a team's own not in the checkout, which each job empties first."""
    if environment.get("RUNNER_ENVIRONMENT") == "self-hosted":
        return platformdirs.user_state_path("slipway") / environment["GITHUB_REPOSITORY"] / "rollout"
    return place.state / "rollout"


def serves_elsewhere(engine: RolloutEngine) -> bool:
    """Whether what it starts runs on other machines than the one that runs our commands."""
    return engine not in _ON_THIS_MACHINE


def outlives_this_run(engine: RolloutEngine, environment: Mapping[str, str]) -> bool:
    """Whether what the engine starts goes on afterwards: the machine of a hosted runner is gone with its job."""
    return serves_elsewhere(engine) or environment.get("RUNNER_ENVIRONMENT") != "github-hosted"


_ENGINES: Mapping[RolloutEngine, Callable[[Workplace], Rollout]] = {
    RolloutEngine.PROCESS: process_engine,
    RolloutEngine.DOCKER: docker_engine,
    RolloutEngine.KUBERNETES: cluster_engine,
    RolloutEngine.ARGO_CD: cluster_engine,
    RolloutEngine.FLUX: cluster_engine,
}
_ON_THIS_MACHINE = (RolloutEngine.PROCESS, RolloutEngine.DOCKER)
