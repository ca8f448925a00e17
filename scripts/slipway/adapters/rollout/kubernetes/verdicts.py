"""What a rollout that does not get there is called: the version's failure, or an outage. In words for who reads it."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.kubernetes import blame
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.blame import Trouble, Whose
from slipway.adapters.rollout.kubernetes.reading import Seen
from slipway.domain.settings import RolloutEngine
from slipway.errors import RolloutFailed, SlipwayError, Unreachable

NAMES = {RolloutEngine.KUBERNETES: "Slipway", RolloutEngine.ARGO_CD: "Argo CD", RolloutEngine.FLUX: "Flux"}
_MOST = 3  # troubles that are told
_PATIENCE = 0.5  # of the time until live: what a container may take that got onto a node late


def out_of_time(
    seen: Seen, deployment: Deployment, asking: Asking, *, engine: RolloutEngine, waits_for: str
) -> SlipwayError:
    """Why it is not live though its time is over; `waits_for` is what is known if nothing explains it.

    The version's failure where at least one of its pods is at fault, an outage in every other case.
    """
    if seen.deployment is None or not seen.names(deployment.digest):
        return _not_begun(seen, deployment, asking, engine)
    patience = _PATIENCE * deployment.ready_seconds
    found = blame.troubles(seen, deployment.digest, asking.around(seen, deployment.digest, patience=patience))
    at_version = tuple(trouble for trouble in found if trouble.whose is Whose.VERSION)
    if at_version:
        return at_fault(at_version, seen, deployment, asking)
    subject = f"{deployment.model} {deployment.version}"
    return Unreachable(
        f"{subject} is not live in {deployment.environment} after {deployment.ready_seconds:g} s, "
        f"and nothing says that the version is at fault: {_told(found) or waits_for}",
        mend=_mend(found, f"see to it, then roll out again: {_how(asking, 'describe', 'deployment')}"),
    )


def at_fault(found: Sequence[Trouble], seen: Seen, deployment: Deployment, asking: Asking) -> RolloutFailed:
    subject = f"{deployment.model} {deployment.version}"
    return RolloutFailed(
        f"{subject} does not go live in {deployment.environment}: {_told(found)}; {_rest(seen, deployment)}",
        mend=f"its log says why: {_log(asking, found[0].pod)}",
        log=asking.log_of(found[0].pod),
    )


def fell_over(found: Trouble, live: Live, asking: Asking) -> RolloutFailed:
    return RolloutFailed(
        f"{live.model} {live.version} went live in {live.environment} and did not stay: {found.text}",
        mend=f"its log says why: {_log(asking, found.pod)}",
        log=asking.log_of(found.pod),
    )


def not_there(missing: str, found: Sequence[Trouble], live: Live) -> Unreachable:
    """It was live, and part of it is gone by nobody's fault that can be told."""
    told = _told(found)
    return Unreachable(
        f"{live.model} {live.version} went live in {live.environment}, and now: {missing}{'; ' if told else ''}{told}",
        mend=_mend(found, "roll out again once the cluster is well"),
    )


def not_gone(names: Sequence[str], deployment: Deployment, asking: Asking, *, engine: RolloutEngine) -> Unreachable:
    """Deployments of a canary which is in the manifest no more, and which nobody took away."""
    kubectl, place = asking.kubectl, asking.workload.place
    if engine is RolloutEngine.KUBERNETES:
        keeps = kubectl.shown("get", "deployment", *names, *place)
        mend = f"Slipway deleted it: see what keeps it by its finalizers: {keeps} --output=yaml"
    else:
        mend = _sync(engine, asking)
    return Unreachable(
        f"a canary of {deployment.model} is still there in {deployment.environment}, and no manifest names it: "
        f"{', '.join(names)}",
        mend=mend,
    )


def _rest(seen: Seen, deployment: Deployment) -> str:
    """What serves meanwhile; beside a canary that is another Deployment, which nobody touched."""
    if deployment.is_canary:
        return "what it runs beside is as it was"
    still = any(pod.is_ready for pod in seen.old_pods(deployment.digest))
    return "what served before still does" if still else "nothing else is served"


def _not_begun(seen: Seen, deployment: Deployment, asking: Asking, engine: RolloutEngine) -> Unreachable:
    wants = f"still wants {seen.image or 'another image'}" if seen.deployment else f"has no {asking.workload}"
    place = f"the cluster of {deployment.environment}"
    if engine is RolloutEngine.KUBERNETES:
        return Unreachable(
            f"{place} {wants}, though {deployment.version} was applied: something else writes that Deployment",
            mend="let one of the two apply; this tells whom: "
            f"{_how(asking, 'get', 'deployment')} --show-managed-fields --output=yaml",
        )
    return Unreachable(
        f"{place} {wants}; {NAMES[engine]} has not synced {deployment.version} within {deployment.ready_seconds:g} s",
        mend=_sync(engine, asking),
    )


def _sync(engine: RolloutEngine, asking: Asking) -> str:
    """How a person sees why it did not."""
    kubectl = asking.kubectl
    if engine is RolloutEngine.ARGO_CD:
        return f"see why: {kubectl.shown('get', 'applications.argoproj.io', '--all-namespaces')}; then roll out again"
    kinds = "kustomizations.kustomize.toolkit.fluxcd.io,gitrepositories.source.toolkit.fluxcd.io"
    return f"see why: {kubectl.shown('get', kinds, '--all-namespaces')}; then roll out again"


def _told(found: Sequence[Trouble]) -> str:
    more = len(found) - _MOST
    texts = [trouble.text for trouble in found[:_MOST]]
    return "; ".join([*texts, *([f"and {more} more"] if more > 0 else [])])


def _mend(found: Sequence[Trouble], otherwise: str) -> str:
    return next((f"{trouble.mend}; then roll out again" for trouble in found if trouble.mend), otherwise)


def _how(asking: Asking, verb: str, kind: str) -> str:
    return asking.kubectl.shown(verb, kind, asking.workload.name, *asking.workload.place)


def _log(asking: Asking, pod: str) -> str:
    return asking.kubectl.shown("logs", pod, f"--container={asking.workload.container}", *asking.workload.place)
