"""Which engine runs what the manifests name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from slipway.adapters.rollout.kubernetes.engine import KubernetesRollout
from slipway.cli.engines import engine_of, outlives_this_run
from slipway.domain.settings import Environment, RolloutEngine, Settings

from tests.team import Team


def of(team: Team, engine: RolloutEngine, **changed: Any) -> Any:
    settings = Settings(image_registry="registry.example.com/acme", rollout_engine=engine, **changed)
    return engine_of(replace(team.workplace, settings=settings))


@pytest.mark.parametrize("engine", RolloutEngine)
def test_each_answer_has_an_engine_that_can_do_all(team: Team, engine: RolloutEngine) -> None:
    """A team that answers by a name that nothing runs would find out after its first merge."""
    found = of(team, engine)
    assert all(callable(getattr(found, verb)) for verb in ("apply", "live", "ask", "watch", "stop"))


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if engine.is_cluster])
def test_a_cluster_is_asked_by_the_context_of_its_environment(team: Team, engine: RolloutEngine) -> None:
    """Staging and production are two clusters, and one of them has users."""
    environments = (Environment(name="staging", context="models-staging"), Environment(name="production"))
    found = of(team, engine, environments=environments)
    assert isinstance(found, KubernetesRollout)
    assert (found.engine, found.contexts) == (engine, {"staging": "models-staging", "production": None})


@pytest.mark.parametrize("engine", RolloutEngine)
def test_what_runs_on_a_hosted_runner_ends_with_it_and_a_cluster_stays(engine: RolloutEngine) -> None:
    """A deployment that is noted must be one."""
    assert outlives_this_run(engine, {"RUNNER_ENVIRONMENT": "github-hosted"}) == engine.is_cluster
    assert outlives_this_run(engine, {"RUNNER_ENVIRONMENT": "self-hosted"})
    assert outlives_this_run(engine, {})
