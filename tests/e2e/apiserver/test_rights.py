"""The rights that docs/rollouts.md lists are enough, and what more would help is not needed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.errors import ClusterRefused, RolloutFailed

from tests.e2e.apiserver import kubelet
from tests.e2e.apiserver.conftest import MODEL, NEW, OLD, OURS, Shop
from tests.e2e.apiserver.control_plane import KUBECTL
from tests.e2e.apiserver.kubelet import kubelets
from tests.team import ROOT

_GUIDE = (ROOT / "docs" / "rollouts.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.xdist_group("apiserver")


def _role() -> dict[str, Any]:
    (found,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", _GUIDE, flags=re.DOTALL)
    role: dict[str, Any] = yaml.safe_load(found)
    return role


@pytest.fixture
def clerk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Slipway as the user `nobody`, with that role in the namespace; its kubeconfig comes as a workflow's does."""
    shop.plane.kubectl("apply", f"--namespace={shop.environment}", "--filename=-", stdin=yaml.safe_dump(_role()))
    (command,) = re.findall(r"`kubectl (create rolebinding [^`]*)`", _GUIDE)
    shop.plane.kubectl(*command.replace("USER", "nobody").replace("staging", shop.environment).split())
    monkeypatch.setenv("SLIPWAY_KUBECONFIG", shop.plane.users["nobody"].read_text())
    monkeypatch.setenv("KUBECONFIG", "/nonexistent")
    return shop


def test_a_rollout_needs_no_other_right(clerk: Shop) -> None:
    """From apply to stop: a failure that is found out with a version, and one that goes well."""
    with kubelets(clerk.plane, clerk.environment, kubelet.ready):
        live = clerk.engine.apply(replace(clerk.merge(OLD, "v1.3.0"), ready_seconds=30))
        clerk.engine.watch(live, seconds=0)
        assert clerk.engine.live(MODEL, clerk.environment) == live

    deployment = replace(clerk.merge(NEW, "v1.4.0"), ready_seconds=30)
    with (
        kubelets(
            clerk.plane, clerk.environment, lambda pod: kubelet.crashing(pod) if NEW in str(pod["spec"]) else None
        ),
        pytest.raises(RolloutFailed),
    ):
        clerk.engine.apply(deployment)

    with kubelets(clerk.plane, clerk.environment, lambda pod: None):
        clerk.engine.stop(MODEL, clerk.environment)


def test_strays_are_listed_with_these_rights_and_without_them_it_is_said(clerk: Shop) -> None:
    """An empty list would say that nothing runs but what git names."""
    clerk.by_hand("ghost-server", OURS)
    assert len(clerk.engine.strays(clerk.environment, known=[])) == 1

    clerk.plane.kubectl("delete", "rolebinding", "slipway", f"--namespace={clerk.environment}")
    with pytest.raises(ClusterRefused, match=r"does not allow it: .*cannot list .*deployments") as refused:
        clerk.engine.strays(clerk.environment, known=[])
    assert "docs/rollouts.md" in refused.value.mend


def test_it_may_do_no_more_than_that(clerk: Shop) -> None:
    """Who takes the secret of a workflow must not read the secrets of a namespace."""
    kubectl = Kubectl(environment=clerk.environment, program=KUBECTL)
    with pytest.raises(ClusterRefused, match="does not allow it"):
        kubectl.objects("secrets", f"--namespace={clerk.environment}")


@pytest.mark.parametrize("verb", ["get", "create"])
def test_a_pods_port_may_be_forwarded(clerk: Shop, verb: str) -> None:
    """Older versions of kubectl ask by POST, newer ones by GET."""
    kubectl = Kubectl(environment=clerk.environment, program=KUBECTL)
    words = ("auth", "can-i", verb, "pods", "--subresource=portforward", f"--namespace={clerk.environment}")
    assert kubectl.run(*words).strip() == b"yes"
