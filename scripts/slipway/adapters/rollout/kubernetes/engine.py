"""Rollouts to clusters: apply a manifest or see that Argo CD or Flux does, wait until it is live, ask it, watch it.

Nothing is kept on this machine: git says what is wanted, the cluster what is. So a run that was killed is run again,
and two at once do no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from slipway.adapters.deploy_tree import manifest_path
from slipway.adapters.rollout import Batch, Deployment, Live, Stray, client
from slipway.adapters.rollout.client import Times
from slipway.adapters.rollout.kubernetes import blame, objects, reading, staying, verdicts, writing
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.forwarding import forwarded
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.objects import Pod
from slipway.adapters.rollout.kubernetes.reading import Seen
from slipway.adapters.rollout.kubernetes.rendered import Rendered, Workload, digest_of, fetched, rendered
from slipway.adapters.rollout.kubernetes.staying import Restarts
from slipway.adapters.rollout.kubernetes.strays import served, strays
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile, ClusterRefused, Unreachable

log = logging.getLogger(__name__)

_PORT, _PORT_NAME = 8080, "http"
_CRASH_SECONDS = 6.0  # until a cluster tells that a container ended


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
        seen = self._wait(deployment, asking)
        if manifest.canary is None:
            self._wait_until_alone(deployment, manifest, asking.kubectl)
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
            self._raise_if_it_fell(live, asking, staying.restarts(seen, live.digest))
            raise

    def watch(self, live: Live, *, seconds: float) -> None:
        asking = self._asking(live.environment, Workload.at(live.url))
        ends = time.monotonic() + seconds
        seen = self._look(asking, ends)
        before = self._restarts.get(live.url, staying.restarts(seen, live.digest))
        unready = self._look_after(live, seen, asking, before, known={})
        while time.monotonic() < ends or unready:  # who is not ready at the last look gets another one
            time.sleep(self.turn_seconds)
            seen = self._look(asking, ends)
            unready = self._look_after(live, seen, asking, before, known=unready)
        _refuse_less(seen, live, asking, before)

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

    def _wait(self, deployment: Deployment, asking: Asking) -> Seen:
        """Look again and again until it is live, it is known not to get there, or its time is over."""
        ends, told = time.monotonic() + deployment.ready_seconds, ""
        while True:
            is_last = time.monotonic() >= ends
            try:
                seen = asking.look()
            except Unreachable as silent:
                if is_last:
                    raise
                text = silent.problem
            else:
                text = reading.waits_for(seen, deployment.digest) or self._other_image(seen, deployment)
                if not text:
                    log.info("%s %s is live in %s", deployment.model, deployment.version, deployment.environment)
                    return seen
                self._decide(seen, deployment, asking, waits_for=text, is_last=is_last)
            told = _tell(deployment, text, told)
            time.sleep(min(self.turn_seconds, max(0.0, ends - time.monotonic())))

    def _wait_until_alone(self, deployment: Deployment, manifest: Rendered, kubectl: Kubectl) -> None:
        """Argo CD and Flux delete what git holds no more, a moment after they applied the rest.

        Raises:
            Unreachable: a canary that is in the manifest no more is still there when the time is over.
        """
        ends = time.monotonic() + deployment.ready_seconds
        which = writing.canaries_of(deployment.model, manifest)
        while objects.of_kind(kubectl.objects("deployment.apps", *which), "Deployment", objects.Deployment):
            if time.monotonic() >= ends:
                raise Unreachable(
                    f"a canary of {deployment.model} is still there in {deployment.environment}, and in no manifest; "
                    "it gets no requests",
                    mend=f"see who keeps it, or delete it: {kubectl.shown('delete', 'deployment.apps', *which)}",
                )
            time.sleep(min(self.turn_seconds, max(0.0, ends - time.monotonic())))

    def _decide(self, seen: Seen, deployment: Deployment, asking: Asking, *, waits_for: str, is_last: bool) -> None:
        """Raise what is known of a rollout that is not live; return while it may still get there."""
        loop = blame.crash_loop(seen, deployment.digest)
        if loop is not None:
            raise verdicts.at_fault((loop,), seen, deployment, asking)
        if is_last:
            raise verdicts.out_of_time(seen, deployment, asking, engine=self.engine, waits_for=waits_for)

    def _other_image(self, seen: Seen, deployment: Deployment) -> str:
        """The images of an index are asked for only where a runtime tells another digest."""
        found = seen.other_image(deployment.digest, frozenset())
        if found is None:
            return ""
        found = seen.other_image(deployment.digest, self.same_as(deployment.model, deployment.digest))
        return "" if found is None else f"pod {found[0].name} runs {found[1]}, which is not what the manifest names"

    def _look(self, asking: Asking, ends: float) -> Seen:
        """A look; an apiserver that is away for a moment is asked again, until `ends` and at least for a call's time.

        Raises:
            Unreachable: it was away until then.
        """
        ends = max(ends, time.monotonic() + self.call_seconds)
        while True:
            try:
                return asking.look()
            except Unreachable:
                if time.monotonic() >= ends:
                    raise
            time.sleep(self.turn_seconds)

    def _look_after(
        self, live: Live, seen: Seen, asking: Asking, before: Restarts, *, known: Mapping[str, blame.Trouble]
    ) -> dict[str, blame.Trouble]:
        """The pods that are not ready by the version's fault; one that was not at the last look either is out.

        Raises:
            RolloutFailed: a pod was started anew, or is not ready any more.
        """
        fell = staying.restarted(seen, live.digest, before)
        if fell is not None:
            raise verdicts.fell_over(fell, live, asking)
        around = asking.around(seen, live.digest, patience=0.0)
        unready = staying.of_version(staying.unready(seen, live.digest, before, around))
        for uid in unready.keys() & known.keys():
            raise verdicts.fell_over(unready[uid], live, asking)
        return unready

    def _raise_if_it_fell(self, live: Live, asking: Asking, before: Restarts) -> None:
        """What stops to answer may have crashed over the question; a cluster tells that a moment later."""
        ends = time.monotonic() + _CRASH_SECONDS
        while time.monotonic() < ends:
            fell = staying.restarted(self._look(asking, ends), live.digest, before)
            if fell is not None:
                raise verdicts.fell_over(fell, live, asking)
            time.sleep(min(self.turn_seconds, 1.0))


def _refuse_less(seen: Seen, live: Live, asking: Asking, before: Restarts) -> None:
    missing = staying.short_of(seen, live.digest, before)
    if missing:
        around = asking.around(seen, live.digest, patience=0.0)
        raise verdicts.not_there(missing, blame.troubles(seen, live.digest, around), live)


def _tell(deployment: Deployment, text: str, told: str) -> str:
    """Each change of state once."""
    if text != told:
        log.info("%s %s in %s: %s", deployment.model, deployment.version, deployment.environment, text)
    return text


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
