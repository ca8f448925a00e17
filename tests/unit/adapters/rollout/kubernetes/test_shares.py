"""A canary that gets more than its share is a rollout that nobody asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slipway.adapters.rollout.kubernetes.rendered import Rendered, Workload
from slipway.adapters.rollout.kubernetes.shares import refuse_more_than
from slipway.domain.rollout_limit import CanaryLimit
from slipway.errors import BadFile

from tests.unit.adapters.rollout.kubernetes.conftest import NEW, OLD, image

STABLE, CANARY = ({"component": one, "part-of": "slipway"} for one in ("server", "canary"))
LIMIT = CanaryLimit(share=0.25)


def a_deployment(name: str, labels: dict[str, str], digest: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "server", "image": image(digest), "resources": {"limits": {"memory": "1Gi"}}}
    pod = {"containers": [container], "volumes": []}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template, **spec}}


def a_service(**selector: str) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "tip-server"}, "spec": {"selector": selector}}


def an_autoscaler(least: int | None) -> dict[str, Any]:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "tip-server"}, "maxReplicas": 9}
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "tip-server"},
        "spec": spec if least is None else {**spec, "minReplicas": least},
    }


def rendered(*others: dict[str, Any], beside: int | None = None, trying: int = 1, **canary: Any) -> Rendered:
    """A canary beside what runs; `canary` replaces what its server has."""
    stable = a_deployment("tip-server", STABLE, OLD, **({} if beside is None else {"replicas": beside}))
    trial = a_deployment("tip-server-canary", CANARY, NEW, replicas=trying)
    trial["spec"]["template"]["spec"]["containers"][0].update(canary)
    told = [stable, trial, *(others or (a_service(**{"part-of": "slipway"}),))]
    return Rendered(
        "deploy/production/tip/kustomization.yaml",
        "\n---\n".join(json.dumps(one) for one in told).encode(),
        Workload("production", "tip-server", "server", image(OLD)),
        Workload("production", "tip-server-canary", "server", image(NEW)),
    )


def refused(found: Rendered, limit: CanaryLimit = LIMIT) -> str:
    with pytest.raises(BadFile) as caught:
        refuse_more_than(limit, found, environment="production")
    assert caught.value.problem.startswith(found.path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("share", "beside"), [(0.5, 1), (0.34, 2), (1 / 3, 2), (0.25, 3), (0.2, 4), (0.1, 9), (0.05, 19)]
)
def test_one_pod_beside_enough_others_gets_its_share_at_most(share: float, beside: int) -> None:
    """One more than is needed would cost a pod for nothing, and one less breaks what a policy says."""
    limit = CanaryLimit(share=share)

    assert limit.stable_pods == beside
    assert 1 / (1 + beside) <= share + 1e-9 < 1 / beside + 1e-9
    refuse_more_than(limit, rendered(beside=beside), environment="production")
    if beside > 1:
        assert f"minReplicas: {beside}`" in refused(rendered(beside=beside - 1), limit)


def test_an_autoscaler_says_how_few_there_can_be() -> None:
    """At night it goes down to that, and a quarter of the traffic would become a third."""
    service = a_service(**{"part-of": "slipway"})
    refuse_more_than(LIMIT, rendered(service, an_autoscaler(3), beside=1), environment="production")

    told = refused(rendered(service, an_autoscaler(2), beside=9))
    assert "1 of a canary beside 2 of tip-server would get up to 33 % of production" in told
    assert "policies/rollout.yaml allows 25 %" in told
    assert "`minReplicas: 3` in deploy/base/autoscaler.yaml" in told
    assert "would get up to 50 %" in refused(rendered(service, an_autoscaler(None), beside=9))


def test_a_canary_is_as_many_pods_as_its_share_allows() -> None:
    """Two get twice the share, and none answers nothing to be judged by."""
    refuse_more_than(LIMIT, rendered(beside=6, trying=2), environment="production")
    assert "`minReplicas: 6`" in refused(rendered(beside=5, trying=2))
    assert "write `replicas: 1`" in refused(rendered(beside=3, trying=0))


def test_a_pod_with_other_resources_is_no_trial_of_its_model() -> None:
    """A patch of a manifest that names the one Deployment does not reach the other."""
    told = refused(rendered(beside=3, resources={"limits": {"memory": "2Gi"}}))

    assert "spec.template.spec.containers[0].resources.limits.memory" in told
    assert "`target: {kind: Deployment}`" in told


@pytest.mark.parametrize(
    ("selector", "answers"),
    [({"component": "server"}, "tip-server"), ({"component": "canary"}, "none"), ({}, "none")],
)
def test_a_canary_that_no_service_reaches_is_told(selector: dict[str, str], answers: str) -> None:
    """It would wait for rows forever; a Service that selects nothing has no endpoints of its own."""
    assert f"which answers those of: {answers}" in refused(rendered(a_service(**selector), beside=3))


def test_a_service_of_what_runs_alone_may_stand_beside_that_of_both() -> None:
    """By it a gateway sends a share of its own; what is asked there does not come to the canary."""
    both = a_service(**{"part-of": "slipway"})
    refuse_more_than(LIMIT, rendered(both, a_service(component="server"), beside=3), environment="production")


def test_a_component_that_makes_no_canary_is_told() -> None:
    """Somebody edited it, and all of the traffic would stay where it is."""
    found = rendered(beside=3)
    alone = Rendered(found.path, found.content, found.workload)

    assert "take deploy/base/canary from the template of today" in refused(alone)
