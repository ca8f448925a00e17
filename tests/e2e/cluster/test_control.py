"""If this control lost no request, the tests of rolling updates would show nothing."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.cluster.load import load
from tests.e2e.cluster.waiters import Waiters
from tests.team import MODEL

pytestmark = pytest.mark.xdist_group("cluster")

_NAMESPACE = "control"
_WITHOUT = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../production/{MODEL}]
namespace: {_NAMESPACE}
patches:
  - target: {{kind: Deployment}}
    patch: |
      - {{op: remove, path: /spec/template/spec/containers/0/startupProbe}}
      - {{op: remove, path: /spec/template/spec/containers/0/readinessProbe}}
      - {{op: remove, path: /spec/template/spec/containers/0/lifecycle}}
      - {{op: replace, path: /spec/minReadySeconds, value: 0}}
"""


def test_without_readiness_and_a_pause_before_the_end_requests_are_lost(team: Waiters) -> None:
    """The same manifest but for that, the same image, load and cluster."""
    folder = f"deploy/{_NAMESPACE}/{MODEL}"
    team.team.write(f"{folder}/kustomization.yaml", _WITHOUT)
    team.cluster.kubectl("create", "namespace", _NAMESPACE)
    inside = (f"--namespace={_NAMESPACE}", f"deployment/{MODEL}-server")
    try:
        team.cluster.kubectl("apply", "--kustomize", str(team.team.root / folder))
        team.wait_until_served(namespace=_NAMESPACE)
        with load(team.cluster, team.address(namespace=_NAMESPACE)) as clients:
            clients.wait_for(200)
            team.cluster.kubectl("rollout", "restart", *inside)
            team.cluster.kubectl("rollout", "status", "--timeout=120s", *inside)
            clients.wait_for(200)
    finally:
        team.cluster.kubectl("delete", "namespace", _NAMESPACE, "--wait=false")
        shutil.rmtree(team.team.root / folder)

    assert clients.failures > 0
