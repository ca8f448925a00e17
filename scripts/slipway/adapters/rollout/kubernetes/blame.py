"""Whose fault it is that a rollout goes no further: the version's, or the cluster's. Pure.

A version is at fault where its own container crashes, is killed for its memory, or runs on a node that is well for long
enough and is not ready. All else is the cluster's: nobody can say how the version would do, and nothing is reverted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from slipway.adapters.rollout.kubernetes import objects
from slipway.adapters.rollout.kubernetes.objects import ContainerStatus, Pod, Terminated
from slipway.adapters.rollout.kubernetes.reading import Seen

RESTARTS = 3  # after which a crash is taken for a loop
_IMAGE = ("ErrImage", "ImagePull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable")
_NOT_STARTED = ("CrashLoopBackOff", "RunContainerError", "PostStartHookError")
_OF_NODES = ("ContainerStatusUnknown", "NodeShutdown", "NodeLost", "Preempted", "Preempting", "Terminated", "Unknown")
_OWN_EVICTION = re.compile(r"exceed(s|ed) the (total )?limit", re.IGNORECASE)
_MOST = 300  # characters of somebody else's words


class Whose(StrEnum):
    VERSION = "version"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """`pod` is empty where it is not about one; `mend` is empty where the text says it all."""

    whose: Whose
    text: str
    pod: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When it was looked, how long a container may take to get ready, and what was asked besides.

    `nodes` says which are ready, as far as this user may ask; `events` has the last warning of a pod.
    """

    now: datetime
    patience: float
    nodes: Mapping[str, bool] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)


def crash_loop(seen: Seen, digest: str) -> Trouble | None:
    """A new pod whose container ended again and again and runs not now: to wait for it is in vain."""
    for pod in _staying(seen, digest):
        status = seen.status(pod)
        if status.restart_count >= RESTARTS and status.state.running is None and _crashed(status):
            return of_crash(pod, status)
    return None


def troubles(seen: Seen, digest: str, around: Circumstances) -> tuple[Trouble, ...]:
    """All that keeps it from being live, the version's faults first."""
    found = [*_of_pods(seen, digest, around), *_of_deployment(seen, digest)]
    return tuple(sorted(found, key=lambda trouble: trouble.whose is Whose.CLUSTER))


def of_pod(pod: Pod, seen: Seen, around: Circumstances) -> Trouble | None:
    """What is wrong with one pod of the version; None where it is ready."""
    status = seen.status(pod)
    if pod.is_ready:
        return None
    if around.nodes.get(pod.spec.node_name) is False:
        return _cluster(pod, f"its node {pod.spec.node_name} is not ready", mend="see the node: kubectl describe node")
    if pod.status.phase == "Failed" and pod.status.reason:
        return _of_failed(pod)
    return _of_scheduling(pod) or _of_container(pod, status, around) or _of_others(pod, status, around)


def _of_pods(seen: Seen, digest: str, around: Circumstances) -> Iterator[Trouble]:
    for pod in _staying(seen, digest):
        found = of_pod(pod, seen, around)
        if found is not None:
            yield found


def _of_deployment(seen: Seen, digest: str) -> Iterator[Trouble]:
    deployment = seen.deployment
    if deployment is None or not seen.names(digest):
        return
    name = deployment.metadata.name
    if deployment.spec.paused:
        yield _whole(f"the Deployment {name} is paused", mend=f"kubectl rollout resume deployment/{name}")
    if deployment.spec.replicas == 0:
        yield _whole(f"the Deployment {name} is scaled to 0", mend=f"kubectl scale deployment/{name} --replicas=1")
    if not seen.is_observed:
        yield _whole("no controller of the cluster has seen the new manifest", mend="see to kube-controller-manager")
    failure = objects.condition(deployment.status.conditions, "ReplicaFailure")
    if failure is not None and failure.status == "True":
        yield _whole(f"the cluster makes no pods: {_cut(failure.message)}", mend="mend what it names, such as a quota")
    for pod in seen.old_pods(digest):
        node = f" on {pod.spec.node_name}" if pod.spec.node_name else ""
        yield _cluster(pod, f"is of before and still there{node}")


def _of_failed(pod: Pod) -> Trouble:
    text = f"was ended ({pod.status.reason}): {_cut(pod.status.message)}"
    if pod.status.reason == "Evicted" and _OWN_EVICTION.search(pod.status.message):
        return _version(pod, text)
    return _cluster(pod, text)


def _of_scheduling(pod: Pod) -> Trouble | None:
    scheduled = objects.condition(pod.status.conditions, "PodScheduled")
    if scheduled is None or scheduled.status != "False":
        return None
    return _cluster(
        pod, f"has no node: {_cut(scheduled.message)}", mend="give the cluster room, or ask for less in the manifest"
    )


