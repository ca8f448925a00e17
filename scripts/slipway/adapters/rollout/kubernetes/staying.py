"""Whether what went live stays up: two looks compared. Pure.

That a pod is replaced is no fault by itself: nodes are drained, and people scale. What fell over by itself is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slipway.adapters.rollout.kubernetes import blame
from slipway.adapters.rollout.kubernetes.blame import Circumstances, Trouble, Whose
from slipway.adapters.rollout.kubernetes.reading import Seen

Restarts = Mapping[str, int]


def restarts(seen: Seen, digest: str) -> dict[str, int]:
    """By the uid of each pod of the version, how often its container was started anew."""
    return {pod.metadata.uid: seen.status(pod).restart_count for pod in seen.new_pods(digest)}


def restarted(seen: Seen, digest: str, before: Restarts) -> Trouble | None:
    """A pod of the version that was started anew since `before`; one that was not there then has not begun well."""
    for pod in seen.new_pods(digest):
        status = seen.status(pod)
        more = status.restart_count - before.get(pod.metadata.uid, 0)
        ended = status.last_state.terminated or status.state.terminated
        if ended is not None and (more > 0 or status.state.terminated is not None) and not blame.is_of_node(ended):
            return blame.of_crash(pod, status)
    return None


def unready(seen: Seen, digest: str, before: Restarts, around: Circumstances) -> dict[str, Trouble]:
    """By uid, the pods that were there before and are not ready now; one that is leaving was told to."""
    at_once = replace(around, patience=0.0)
    found = {
        pod.metadata.uid: blame.of_pod(pod, seen, at_once)
        for pod in seen.new_pods(digest)
        if pod.metadata.uid in before and not pod.is_leaving
    }
    return {uid: trouble for uid, trouble in found.items() if trouble is not None}


def short_of(seen: Seen, digest: str, before: Restarts) -> str:
    """What is missing of what was live before; empty where nothing is. Who scaled it down wanted fewer."""
    if seen.deployment is None:
        return "the Deployment is gone"
    if not seen.names(digest):
        return f"the cluster wants {seen.image} now: something else was rolled out meanwhile"
    ready = sum(pod.is_ready for pod in seen.new_pods(digest))
    wanted = min(len(before), seen.deployment.spec.replicas)
    return f"{ready} of {wanted} pods ready" if ready < max(1, wanted) else ""


def of_version(found: Mapping[str, Trouble]) -> dict[str, Trouble]:
    return {uid: trouble for uid, trouble in found.items() if trouble.whose is Whose.VERSION}
