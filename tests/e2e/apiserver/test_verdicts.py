"""What a rollout is called, decided by a real apiserver's answers: good, the version's failure, or an outage.

Only the version's failure is answered by going back; each test of an outage is one way in which a team would otherwise
lose a good version.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile, ClusterRefused, RolloutFailed, Unreachable

from tests.e2e.apiserver import kubelet
from tests.e2e.apiserver.conftest import MODEL, NEW, OLD, Shop
from tests.e2e.apiserver.kubelet import kubelets

pytestmark = pytest.mark.xdist_group("apiserver")


@pytest.fixture
def live(shop: Shop) -> Shop:
    """A version that answers."""
    deployment = shop.merge(OLD, "v1.3.0")
    with kubelets(shop.plane, shop.environment, kubelet.ready):
        shop.engine.apply(replace(deployment, ready_seconds=30))
    return shop


def new_are(says: kubelet.Says) -> kubelet.Says:
    """Pods of the old version stay well; each of the new one does as `says`."""
    return lambda pod: says(pod) if NEW in pod["spec"]["containers"][0]["image"] else kubelet.ready(pod)


def test_a_rollout_that_goes_well_tells_each_change_once(live: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever watches the run sees how far it is, and a thousand equal lines hide that."""
    deployment = replace(live.merge(NEW, "v1.4.0"), ready_seconds=30)
    waits = f"{MODEL} v1.4.0 in {live.environment}: 0 of 2 pods ready, 2 of before still there"

    def loads(pod: dict[str, Any]) -> dict[str, Any]:
        return kubelet.ready(pod) if waits in caplog.messages else kubelet.slow(pod)

    with caplog.at_level(logging.INFO, "slipway"), kubelets(live.plane, live.environment, new_are(loads)):
        found = live.engine.apply(deployment)

    assert (found.version, found.digest) == ("v1.4.0", NEW)
    told = [record.getMessage() for record in caplog.records if record.name.startswith("slipway")]
    assert told[-1] == f"{MODEL} v1.4.0 is live in {live.environment}"
    assert waits in told
    assert all(first != second for first, second in pairwise(told))
    assert live.engine.live(MODEL, live.environment) == found


def test_what_is_live_already_is_live_again_at_once(live: Shop) -> None:
    """A run that was killed is run again, and a merge that changes nothing of it changes nothing."""
    before = live.names()
    found = live.engine.apply(live.merge(OLD, "v1.3.0"))
    assert (found.digest, live.names()) == (OLD, before)


def test_a_crash_loop_is_not_waited_for(live: Shop) -> None:
    """It ends the same each time; users have the version of before."""
    deployment = replace(live.merge(NEW, "v1.4.0"), ready_seconds=600)
    begin = time.monotonic()
    with kubelets(live.plane, live.environment, new_are(kubelet.crashing)), pytest.raises(RolloutFailed) as caught:
        live.engine.apply(deployment)

    assert time.monotonic() - begin < 300
    assert f"{MODEL} v1.4.0 does not go live in {live.environment}: pod {MODEL}-server-" in caught.value.problem
    assert "ended with code 1, 3 times started anew; what served before still does" in caught.value.problem
    assert f"kubectl --context there logs {MODEL}-server-" in caught.value.mend
    served = live.engine.live(MODEL, live.environment)
    assert served is not None
    assert served.digest == OLD


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (lambda pod: kubelet.crashing(pod, restarts=1, ended=kubelet.KILLED), "was killed for its memory (OOMKilled)"),
        (lambda pod: kubelet.crashing(pod, restarts=2), "ended with code 1, 2 times started anew"),
        (kubelet.slow, "and is not ready"),
    ],
    ids=["memory", "crash", "never ready"],
)
def test_a_version_that_is_at_fault_has_failed(live: Shop, says: kubelet.Says, told: str) -> None:
    """These alone are answered by going back."""
    deployment = live.merge(NEW, "v1.4.0")
    with (
        kubelets(live.plane, live.environment, new_are(says)),
        pytest.raises(RolloutFailed) as caught,
    ):
        live.engine.apply(deployment)
    assert told in caught.value.problem


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (lambda pod: kubelet.waiting(pod, "ImagePullBackOff", "manifest unknown"), "cannot pull its image"),
        (
            lambda pod: kubelet.waiting(pod, "CreateContainerConfigError", 'secret "s" not found'),
            'secret "s" not found',
        ),
        (lambda pod: kubelet.unplaced(pod, "0/3 nodes are available: 3 Insufficient cpu."), "3 Insufficient cpu"),
        (lambda pod: kubelet.slow(pod, seconds=0), "runs for "),
        (lambda pod: None, "is not started"),
    ],
    ids=["no image", "no secret", "no node", "no time", "no kubelet"],
)
def test_an_outage_is_never_the_versions_fault(live: Shop, says: kubelet.Says, told: str) -> None:
    """Nobody has seen the version run; the next try may go well."""
    deployment = live.merge(NEW, "v1.4.0")
    if told == "runs for ":
        deployment = replace(deployment, ready_seconds=6)
    with (
        kubelets(live.plane, live.environment, new_are(says)),
        pytest.raises(Unreachable) as caught,
    ):
        live.engine.apply(deployment)
    assert told in caught.value.problem


