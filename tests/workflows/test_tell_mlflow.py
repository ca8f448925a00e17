"""After a rollout, MLflow is told by a job of its own; a server that is away fails nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from slipway.adapters import wanted_rollouts
from slipway.domain.release import Proposal, Rollout

from tests.steps.test_tell_mlflow import came_from_mlflow
from tests.team import ENVIRONMENT, MODEL, Team
from tests.workflows.conftest import Hosting
from tests.workflows.rig import APP_TOKEN
from tests.workflows.test_rollout import TELLING_MLFLOW

_AWAY = "http://127.0.0.1:9"
_PASSWORD = "swordfish-and-chips"


@pytest.mark.needs_each_step("rollout.yml", only=TELLING_MLFLOW)
def test_mlflow_is_told_after_a_rollout_by_a_job_that_alone_has_its_secret(rolling: Hosting) -> None:
    """Nobody's release waits for a tracking server, and no model that is loaded can ask it anything."""
    hosting = replace(rolling, rig=rolling.rig.with_app)
    _verified(hosting.team)
    rig = replace(hosting.rig, secrets={**hosting.rig.secrets, "MLFLOW_TRACKING_PASSWORD": _PASSWORD})

    ran = rig.run("rollout.yml", "push", variables={"MLFLOW_TRACKING_URI": _AWAY})

    assert ran.jobs == {"rollout": "success", "mlflow": "success"}, ran.said
    assert ran.tokens("mlflow") == {APP_TOKEN}
    assert "was not told: the MLflow server 127.0.0.1 does not answer" in ran.said
    assert _PASSWORD in json.dumps(ran.environments["mlflow"])
    assert _PASSWORD not in json.dumps(ran.environments["rollout"]) + ran.said
    page = json.loads(hosting.hosted.git("show", "ledger:tip/v1.0.0/write-back.1.json"))
    assert (page["body"]["telling"]["model_version"], page["body"]["unanswered"]) == ("3", True)


def _verified(team: Team) -> None:
    """Released, merged, verified and announced on this machine, so that the first job finds nothing due."""
    tag = team.tag("tip@v1.0.0", "Begin")
    team.release(tag)
    came_from_mlflow(team, tag)
    proposal = team.record(tag).page(Proposal, written_by="bump-manifest").body
    assert proposal.pull is not None
    team.workplace.forge.merge_pull(proposal.pull)
    team.commit("Bring what was merged")
    found = wanted_rollouts.wanted(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    assert found is not None
    page = Rollout(
        environment=ENVIRONMENT,
        version="v1.0.0",
        digest=found.digest,
        commit=found.commit,
        live_since=date(2026, 3, 1),
        golden_rows=50,
        golden_equal=50,
    )
    team.record(tag).once_for_each(Rollout, reads=found.reads(stays=True), make=lambda: page)
    team.record_pages(tag)
