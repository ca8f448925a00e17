"""Judge what an engine that asks a cluster needs of a checkout: names, manifests, and a served log that can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from slipway.domain.checkup import Finding, State, ok, problem
from slipway.domain.cluster_names import refused_model
from slipway.domain.settings import Settings
from slipway.domain.upkeep import ManifestProblem

_BUCKET = "write a bucket into slipway.yaml, such as served_log: s3://BUCKET/served; docs/kubernetes.md says the rest"


def judge_cluster_files(
    settings: Settings, *, models: Sequence[str], manifests: Sequence[ManifestProblem]
) -> Iterator[Finding]:
    """Nothing where models run on no cluster.

    Args:
        settings: of the repository.
        models: names of those that are declared.
        manifests: what is wrong with those that are there.
    """
    if settings.rollout_engine.is_cluster:
        yield _names(models)
        yield _manifests(manifests)
        yield _served_log(settings.served_log)


def _names(models: Sequence[str]) -> Finding:
    name = "names of models"
    refused = [f"models/{model}/model.yaml: name: {why}" for model in models if (why := refused_model(model))]
    if refused:
        return problem(name, "; ".join(refused), "call the model otherwise, before its first release")
    return ok(name, "all of a form that a cluster takes")


def _manifests(found: Sequence[ManifestProblem]) -> Finding:
    name = "manifests"
    if found:
        told = "; ".join(f"{one.path}: {one.problem}" for one in found)
        return problem(name, told, "slipway check-manifests prints for each what to write")
    return ok(name, "all make something that a cluster runs")


def _served_log(address: str) -> Finding:
    name = "served log"
    if "://" in address:
        return ok(name, "lies where pods and the watch both reach it")
    if PurePosixPath(address).is_absolute():
        text = f"{address} is a folder: the watch reads what pods write there only if it is one volume of both"
        return Finding(name=name, state=State.UNKNOWN, text=text, mend=f"mount it in both; or {_BUCKET}")
    text = f"served_log of slipway.yaml, {address}, lies in the checkout, where no pod writes: the watch sees nothing"
    return problem(name, text, _BUCKET)