def test_on_a_node_that_is_gone_nobody_is_at_fault(live: Shop) -> None:
    """The pods crashed there, or their machine did."""
    name = f"node-of-{live.environment}"
    live.plane.create("nodes", {"kind": "Node", "metadata": {"name": name}})
    live.plane.say(f"nodes/{name}", {"conditions": [{"type": "Ready", "status": "Unknown"}]})

    def on_that_node(pod: dict[str, Any]) -> dict[str, Any]:
        if not pod["spec"].get("nodeName"):
            bound = {"metadata": {"name": pod["metadata"]["name"]}, "target": {"kind": "Node", "name": name}}
            path = f"namespaces/{live.environment}/pods/{pod['metadata']['name']}/binding"
            live.plane.create(path, {"kind": "Binding", **bound})
        return kubelet.crashing(pod, restarts=2)

    deployment = live.merge(NEW, "v1.4.0")
    with kubelets(live.plane, live.environment, new_are(on_that_node)), pytest.raises(Unreachable) as caught:
        live.engine.apply(deployment)
    assert f"its node {name} is not ready" in caught.value.problem


def test_a_quota_is_told_as_the_cluster_told_it(live: Shop) -> None:
    """No pod was made, so none can be looked at."""
    quota = {"kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"pods": "2"}}}
    live.plane.create(f"namespaces/{live.environment}/resourcequotas", quota)
    deployment = live.merge(NEW, "v1.4.0")
    with (
        kubelets(live.plane, live.environment, kubelet.ready),
        pytest.raises(Unreachable, match="exceeded quota: small"),
    ):
        live.engine.apply(deployment)


def test_an_image_that_is_not_the_manifests_is_not_live(live: Shop) -> None:
    """Whatever exchanged it between git and the kubelet; where the digest is that of an index, its images are known."""
    other = f"sha256:{'9' * 64}"
    deployment = live.merge(NEW, "v1.4.0")

    def exchanged(pod: dict[str, Any]) -> dict[str, Any]:
        return kubelet.ready(pod, image_id=f"mirror/tip@{other}")

    with kubelets(live.plane, live.environment, new_are(exchanged)):
        with pytest.raises(Unreachable, match=f"runs {other}, which is not what the manifest names"):
            live.engine.apply(deployment)
        knowing = replace(live.engine, same_as=lambda _model, digest: frozenset({digest, other}))
        assert knowing.apply(deployment).digest == NEW


@pytest.mark.parametrize(
    ("engine", "name"), [(RolloutEngine.ARGO_CD, "Argo CD"), (RolloutEngine.FLUX, "Flux")], ids=["argo-cd", "flux"]
)
def test_who_else_applies_is_waited_for(live: Shop, engine: RolloutEngine, name: str) -> None:
    """Slipway writes nothing then: two who apply would undo each other."""
    deployment = live.merge(NEW, "v1.4.0")
    waiting = live.with_engine(engine)
    with kubelets(live.plane, live.environment, kubelet.ready):
        with pytest.raises(Unreachable) as caught:
            waiting.apply(deployment)
        assert f"still wants 127.0.0.1:5000/models/{MODEL}:v1.3.0@{OLD}; {name} has not synced" in caught.value.problem
        assert "kubectl --context there get" in caught.value.mend

        live.sync()
        assert waiting.apply(replace(deployment, ready_seconds=30)).digest == NEW


def test_before_its_first_sync_nothing_is_there(shop: Shop) -> None:
    """The same for a new model: no Deployment is no failure."""
    deployment = shop.merge(NEW, "v1.0.0")
    with pytest.raises(Unreachable, match=f"has no {shop.environment}/{MODEL}-server; Argo CD has not synced v1.0.0"):
        shop.with_engine(RolloutEngine.ARGO_CD).apply(replace(deployment, ready_seconds=0.1))
    assert shop.engine.live(MODEL, shop.environment) is None


def test_an_apiserver_that_is_away_is_waited_for(live: Shop) -> None:
    """It is started anew in the middle of a rollout, and the rollout ends as if nothing had been."""
    deployment = replace(live.merge(NEW, "v1.4.0"), ready_seconds=60)
    live.sync()
    live.plane.stop("apiserver")
    try:
        with pytest.raises(Unreachable, match="does not answer"):
            live.with_engine(RolloutEngine.FLUX).apply(replace(deployment, ready_seconds=0.5))
    finally:
        live.plane.start("apiserver")
        live.plane.wait_until_ready()
    with kubelets(live.plane, live.environment, kubelet.ready):
        assert live.engine.apply(deployment).digest == NEW


def test_without_controllers_nobody_has_seen_the_manifest(live: Shop) -> None:
    """The apiserver takes it, and nothing comes of it."""
    live.plane.stop("controllers")
    try:
        with pytest.raises(Unreachable, match="no controller of the cluster has seen the new manifest"):
            live.engine.apply(live.merge(NEW, "v1.4.0"))
    finally:
        live.plane.start("controllers")


def test_a_namespace_that_is_missing_is_told_with_how_to_make_it(shop: Shop) -> None:
    """Slipway makes none: who may, and with which rights, is the cluster's business."""
    deployment = shop.merge(NEW, "v1.0.0")
    shop.plane.kubectl("delete", "namespace", shop.environment)
    with pytest.raises(ClusterRefused, match=f"has no namespace `{shop.environment}`") as caught:
        shop.engine.apply(deployment)
    assert caught.value.mend.endswith(f"kubectl --context there create namespace {shop.environment}")


def test_a_manifest_that_the_cluster_refuses_is_told_in_its_words(live: Shop) -> None:
    """A typo of a team's, found by the apiserver; the version did nothing."""
    more = "replicas: [{name: server, count: -1}]\n"
    with pytest.raises(
        ClusterRefused, match=r"refused `kubectl --context there apply --kustomize deploy/.*spec\.replicas"
    ):
        live.engine.apply(live.merge(NEW, "v1.4.0", more=more))


@pytest.mark.parametrize(
    ("user", "told"), [("nobody", "does not allow it"), ("stranger", "does not take who asks")], ids=["right", "token"]
)
def test_who_may_not_ask_is_told_so(live: Shop, user: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that ran out is no reason to go back to another version."""
    deployment = live.merge(NEW, "v1.4.0")
    monkeypatch.setenv("SLIPWAY_KUBECONFIG", live.plane.users[user].read_text())
    with pytest.raises(ClusterRefused, match=told):
        live.engine.apply(deployment)


def test_somebody_else_who_merged_meanwhile_is_told(live: Shop) -> None:
    """What was judged is then not what the default branch names."""
    deployment = live.merge(NEW, "v1.4.0")
    live.merge(OLD, "v1.3.0")
    with pytest.raises(Unreachable, match="if somebody merged meanwhile, roll out again"):
        live.engine.apply(deployment)


def test_a_model_whose_manifest_is_gone_is_not_rolled_out(shop: Shop) -> None:
    """And nothing is served of it, as far as git can say where to look."""
    deployment = shop.merge(NEW, "v1.0.0")
    with pytest.raises(
        BadFile, match=f"deploy/{shop.environment}/other/kustomization.yaml is not on the default branch"
    ):
        shop.engine.apply(replace(deployment, model="other"))
    assert shop.engine.live("other", shop.environment) is None


def test_a_context_that_is_missing_is_a_mistake_in_slipway_yaml(live: Shop) -> None:
    """With the field."""
    deployment = live.merge(NEW, "v1.4.0")
    there = replace(live.engine, contexts={live.environment: "elsewhere"})
    with pytest.raises(BadFile, match=f"slipway.yaml: environments: {live.environment}: context: .*`elsewhere`"):
        there.apply(deployment)


_DIES = """
import sys
from pathlib import Path
from slipway.adapters import git
from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.kubernetes.engine import KubernetesRollout
from slipway.domain.settings import RolloutEngine
deed, root, environment, digest, commit, program = sys.argv[1:]
engine = KubernetesRollout(
    engine=RolloutEngine.KUBERNETES, repository=Path(root), head=lambda: commit, contexts={}, program=program
)
deployment = Deployment(
    model="tip", environment=environment, version="v1.4.0", digest=digest, image="", commit=commit,
    model_directory=Path(root), served_log=None,
)
engine.apply(deployment) if deed == "apply" else engine.stop("tip", environment)
"""


def killed(live: Shop, deed: str, commit: str, moment: str) -> None:
    """A process apart is killed in the middle of what the engine does."""
    words = [deed, str(live.repository), live.environment, NEW, commit, live.engine.program]
    variables = {**os.environ, "SLIPWAY_KILL_AT": moment}
    ended = subprocess.run([sys.executable, "-c", _DIES, *words], env=variables, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_is_killed_around_the_apply_rolls_out_again_to_the_same_end(live: Shop, moment: str) -> None:
    """Nothing is kept on this machine that could be half written."""
    deployment = replace(live.merge(NEW, "v1.4.0"), ready_seconds=30)
    killed(live, "apply", deployment.commit, f"{moment}:apply-manifest:1")

    with kubelets(live.plane, live.environment, kubelet.ready):
        assert live.engine.apply(deployment).digest == NEW
        assert len(live.names()) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_is_killed_around_a_stop_stops_again(live: Shop, moment: str) -> None:
    """Whoever presses Ctrl-C twice must not be left with half of it."""
    deployment = live.merge(NEW, "v1.4.0")
    with kubelets(live.plane, live.environment, kubelet.ready):
        killed(live, "stop", deployment.commit, f"{moment}:delete-deployment:1")
        live.engine.stop(MODEL, live.environment)
        assert live.names() == []


def test_what_is_stopped_serves_no_more_and_comes_back(live: Shop) -> None:
    """`slipway stop` takes the Deployment away; what stands beside it is not touched."""
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.stop(MODEL, live.environment)
        live.engine.stop(MODEL, live.environment)
        assert live.names() == []
        assert live.engine.live(MODEL, live.environment) is None
        assert live.engine.apply(replace(live.merge(OLD, "v1.3.0"), ready_seconds=30)).digest == OLD


def test_what_argo_cd_applies_is_stopped_in_git(live: Shop) -> None:
    """It would be back a minute later."""
    with pytest.raises(ClusterRefused, match="Argo CD applies what git holds") as caught:
        live.with_engine(RolloutEngine.ARGO_CD).stop(MODEL, live.environment)
    assert caught.value.mend.endswith(f"git rm -r deploy/{live.environment}/{MODEL}")
    assert len(live.names()) == 2
