"""Canaries that a manifest names no more: which they are in a cluster, and the wait until they are gone.

`kubectl apply` deletes nothing, so Slipway does; Argo CD and Flux prune, some time after they applied the rest.
"""

from __future__ import annotations

import time

from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.kubernetes import objects, verdicts
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.rendered import OF_CANARIES, Rendered, digest_of, name_of
from slipway.domain.settings import RolloutEngine


def left_behind(model: str, manifest: Rendered, kubectl: Kubectl) -> list[str]:
    """Names of the Deployments that want a canary of a model which its manifest does not name.

    They are told as in a manifest, by what they run: names and all other labels are the team's to edit.
    """
    answer = kubectl.objects("deployment.apps", f"--selector={OF_CANARIES}", *manifest.workload.place)
    named = "" if manifest.canary is None else digest_of(manifest.canary.image)
    found = objects.of_kind(answer, "Deployment", objects.Deployment)
    return [one.metadata.name for one in found if _other_digests(one, model, named)]


def wait_until_gone(
    deployment: Deployment, manifest: Rendered, asking: Asking, *, engine: RolloutEngine, turn_seconds: float
) -> None:
    """Nobody may write down that a canary is gone while it runs.

    Raises:
        Unreachable: one is still there when the time is over.
    """
    ends = time.monotonic() + deployment.ready_seconds
    while names := left_behind(deployment.model, manifest, asking.kubectl):
        if time.monotonic() >= ends:
            raise verdicts.not_gone(names, deployment, asking, engine=engine)
        time.sleep(min(turn_seconds, max(0.0, ends - time.monotonic())))


def _other_digests(deployment: objects.Deployment, model: str, named: str) -> bool:
    images = [one.image for one in deployment.spec.template.spec.containers]
    return any(digest_of(image) != named for image in images if name_of(image) == model)
