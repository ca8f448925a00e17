"""A canary in a real cluster's books: beside what runs, told from it, and gone when it is withdrawn."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace

import pytest
from slipway.adapters import git
from slipway.adapters.manifests import set_canary
from slipway.adapters.rollout import Deployment
from slipway.domain.settings import RolloutEngine
from slipway.errors import RolloutFailed, Unreachable

from tests.e2e.apiserver import kubelet
from tests.e2e.apiserver.conftest import MODEL, NEW, OLD, Shop
from tests.e2e.apiserver.kubelet import kubelets
from tests.team import ROOT

pytestmark = pytest.mark.xdist_group("apiserver")
OTHERS = (RolloutEngine.ARGO_CD, RolloutEngine.FLUX)  # who apply, and prune when they come to it
NEXT = f"sha256:{'3' * 64}"
CANARY = f"{MODEL}-server-canary"
_NAMED = f"labels: [{{pairs: {{app.kubernetes.io/name: {MODEL}}}, includeSelectors: true}}]\n"


def stable(shop: Shop) -> Deployment:
    """Merge what has all of the traffic."""
    return replace(shop.merge(OLD, "v1.3.0", more=_NAMED), ready_seconds=30)


def tried(shop: Shop, digest: str = NEW, version: str = "v1.4.0") -> Deployment:
    """Merge a canary beside it."""
    base = shop.repository / "deploy" / "base" / "canary"
    if not base.exists():
        shutil.copytree(ROOT / "deploy" / "base" / "canary", base)
    path = shop.repository / "deploy" / shop.environment / MODEL / "kustomization.yaml"
    wanted = {"new_name": f"127.0.0.1:5000/models/{MODEL}", "tag": version, "digest": digest}
    path.write_bytes(set_canary(path.read_bytes(), name=MODEL, **wanted))
    git.run("add", "deploy", cwd=shop.repository)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    git.run(*who, "commit", "--quiet", "--message=Try", cwd=shop.repository)
    return Deployment(
        model=MODEL,
        environment=shop.environment,
        version=version,
        digest=digest,
        image=f"127.0.0.1:5000/models/{MODEL}:{version}@{digest}",
        commit=git.head_commit(shop.repository),
        model_directory=shop.repository,
        served_log=None,
        ready_seconds=30,
        is_canary=True,
    )


def in_place(shop: Shop, verb: str) -> list[str]:
    return [f"--namespace={shop.environment}", verb]


def deployments(shop: Shop) -> list[str]:
    told = json.loads(shop.plane.kubectl("get", "deployments", f"--namespace={shop.environment}", "--output=json"))
    return sorted(one["metadata"]["name"] for one in told["items"])


@pytest.fixture
def live(shop: Shop) -> Shop:
    """A version that answers."""
    with kubelets(shop.plane, shop.environment, kubelet.ready):
        shop.engine.apply(stable(shop))
    return shop


def test_a_canary_goes_live_beside_what_runs_and_replaces_no_pod_of_it(live: Shop) -> None:
    """Whoever is asked what serves tells the version that has the rest of the traffic."""
    before = set(live.names())
    with kubelets(live.plane, live.environment, kubelet.ready):
        found = live.engine.apply(tried(live))
        live.engine.watch(found, seconds=0)

    assert before < set(live.names())
    assert len(live.names()) == len(before) + 1
    assert (found.digest, found.is_canary) == (NEW, True)
    assert live.engine.canary(MODEL, live.environment) == found
    rest = live.engine.live(MODEL, live.environment)
    assert rest is not None
    assert (rest.digest, rest.is_canary) == (OLD, False)


def test_a_canary_that_crashes_is_its_own_fault_alone(live: Shop) -> None:
    """What runs is as well as before, and nothing of it is to be taken back."""
    deployment = tried(live)

    def says(pod: dict[str, object]) -> dict[str, object] | None:
        return kubelet.crashing(pod) if NEW in str(pod["spec"]) else kubelet.ready(pod)

    with kubelets(live.plane, live.environment, says), pytest.raises(RolloutFailed) as caught:
        live.engine.apply(deployment)
    assert f"pod {MODEL}-server-canary-" in caught.value.problem
    assert "what it runs beside is as it was" in caught.value.problem
    rest = live.engine.live(MODEL, live.environment)
    assert rest is not None
    assert rest.digest == OLD


def test_a_canary_that_is_withdrawn_is_gone_from_the_cluster(live: Shop) -> None:
    """`kubectl apply` deletes nothing of what is in a manifest no more; and names and labels are the team's to edit."""
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.apply(tried(live))
        assert deployments(live) == [f"{MODEL}-server", CANARY]
        live.plane.kubectl(*in_place(live, "label"), f"deployment/{CANARY}", "app.kubernetes.io/name-")

        live.engine.apply(stable(live))

        assert deployments(live) == [f"{MODEL}-server"]
        assert live.engine.canary(MODEL, live.environment) is None


def test_a_canary_of_another_model_stays(live: Shop) -> None:
    """All models of an environment share its namespace."""
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.apply(tried(live))
        image = f"deployment/{CANARY}", f"server=127.0.0.1:5000/models/other:v1.0.0@{NEW}"
        live.plane.kubectl(*in_place(live, "set"), "image", *image)

        live.engine.apply(stable(live))

        assert deployments(live) == [f"{MODEL}-server", CANARY]


@pytest.mark.parametrize("engine", OTHERS, ids=str)
def test_a_canary_that_is_not_pruned_is_told(live: Shop, engine: RolloutEngine) -> None:
    """Nobody may write down that it is gone while it runs."""
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.apply(tried(live))
        withdrawn = replace(stable(live), ready_seconds=1)
        live.sync()

        with pytest.raises(Unreachable) as caught:
            live.with_engine(engine).apply(withdrawn)

    told = f"a canary of {MODEL} is still there in {live.environment}, and no manifest names it: {CANARY}"
    assert caught.value.problem == told
    assert caught.value.mend.startswith("see why: kubectl --context there get ")


@pytest.mark.parametrize("engine", OTHERS, ids=str)
def test_a_canary_is_waited_for_until_it_is_pruned(live: Shop, engine: RolloutEngine) -> None:
    """What has the rest is live all the time, and says nothing about when the other one goes."""
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.apply(tried(live))
        withdrawn = stable(live)
        pruned = threading.Timer(1, live.plane.kubectl, [*in_place(live, "delete"), "deployment", CANARY])
        pruned.start()

        found = live.with_engine(engine).apply(withdrawn)

        assert deployments(live) == [f"{MODEL}-server"]
        assert (found.digest, found.is_canary) == (OLD, False)
        pruned.join()


@pytest.mark.parametrize("engine", OTHERS, ids=str)
def test_the_canary_of_before_is_waited_for_where_the_next_one_is_merged(live: Shop, engine: RolloutEngine) -> None:
    """It goes on answering under the same name until who applies has seen the manifest."""
    waiting = live.with_engine(engine)
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.apply(tried(live))
        rest = stable(live)
        following = tried(live, NEXT, "v1.5.0")
        rest = replace(rest, commit=following.commit, ready_seconds=1)
        with pytest.raises(Unreachable, match=f"no manifest names it: {CANARY}"):
            waiting.apply(rest)

        live.sync()

        assert waiting.apply(rest).digest == OLD
        assert waiting.apply(following).digest == NEXT


def test_a_stop_ends_both(live: Shop) -> None:
    """A canary without the version beside it would have all of the traffic."""
    with kubelets(live.plane, live.environment, kubelet.ready):
        live.engine.apply(tried(live))
        live.engine.stop(MODEL, live.environment)

    assert deployments(live) == []
