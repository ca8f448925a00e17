"""The first minutes of a version, by a real apiserver's answers."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from slipway.adapters.rollout import Live
from slipway.errors import RolloutFailed, Unreachable

from tests.e2e.apiserver import kubelet
from tests.e2e.apiserver.conftest import MODEL, NEW, OLD, Shop
from tests.e2e.apiserver.kubelet import kubelets

pytestmark = pytest.mark.xdist_group("apiserver")


@pytest.fixture
def live(shop: Shop) -> Live:
    deployment = shop.merge(NEW, "v1.4.0")
    with kubelets(shop.plane, shop.environment, kubelet.ready):
        return shop.engine.apply(replace(deployment, ready_seconds=30))


def test_what_stays_up_is_well(shop: Shop, live: Live) -> None:
    """The time is over, and nothing happened."""
    shop.engine.watch(live, seconds=1)


def test_a_container_that_was_started_anew_fell_over(shop: Shop, live: Live) -> None:
    """Though it is ready again by the time that anybody looks."""
    pod = shop.plane.pods(shop.environment)[0]
    name = pod["metadata"]["name"]
    status = kubelet.ready(pod, restarts=1)
    status["containerStatuses"][0]["lastState"] = kubelet.KILLED
    shop.say(name, status)

    with pytest.raises(RolloutFailed, match=f"did not stay: pod {name} was killed for its memory"):
        shop.engine.watch(live, seconds=5)


def test_a_pod_that_is_not_ready_any_more_fell_over(shop: Shop, live: Live) -> None:
    """Also in the last moment: who is not ready at the last look gets one more, and no third."""
    pod = shop.plane.pods(shop.environment)[0]
    shop.say(pod["metadata"]["name"], kubelet.slow(pod))
    with pytest.raises(RolloutFailed, match="is not ready"):
        shop.engine.watch(live, seconds=0)


def test_a_pod_that_was_drained_and_replaced_is_no_fall(shop: Shop, live: Live) -> None:
    """Nodes are drained on any day; a revert for that would be one for nothing."""
    with kubelets(shop.plane, shop.environment, kubelet.ready):
        shop.plane.end(f"namespaces/{shop.environment}/pods/{shop.names()[0]}")
        shop.engine.watch(live, seconds=3)


def test_a_pod_that_is_gone_and_not_replaced_is_an_outage(shop: Shop, live: Live) -> None:
    """There is no room for its successor; nobody can say how the version does."""
    known = set(shop.names())

    def no_room(pod: dict[str, Any]) -> dict[str, Any] | None:
        is_new = pod["metadata"]["name"] not in known
        return kubelet.unplaced(pod, "0/1 nodes are available") if is_new else None

    with kubelets(shop.plane, shop.environment, no_room):
        shop.plane.end(f"namespaces/{shop.environment}/pods/{shop.names()[0]}")
        with pytest.raises(Unreachable, match=r"1 of 2 pods ready; pod .* has no node: 0/1 nodes are available"):
            shop.engine.watch(live, seconds=2)


def test_the_next_version_that_comes_meanwhile_is_no_fall(shop: Shop, live: Live) -> None:
    """Somebody merged; the rollout of that one decides."""
    shop.merge(OLD, "v1.3.0")
    shop.sync()
    with pytest.raises(Unreachable, match="something else was rolled out meanwhile"):
        shop.engine.watch(live, seconds=0.5)


def test_an_apiserver_that_is_away_for_a_moment_is_asked_again(shop: Shop, live: Live) -> None:
    """It is updated while a version settles."""
    shop.plane.stop("apiserver")
    again = threading.Timer(1, shop.plane.start, ["apiserver"])
    again.start()
    try:
        replace(shop.engine, call_seconds=30.0).watch(live, seconds=3)
    finally:
        again.join()
        shop.plane.wait_until_ready()


def test_one_that_stays_away_is_an_outage(shop: Shop, live: Live) -> None:
    """Nothing is known of the version then."""
    shop.plane.stop("apiserver")
    try:
        with pytest.raises(Unreachable, match="does not answer"):
            replace(shop.engine, call_seconds=0.5).watch(live, seconds=0)
    finally:
        shop.plane.start("apiserver")
        shop.plane.wait_until_ready()


def test_a_version_without_a_pod_is_asked_nothing(shop: Shop, live: Live) -> None:
    """What became of them is for somebody to look at."""
    with kubelets(shop.plane, shop.environment, kubelet.ready):
        shop.engine.stop(MODEL, shop.environment)
    with pytest.raises(Unreachable, match=f"no pod of {MODEL} v1.4.0 is ready"):
        shop.engine.ask(live, {})
