"""How far a rollout is, read from what the cluster answered and from nothing else: pure, so that it can be told of any
cluster, also of one that nobody has seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from slipway.adapters.rollout.kubernetes.objects import ContainerStatus, Deployment, Pod, ReplicaSet
from slipway.adapters.rollout.kubernetes.rendered import digest_of

_REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look: a Deployment, its ReplicaSets and their pods, and the container that serves.

    `deployment` None: there is none of that name.
    """

    container: str
    deployment: Deployment | None = None
    replica_sets: tuple[ReplicaSet, ...] = ()
    pods: tuple[Pod, ...] = ()

    @property
    def image(self) -> str:
        """What the Deployment asks for; empty where nothing does."""
        if self.deployment is None:
            return ""
        containers = self.deployment.spec.template.spec.containers
        return next((one.image for one in containers if one.name == self.container), "")

    @property
    def is_observed(self) -> bool:
        """Whether what is told of pods is about the newest manifest."""
        found = self.deployment
        return found is not None and found.status.observed_generation >= found.metadata.generation

    def names(self, digest: str) -> bool:
        return digest_of(self.image) == digest

    def new_pods(self, digest: str) -> tuple[Pod, ...]:
        """Those of the newest ReplicaSet of the digest; two have it where the team changed another line."""
        newest = self._newest(digest)
        return () if newest is None else tuple(pod for pod in self.pods if _is_owned(pod, newest))

    def old_pods(self, digest: str) -> tuple[Pod, ...]:
        """All others of this Deployment, also those that are leaving."""
        new = {pod.metadata.uid for pod in self.new_pods(digest)}
        return tuple(
            pod
            for pod in self.pods
            if pod.metadata.uid not in new and any(_is_owned(pod, one) for one in self._replica_sets())
        )

    def status(self, pod: Pod) -> ContainerStatus:
        """Of the container that serves; an empty one before the kubelet has said a word."""
        found = (one for one in pod.status.container_statuses if one.name == self.container)
        return next(found, ContainerStatus(name=self.container))

    def other_image(self, digest: str, same: AbstractSet[str]) -> tuple[Pod, str] | None:
        """A new pod that runs another image than was asked for, and the digest of that.

        Runtimes that tell no digest of a registry are believed: the kubelet pulled by digest. `same` are digests of the
        images that the digest lists, where it is an index.
        """
        for pod in self.new_pods(digest):
            told = digest_of(self.status(pod).image_id)
            if told and told != digest and told not in same:
                return pod, told
        return None

    def _newest(self, digest: str) -> ReplicaSet | None:
        found = [one for one in self._replica_sets() if digest_of(self._image_in(one)) == digest]
        return max(found, key=_revision, default=None)

    def _replica_sets(self) -> list[ReplicaSet]:
        """Labels may select those of somebody else, too."""
        if self.deployment is None:
            return []
        uid = self.deployment.metadata.uid
        return [one for one in self.replica_sets if uid in {owner.uid for owner in one.metadata.owner_references}]

    def _image_in(self, replica_set: ReplicaSet) -> str:
        containers = replica_set.spec.template.spec.containers
        return next((one.image for one in containers if one.name == self.container), "")


def waits_for(seen: Seen, digest: str) -> str:
    """What it still waits for, as a person reads it.

    Empty once it is live: the cluster has seen the manifest, every pod is of its digest and available, and none of
    before is left.
    """
    deployment = seen.deployment
    if deployment is None:
        return "there is no Deployment yet"
    if not seen.names(digest):
        return f"the cluster still wants {seen.image or 'something else'}"
    if not seen.is_observed:
        return "the cluster has not seen the new manifest yet"
    return _counted(seen, deployment, digest)


def served(seen: Seen) -> tuple[str, str]:
    """The image that most of the ready pods run, and its digest; where none is ready, what the Deployment asks for.

    Both are empty where there is no Deployment; the digest is where an image names none and the runtime tells none.
    """
    pods = [*seen.old_pods(digest_of(seen.image)), *seen.new_pods(digest_of(seen.image))]
    ready = Counter(_runs(pod, seen) for pod in pods if pod.is_ready)
    return ready.most_common(1)[0][0] if ready else (seen.image, digest_of(seen.image))


def _runs(pod: Pod, seen: Seen) -> tuple[str, str]:
    image = next((one.image for one in pod.spec.containers if one.name == seen.container), "")
    return image, digest_of(image) or digest_of(seen.status(pod).image_id)


def _counted(seen: Seen, deployment: Deployment, digest: str) -> str:
    status, wanted = deployment.status, deployment.spec.replicas
    if wanted == 0:
        return "the Deployment is scaled to 0"
    ready = sum(pod.is_ready for pod in seen.new_pods(digest))
    old = len(seen.old_pods(digest))
    if not status.updated_replicas == status.replicas == status.available_replicas == wanted or ready < wanted:
        left = f", {old} of before still there" if old else ""
        return f"{ready} of {wanted} pods ready{left}"
    return f"all {wanted} pods ready, {old} of before still there" if old else ""


def _is_owned(pod: Pod, replica_set: ReplicaSet) -> bool:
    return replica_set.metadata.uid in {owner.uid for owner in pod.metadata.owner_references}


def _revision(replica_set: ReplicaSet) -> int:
    told = replica_set.metadata.annotations.get(_REVISION, "")
    return int(told) if told.isascii() and told.isdigit() else 0
