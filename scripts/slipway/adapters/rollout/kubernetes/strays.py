"""What a cluster runs for Slipway and no manifest names: somebody made it by hand, or it was left behind.

It is known by the label that deploy/base gives to all, and is what a Service sends requests to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from slipway.adapters.rollout import Live, Stray
from slipway.adapters.rollout.kubernetes import objects, reading
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.objects import Deployment
from slipway.adapters.rollout.kubernetes.rendered import Workload, is_canary, tag_of

OURS = "app.kubernetes.io/part-of=slipway"
_MODEL = "app.kubernetes.io/name"
_CONTAINER = "server"


def strays(kubectl: Kubectl, *, known: Collection[Live]) -> list[Stray]:
    """Deployments beside those that are `known`, in their namespaces; without any, in that of the environment's name.

    One that was scaled to 0 runs nothing.

    Raises:
        Unreachable: the cluster does not answer.
        ClusterRefused: it does not let this user list Deployments there.
    """
    there = [Workload.at(live.url) for live in known]
    names = {(workload.namespace, workload.name) for workload in there}
    namespaces = {workload.namespace for workload in there} or {kubectl.environment}
    listed = (one for namespace in sorted(namespaces) for one in _listed(namespace, kubectl))
    found = (_stray(one, at, kubectl) for one, at in listed if (at.namespace, at.name) not in names)
    return [one for one in found if one is not None]


def served(asking: Asking, model: str, *, canary: bool) -> Live | None:
    """What a Deployment serves; None where there is none, or nothing says which digest it is."""
    image, digest = reading.served(asking.look())
    if not digest:
        return None
    return Live(
        model=model,
        environment=asking.kubectl.environment,
        version=tag_of(image),
        digest=digest,
        url=asking.workload.url,
        is_canary=canary,
    )


def _listed(namespace: str, kubectl: Kubectl) -> Iterator[tuple[Deployment, Workload]]:
    place = Workload(namespace, "", "").place
    answer = kubectl.objects("deployment.apps", f"--selector={OURS}", *place)
    for one in objects.of_kind(answer, "Deployment", Deployment):
        if one.spec.replicas > 0:
            yield one, Workload(namespace, one.metadata.name, _container_of(one))


def _container_of(deployment: Deployment) -> str:
    names = [container.name for container in deployment.spec.template.spec.containers]
    return _CONTAINER if _CONTAINER in names else names[0]


def _stray(deployment: Deployment, workload: Workload, kubectl: Kubectl) -> Stray | None:
    model = deployment.metadata.labels.get(_MODEL, deployment.metadata.name)
    live = served(Asking(kubectl, workload), model, canary=is_canary(deployment))
    if live is None:
        return None
    return Stray(live=live, ended_by=kubectl.shown("delete", "deployment.apps", workload.name, *workload.place))
