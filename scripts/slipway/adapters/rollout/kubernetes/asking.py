"""What is asked of a cluster about one Deployment, each within a bounded time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.adapters.rollout.kubernetes import objects, refusals
from slipway.adapters.rollout.kubernetes.blame import Circumstances
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.objects import Deployment, Event, Node, Pod, ReplicaSet
from slipway.adapters.rollout.kubernetes.reading import Seen
from slipway.adapters.rollout.kubernetes.rendered import Workload
from slipway.errors import SlipwayError

_LOG_LINES, _LOG_BYTES, _LINE = 20, 20_000, 300
_PODS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Asking:
    kubectl: Kubectl
    workload: Workload

    def look(self) -> Seen:
        """One look at the Deployment, its ReplicaSets and pods.

        Raises:
            Unreachable: the cluster does not answer.
            ClusterRefused: it says no.
        """
        place, container = self.workload.place, self.workload.container
        answer = self.kubectl.objects("deployment.apps", self.workload.name, *place)
        if answer is None:
            return Seen(container=container)
        deployment = objects.read(answer, Deployment)
        below = self.kubectl.objects("replicasets.apps,pods", f"--selector={deployment.spec.selector}", *place)
        return Seen(
            container=container,
            deployment=deployment,
            replica_sets=objects.of_kind(below, "ReplicaSet", ReplicaSet),
            pods=objects.of_kind(below, "Pod", Pod),
        )

    def around(self, seen: Seen, digest: str, *, patience: float) -> Circumstances:
        """What helps to find out whose fault it is; what this user may not ask, or nobody answers, is left out."""
        pods = [pod for pod in seen.new_pods(digest) if not pod.is_ready][:_PODS_NAMED]
        return Circumstances(
            now=datetime.now(UTC),
            patience=patience,
            nodes=self._nodes(sorted({pod.spec.node_name for pod in pods if pod.spec.node_name})),
            events={pod.name: warning for pod in pods if (warning := self._warning(pod))},
        )

    def log_of(self, pod: str) -> list[str]:
        """The last lines of what the container printed, of its last life where it was started anew; none where lost."""
        for again in (["--previous"], []):
            ended = self.kubectl.ended("logs", pod, *self._of_container(), *again, *self.workload.place)
            lines = _lines(ended.out) if ended.code == 0 else []
            if lines:
                return lines
        return []

    def _of_container(self) -> Sequence[str]:
        return (f"--container={self.workload.container}", f"--tail={_LOG_LINES}", f"--limit-bytes={_LOG_BYTES}")

    def _nodes(self, names: Sequence[str]) -> dict[str, bool]:
        if not names:
            return {}
        try:
            answer = self.kubectl.objects("nodes", *names)
        except SlipwayError:
            return {}
        listed = answer if isinstance(answer, dict) and answer.get("kind") == "List" else {"items": [answer]}
        nodes = objects.of_kind(listed, "Node", Node)
        return {node.metadata.name: objects.is_true(node.status.conditions, "Ready") for node in nodes}

    def _warning(self, pod: Pod) -> str:
        """The last thing that went wrong with a pod, in the cluster's words."""
        which = f"--field-selector=involvedObject.uid={pod.metadata.uid},type=Warning"
        try:
            answer = self.kubectl.objects("events", which, *self.workload.place)
        except SlipwayError:
            return ""
        events = objects.of_kind(answer, "Event", Event)
        return f"{events[-1].reason}: {events[-1].message}" if events else ""


def _lines(printed: bytes) -> list[str]:
    text = refusals.without_secrets(refusals.clean(printed.decode(errors="replace")))
    lines = [line.rstrip() for line in text.splitlines()]
    return [line if len(line) <= _LINE else f"{line[: _LINE - 1]}…" for line in lines if line][-_LOG_LINES:]
