"""What a checkout lacks for an engine that asks a cluster, told before a release finds out."""

from __future__ import annotations

import pytest
from slipway.domain.checkup import Finding, State
from slipway.domain.checkup.cluster import judge_cluster_files
from slipway.domain.settings import RolloutEngine, Settings
from slipway.domain.upkeep import ManifestProblem


def found(
    *models: str, served_log: str = "s3://bucket/served", manifests: tuple[ManifestProblem, ...] = ()
) -> dict[str, Finding]:
    settings = Settings(image_registry="ghcr.io/acme", rollout_engine=RolloutEngine.ARGO_CD, served_log=served_log)
    return {one.name: one for one in judge_cluster_files(settings, models=models, manifests=manifests)}


@pytest.mark.parametrize("engine", [RolloutEngine.PROCESS, RolloutEngine.DOCKER])
def test_what_runs_on_one_machine_is_held_to_none_of_it(engine: RolloutEngine) -> None:
    """Its servers write the log where the watch reads, and no name becomes one of DNS."""
    settings = Settings(image_registry="ghcr.io/acme", rollout_engine=engine)
    assert list(judge_cluster_files(settings, models=["a" * 63], manifests=[])) == []


def test_what_a_cluster_takes_is_well() -> None:
    """A check that is always red would soon be ignored."""
    assert {one.state for one in found("flight-delay").values()} == {State.OK}


def test_a_model_whose_service_no_cluster_takes_is_named_with_its_file() -> None:
    """It was declared while the engine was another."""
    told = found("flight-delay", "a" * 57)["names of models"]
    assert (told.state, "flight-delay" in told.text) == (State.PROBLEM, False)
    assert f"models/{'a' * 57}/model.yaml: name: the Service would be called" in told.text


def test_a_manifest_that_runs_nothing_is_told_with_who_prints_its_mend() -> None:
    """kustomize is content with it, and a cluster prunes what ran."""
    wrong = ManifestProblem(path="deploy/staging/tip/kustomization.yaml", problem="it builds on nothing", mend="long")
    told = found(manifests=(wrong,))["manifests"]
    assert (told.state, told.text) == (State.PROBLEM, "deploy/staging/tip/kustomization.yaml: it builds on nothing")
    assert "slipway check-manifests" in told.mend


@pytest.mark.parametrize(
    ("address", "state"),
    [
        (".slipway/served", State.PROBLEM),
        ("/srv/served", State.UNKNOWN),
        ("gs://bucket/served", State.OK),
        ("psycopg://?host=db&table=served", State.OK),
    ],
)
def test_a_served_log_that_no_pod_can_write_is_told(address: str, state: State) -> None:
    """The watch would look at nothing for ever, and find nothing wrong; a volume of both may be meant."""
    told = found(served_log=address)["served log"]
    assert told.state is state
    assert (address in told.text) == (state is not State.OK)
