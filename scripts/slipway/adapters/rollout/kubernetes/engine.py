"""Rollouts to clusters: apply a manifest or see that Argo CD or Flux does, wait until it is live, ask it, watch it.

Nothing is kept on this machine: git says what is wanted, the cluster what is. So a run that was killed is run again,
and two at once do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from slipway.adapters.deploy_tree import manifest_path
from slipway.adapters.rollout import Batch, Deployment, Live, Stray, client
from slipway.adapters.rollout.client import Times
from slipway.adapters.rollout.kubernetes import staying, verdicts, writing
from slipway.adapters.rollout.kubernetes.arriving import wait_until_live
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.forwarding import forwarded
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.leaving import wait_until_gone
from slipway.adapters.rollout.kubernetes.objects import Pod
from slipway.adapters.rollout.kubernetes.reading import Seen
from slipway.adapters.rollout.kubernetes.rendered import Rendered, Workload, digest_of, fetched, rendered
from slipway.adapters.rollout.kubernetes.staying import Restarts
from slipway.adapters.rollout.kubernetes.strays import served, strays
from slipway.adapters.rollout.kubernetes.watching import Watch
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile, ClusterRefused, Unreachable

_PORT, _PORT_NAME = 8080, "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesRollout:
    """Rolls out to the clusters that `contexts` names, an environment each.

    `head` is the newest commit of the default branch, None before the first; `same_as` gives the digests that an index
    lists, which some runtimes tell in its place.
    """

    engine: RolloutEngine
    repository: Path
    head: Callable[[], str | None]
    contexts: Mapping[str, str | None]
    same_as: Callable[[str, str], frozenset[str]] = lambda _model, _digest: frozenset()
    program: str = "kubectl"
    call_seconds: float = 30.0
    turn_seconds: float = 2.0
    _restarts: dict[str, Restarts] = field(default_factory=dict, repr=False)

    def apply(self, deployment: Deployment) -> Live:
        manifest, workload = self._manifest_of(deployment)
        asking = self._asking(deployment.environment, workload)
        if self.engine is RolloutEngine.KUBERNETES:
            writing.apply(manifest, asking.kubectl, model=deployment.model)
        same = partial(self.same_as, deployment.model, deployment.digest)
        seen = wait_until_live(deployment, asking, engine=self.engine, same=same, turn_seconds=self.turn_seconds)
        wait_until_gone(deployment, manifest, asking, engine=self.engine, turn_seconds=self.turn_seconds)
        self._restarts[workload.url] = staying.restarts(seen, deployment.digest)
        return Live(
            model=deployment.model,
            environment=deployment.environment,
            version=deployment.version,
            digest=deployment.digest,
            url=workload.url,
            is_canary=deployment.is_canary,
        )

    def live(self, model: str, environment: str) -> Live | None:
        """What most of the pods that are ready run; where none is, what the Deployment asks for."""
        manifest = self._rendered(model, environment)
        if manifest is None:
            return None
        return served(self._asking(environment, manifest.workload), model, canary=False)

    def canary(self, model: str, environment: str) -> Live | None:
        """The same of the Deployment that gets a share of the requests, where the manifest has one."""
        manifest = self._rendered(model, environment)
        if manifest is None or manifest.canary is None:
            return None
        return served(self._asking(environment, manifest.canary), model, canary=True)

    def strays(self, environment: str, *, known: Collection[Live]) -> list[Stray]:
        """Deployments with Slipway's label that no manifest names."""
        return strays(self._kubectl(environment), known=known)

    def ask(
        self,
        live: Live,
        batch: Batch,
        *,
        request_id: str | None = None,
        times: Times | None = None,
    ) -> Batch:
        """Ask one pod that is ready, through kubectl: no address of the cluster has to be reached from here."""
        asking = self._asking(live.environment, Workload.at(live.url))
        seen = asking.look()
        pod = _ready_pod(seen, live)
        try:
            with forwarded(asking.kubectl, pod.name, _port_of(pod, seen), place=asking.workload.place) as url:
                return client.ask(replace(live, url=url), batch, request_id=request_id, times=times)
        except Unreachable:
            self._watch(live, asking).raise_if_it_fell(staying.restarts(seen, live.digest))
            raise

    def watch(self, live: Live, *, seconds: float) -> None:
        watch = self._watch(live, self._asking(live.environment, Workload.at(live.url)))
        watch.watch(seconds=seconds, before=self._restarts.get(live.url))

    def stop(self, model: str, environment: str) -> None:
        """Delete the Deployment, and that of a canary; the rest stays, and the next rollout makes them again.

        Raises:
            ClusterRefused: Argo CD or Flux would bring it back.
        """
        if self.engine is not RolloutEngine.KUBERNETES:
            folder = Path(manifest_path(environment, model)).parent
            raise ClusterRefused(
                f"{verdicts.NAMES[self.engine]} applies what git holds, and would bring {model} back",
                mend=f"take it out of git, by pull request: git rm -r {folder}",
            )
        manifest = self._rendered(model, environment)
        if manifest is not None:
            writing.delete(manifest, self._kubectl(environment))

    def _watch(self, live: Live, asking: Asking) -> Watch:
        return Watch(live, asking, call_seconds=self.call_seconds, turn_seconds=self.turn_seconds)

    def _asking(self, environment: str, workload: Workload) -> Asking:
        return Asking(self._kubectl(environment), workload)

    def _kubectl(self, environment: str) -> Kubectl:
        return Kubectl(
            environment=environment,
            context=self.contexts.get(environment),
            program=self.program,
            seconds=self.call_seconds,
        )

    def _rendered(self, model: str, environment: str) -> Rendered | None:
        head = self.head()
        if head is None:
            return None
        commit = fetched(self.repository, head)
        return rendered(
            model, environment, repository=self.repository, commit=commit, kubectl=self._kubectl(environment)
        )

    def _manifest_of(self, deployment: Deployment) -> tuple[Rendered, Workload]:
        """What the default branch holds now, and which Deployment of it is asked for.

        Raises:
            Unreachable: it names another digest than was asked for: somebody merged meanwhile.
        """
        path = manifest_path(deployment.environment, deployment.model)
        found = self._rendered(deployment.model, deployment.environment)
        if found is None:
            raise BadFile(f"{path} is not on the default branch", mend="merge a release's pull request")
        workload = found.canary if deployment.is_canary else found.workload
        if workload is None or digest_of(workload.image) != deployment.digest:
            renders = workload.image if workload else "no canary"
            raise Unreachable(
                f"{path} renders {renders} now, and {deployment.digest[:19]} was to be rolled out",
                mend="if somebody merged meanwhile, roll out again; else let `images:` name what the Deployment runs",
            )
        return found, workload


def _ready_pod(seen: Seen, live: Live) -> Pod:
    ready = sorted((pod for pod in seen.new_pods(live.digest) if pod.is_ready), key=lambda pod: pod.name)
    if not ready:
        raise Unreachable(
            f"no pod of {live.model} {live.version} is ready in {live.environment} any more",
            mend="see what became of them: kubectl get pods; then roll out again",
        )
    return ready[0]


def _port_of(pod: Pod, seen: Seen) -> int:
    ports = [port for one in pod.spec.containers if one.name == seen.container for port in one.ports]
    named = [port.container_port for port in ports if port.name == _PORT_NAME] or [one.container_port for one in ports]
    return named[0] if named else _PORT
