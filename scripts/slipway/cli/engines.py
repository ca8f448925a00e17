"""Which engine runs what the manifests name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from slipway.adapters.rollout.process import ProcessRollout
from slipway.adapters.workplace import Workplace


def engine_of(place: Workplace) -> ProcessRollout:
    """The engine `process`, the only one so far.

    `SLIPWAY_ACCEPT_EVENT_TIME=1` lets a request say when it happened, to serve history: for a demonstration, never
    where clients are not trusted.
    """
    return ProcessRollout(
        state=_state(place, os.environ), accept_event_time=os.environ.get("SLIPWAY_ACCEPT_EVENT_TIME") == "1"
    )


def _state(place: Workplace, environment: Mapping[str, str]) -> Path:
    """Where it is known what serves: on a runner of a team's own not in the checkout, which each job empties first."""
    if environment.get("RUNNER_ENVIRONMENT") == "self-hosted":
        return platformdirs.user_state_path("slipway") / environment["GITHUB_REPOSITORY"] / "rollout"
    return place.state / "rollout"


def outlives_this_run(environment: Mapping[str, str]) -> bool:
    """Whether what the engine starts goes on afterwards: the machine of a hosted runner is gone with its job."""
    return environment.get("RUNNER_ENVIRONMENT") != "github-hosted"
