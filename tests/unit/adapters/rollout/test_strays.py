"""What one machine serves is found by the folders that rollouts left there, and each engine can be asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.rollout import Listing, Live
from slipway.adapters.rollout.docker.engine import DockerRollout
from slipway.adapters.rollout.kubernetes.engine import KubernetesRollout
from slipway.adapters.rollout.process import ProcessRollout
from slipway.adapters.rollout.strays import strays
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile


def live_of(model: str, environment: str) -> Live | None:
    """As an engine says it: `stopped` serves no more."""
    if model == "stopped":
        return None
    return Live(model=model, environment=environment, version="v1.0.0", digest="sha256:…", url="")


def rolled_out(state: Path, *places: str) -> Path:
    for place in places:
        (state / place).mkdir(parents=True)
        (state / place / "live.json").touch()
    return state


def test_what_serves_and_was_asked_for_by_nobody_is_told_with_its_end(tmp_path: Path) -> None:
    """Of that environment alone, and no folder of what was stopped."""
    state = rolled_out(tmp_path, "staging/ghost", "staging/known", "staging/stopped", "production/other")
    known = live_of("known", "staging")
    assert known is not None

    (stray,) = strays(state, "staging", known=[known], live=live_of)

    assert (stray.live, stray.ended_by) == (live_of("ghost", "staging"), "slipway stop ghost --environment staging")


@pytest.mark.parametrize("engine", [ProcessRollout, DockerRollout])
def test_what_cannot_be_read_is_no_empty_list(
    tmp_path: Path, engine: type[ProcessRollout] | type[DockerRollout]
) -> None:
    """A damaged file must not read as "nothing else runs"."""
    state = rolled_out(tmp_path, "staging/ghost")
    with pytest.raises(BadFile, match=r"ghost/live.json is not what a rollout wrote"):
        engine(state=state).strays("staging", known=[])


def test_every_engine_can_tell_what_it_runs(tmp_path: Path) -> None:
    """`status --live` asks those alone that say they can; a method that is renamed would make it silent."""
    cluster = KubernetesRollout(
        engine=RolloutEngine.ARGO_CD, repository=tmp_path, head=lambda: None, contexts={"staging": None}
    )
    for engine in (ProcessRollout(state=tmp_path), DockerRollout(state=tmp_path), cluster):
        assert isinstance(engine, Listing)
