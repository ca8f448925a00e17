"""What a real apiserver holds of Slipway's and git does not: listed without being asked for by name."""

from __future__ import annotations

import pytest
from slipway.adapters.rollout import Live

from tests.e2e.apiserver import kubelet
from tests.e2e.apiserver.conftest import MODEL, NEW, OLD, OURS, Shop
from tests.e2e.apiserver.kubelet import kubelets
from tests.e2e.apiserver.test_canary import stable, tried

pytestmark = pytest.mark.xdist_group("apiserver")


@pytest.fixture
def served(shop: Shop) -> Shop:
    """A version that answers."""
    with kubelets(shop.plane, shop.environment, kubelet.ready):
        shop.engine.apply(stable(shop))
    return shop


def known(shop: Shop) -> list[Live]:
    found = (shop.engine.live(MODEL, shop.environment), shop.engine.canary(MODEL, shop.environment))
    return [one for one in found if one is not None]


def test_a_model_and_a_digest_that_git_does_not_know_are_listed(served: Shop) -> None:
    """One has a name of its own, the other hides under the labels of a model that is known; others' are left alone."""
    served.by_hand("ghost-server", {**OURS, "app.kubernetes.io/name": "ghost"})
    served.by_hand("tip-experiment", {**OURS, "app.kubernetes.io/name": MODEL})
    served.by_hand("database", {"app.kubernetes.io/name": "database"})

    strays = served.engine.strays(served.environment, known=known(served))

    assert [(one.live.model, one.live.digest, one.live.version) for one in strays] == [
        ("ghost", NEW, "v9.9.9"),
        (MODEL, NEW, "v9.9.9"),
    ]
    for stray in strays:
        program, *words = stray.ended_by.split()
        assert program == "kubectl"
        served.plane.kubectl(*words)
    assert served.engine.strays(served.environment, known=known(served)) == []


def test_a_canary_is_listed_once_no_manifest_has_it(served: Shop) -> None:
    """While it is in the manifest it is asked for by name; a withdrawal that nobody pruned leaves it."""
    with kubelets(served.plane, served.environment, kubelet.ready):
        served.engine.apply(tried(served))
    assert served.engine.strays(served.environment, known=known(served)) == []

    served.merge(OLD, "v1.3.0")
    (left,) = served.engine.strays(served.environment, known=known(served))

    assert (left.live.model, left.live.digest, left.live.is_canary) == (MODEL, NEW, True)


def test_what_was_scaled_to_nothing_does_not_run(served: Shop) -> None:
    """A Deployment without pods answers nobody."""
    served.by_hand("ghost-server", OURS)
    (ghost,) = served.engine.strays(served.environment, known=[])
    assert ghost.live.model == "ghost-server"
    served.plane.kubectl("scale", "deployment/ghost-server", "--replicas=0", f"--namespace={served.environment}")

    assert served.engine.strays(served.environment, known=[]) == []