def _of_container(pod: Pod, status: ContainerStatus, around: Circumstances) -> Trouble | None:
    """None where its state says nothing of it."""
    waiting = status.state.waiting
    if waiting is not None and waiting.reason.startswith(_IMAGE):
        return _of_image(pod, waiting.reason, waiting.message)
    if _crashed(status):
        return of_crash(pod, status)
    if _ended_by_node(status):
        return _cluster(pod, "was ended together with its node")
    if waiting is not None and waiting.reason.startswith(_NOT_STARTED):
        return _version(pod, f"does not start ({waiting.reason}): {_cut(waiting.message)}")
    if status.state.running is not None and not status.ready:
        return _of_slow(pod, status.state.running.started_at, around)
    return None


def _of_image(pod: Pod, reason: str, message: str) -> Trouble:
    return _cluster(
        pod,
        f"cannot pull its image ({reason}): {_cut(message)}",
        mend="the registry gave it to Slipway a moment ago: see that the nodes reach that registry, and see to the "
        "pull secret of the pod (`imagePullSecrets`, or that of its service account)",
    )


def of_crash(pod: Pod, status: ContainerStatus) -> Trouble:
    """What is said of a container that ended by itself."""
    ended = _last_end(status) or Terminated()
    why = "was killed for its memory" if ended.reason == "OOMKilled" else f"ended with code {ended.exit_code}"
    reason = f" ({ended.reason})" if ended.reason not in ("", "Error") else ""
    message = f": {_cut(ended.message)}" if ended.message else ""
    often = f", {status.restart_count} times started anew" if status.restart_count else ""
    return _version(pod, f"{why}{reason}{often}{message}")


def _of_slow(pod: Pod, since: datetime | None, around: Circumstances) -> Trouble:
    ran = max(0.0, (around.now - since).total_seconds()) if since is not None else 0.0
    if ran < around.patience:
        return _cluster(
            pod, f"runs for {ran:.0f} s only, of {around.patience:.0f} that it may take", mend="roll out again"
        )
    return _version(pod, f"runs for {ran:.0f} s and is not ready{_warned(pod, around)}")


def _of_others(pod: Pod, status: ContainerStatus, around: Circumstances) -> Trouble:
    """It does not run, or runs well and the pod is not ready all the same."""
    if status.state.running is not None:
        return _cluster(pod, f"answers, but is not counted as ready{_other_container(pod, status)}")
    waiting = status.state.waiting
    told = f" ({waiting.reason})" if waiting is not None and waiting.reason else ""
    message = f": {_cut(waiting.message)}" if waiting is not None and waiting.message else ""
    return _cluster(pod, f"is not started{told}{message}{_other_container(pod, status)}{_warned(pod, around)}")


def _other_container(pod: Pod, status: ContainerStatus) -> str:
    for one in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        held = one.state.waiting or one.state.terminated
        is_done = one.state.terminated is not None and one.state.terminated.exit_code == 0
        if one.name != status.name and held is not None and not is_done and held.reason != "PodInitializing":
            return f"; its container {one.name}: {held.reason}"
    return ""


def _staying(seen: Seen, digest: str) -> list[Pod]:
    """None before the cluster has seen the manifest: with another line of it, pods of the same digest may do well."""
    return [pod for pod in seen.new_pods(digest) if not pod.is_leaving] if seen.is_observed else []


def is_of_node(ended: Terminated) -> bool:
    """Whether it ended because its machine did."""
    return ended.reason in _OF_NODES


def _crashed(status: ContainerStatus) -> bool:
    ended = _last_end(status)
    return ended is not None and not is_of_node(ended)


def _ended_by_node(status: ContainerStatus) -> bool:
    ended = _last_end(status)
    return ended is not None and is_of_node(ended)


def _last_end(status: ContainerStatus) -> Terminated | None:
    return status.state.terminated or status.last_state.terminated


def _warned(pod: Pod, around: Circumstances) -> str:
    warning = around.events.get(pod.name, "")
    return f"; {_cut(warning)}" if warning else ""


def _version(pod: Pod, text: str) -> Trouble:
    return Trouble(whose=Whose.VERSION, pod=pod.name, text=f"pod {pod.name} {text}")


def _cluster(pod: Pod, text: str, *, mend: str = "") -> Trouble:
    return Trouble(whose=Whose.CLUSTER, pod=pod.name, text=f"pod {pod.name} {text}", mend=mend)


def _whole(text: str, *, mend: str) -> Trouble:
    return Trouble(whose=Whose.CLUSTER, text=text, mend=mend)


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _MOST else f"{words[: _MOST - 1]}…"
