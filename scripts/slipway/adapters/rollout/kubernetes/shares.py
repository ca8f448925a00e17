"""Whether a canary gets no more than its share, and nothing but its model is tried. Pure: from what is rendered.

A Service sends each pod that is ready as many requests as the next. So the share of one canary hangs on how few pods
can be beside it, and that is what the autoscaler may go down to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipway.adapters.rollout.kubernetes.rendered import Rendered, Workload, documents
from slipway.domain.rollout_limit import CanaryLimit
from slipway.errors import BadFile

Document = Mapping[str, Any]
_GUIDE = "docs/kubernetes.md"


def refuse_more_than(limit: CanaryLimit, found: Rendered, *, environment: str) -> None:
    """Return where one pod of the canary stands beside enough of those that run, as one of them.

    Raises:
        BadFile: it would get more than its share, or none, or differs by more than its image.
    """
    told = documents(found.content, found.path)
    if found.canary is None:
        raise BadFile(
            f"{found.path} takes deploy/base/canary in, and no Deployment of a canary comes of it",
            mend=f"take deploy/base/canary from the template of today, as {_GUIDE} says",
        )
    stable, canary = _deployment(told, found.workload), _deployment(told, found.canary)
    _refuse_another_pod(stable, canary, found)
    _refuse_no_service(stable, canary, told, found)
    _refuse_a_larger_share(stable, canary, told, found, limit=limit, environment=environment)


def fewest_pods(deployment: Document, told: Sequence[Document]) -> int:
    """What an autoscaler may go down to; without one, what the Deployment asks for."""
    for one in told:
        if one.get("kind") == "HorizontalPodAutoscaler" and _scales(one, deployment):
            return int(_at(one, "spec", "minReplicas") or 1)
    replicas = _at(deployment, "spec", "replicas")
    return 1 if replicas is None else int(replicas)


def _refuse_a_larger_share(
    stable: Document,
    canary: Document,
    told: Sequence[Document],
    found: Rendered,
    *,
    limit: CanaryLimit,
    environment: str,
) -> None:
    beside, trying = fewest_pods(stable, told), fewest_pods(canary, told)
    wanted = limit.stable_pods * trying
    if not trying:
        raise BadFile(
            f"{found.path}: a canary of 0 pods answers nothing to be judged by",
            mend="write `replicas: 1` in deploy/base/canary/deployment/deployment.yaml",
        )
    if beside < wanted:
        share = 100 * trying / (beside + trying)
        raise BadFile(
            f"{found.path}: {trying} of a canary beside {beside} of {found.workload.name} would get up to {share:.0f} "
            f"% of {environment}, and policies/rollout.yaml allows {100 * limit.share:g} %",
            mend=f"keep {wanted} of them at least: `minReplicas: {wanted}` in deploy/base/autoscaler.yaml, for all "
            f"models, or in a patch of {found.path}; or allow a larger share. Then run the release again",
        )


def _refuse_another_pod(stable: Document, canary: Document, found: Rendered) -> None:
    container = found.workload.container
    one, other = (_without_image(_at(each, "spec", "template", "spec"), container) for each in (stable, canary))
    if one != other:
        where = ", ".join(dict.fromkeys(_differences(one, other, "spec.template.spec")))
        raise BadFile(
            f"{found.path}: a canary's pod differs from that of {found.workload.name} by more than its image: {where}",
            mend="let what patches one patch both: `target: {kind: Deployment}`, without a name; it would be judged "
            "for something else than its model",
        )


def _refuse_no_service(stable: Document, canary: Document, told: Sequence[Document], found: Rendered) -> None:
    services = [one for one in told if one.get("kind") == "Service"]
    if not any(_selects(one, stable) and _selects(one, canary) for one in services):
        named = ", ".join(str(_at(one, "metadata", "name")) for one in services if _selects(one, stable)) or "none"
        raise BadFile(
            f"{found.path}: a canary would get no requests: no Service reaches both it and {found.workload.name}, "
            f"which answers those of: {named}",
            mend="let the selector of the Service name labels that both have, in "
            f"deploy/base/canary/kustomization.yaml; {_GUIDE} says which",
        )


def _deployment(told: Sequence[Document], workload: Workload) -> Document:
    return next(
        one for one in told if one.get("kind") == "Deployment" and _at(one, "metadata", "name") == workload.name
    )


def _scales(autoscaler: Document, deployment: Document) -> bool:
    target = _at(autoscaler, "spec", "scaleTargetRef") or {}
    return (target.get("kind"), target.get("name")) == ("Deployment", _at(deployment, "metadata", "name"))


def _selects(service: Document, deployment: Document) -> bool:
    selector = _at(service, "spec", "selector") or {}
    labels = _at(deployment, "spec", "template", "metadata", "labels") or {}
    return bool(selector) and selector.items() <= labels.items()


def _without_image(pod: Any, container: str) -> dict[str, Any]:
    """What a pod is beside what its server is made of."""
    containers = [
        {key: value for key, value in one.items() if key != "image"} if one.get("name") == container else one
        for one in pod.get("containers") or ()
    ]
    return {**pod, "containers": containers}


def _differences(one: Any, other: Any, where: str) -> Iterator[str]:
    """Where two values differ, as deep as both have the same form."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            yield from _differences(one.get(key), other.get(key), f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, f"{where}[{at}]")
    elif one != other:
        yield where


def _at(document: Any, *keys: str) -> Any:
    """What lies under keys one in another; None where one of them is not there."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document
