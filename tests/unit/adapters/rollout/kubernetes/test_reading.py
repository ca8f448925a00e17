"""When a rollout is live: as long as anything of before may answer, or anything new may not, it is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.rollout.kubernetes import reading

from tests.unit.adapters.rollout.kubernetes.conftest import (
    NEW,
    OLD,
    OTHER,
    container,
    deployment,
    image,
    live,
    look,
    pod,
    replica_set,
    rolling,
)

COUNTS = st.integers(0, 4)


def test_it_is_live_when_all_pods_are_new_and_available() -> None:
    """The one state after which golden rows may be asked."""
    assert reading.waits_for(live(), NEW) == ""


@given(wanted=st.integers(1, 4), counts=st.tuples(COUNTS, COUNTS, COUNTS), observed=st.integers(2, 3), old=COUNTS)
def test_it_is_live_in_no_other_state(wanted: int, counts: tuple[int, int, int], observed: int, old: int) -> None:
    """Whatever the controller counts: one number that differs, or one pod of before, and users may get old answers."""
    total, updated, available = counts
    deployed = deployment(
        replicas=wanted, observedGeneration=observed, updatedReplicas=updated, availableReplicas=available
    )
    deployed["status"]["replicas"] = total
    pods = [pod(f"new-{number}", 2) for number in range(wanted)] + [pod(f"old-{n}", 1, OLD) for n in range(old)]
    seen = look(deployed, replica_set(OLD, 1), replica_set(NEW, 2), *pods)

    is_live = reading.waits_for(seen, NEW) == ""

    assert is_live == (total == updated == available == wanted and observed == 3 and old == 0)


def test_a_deployment_that_wants_another_digest_is_told_with_it() -> None:
    """Argo CD and Flux need minutes until they look at git."""
    assert reading.waits_for(live(), OTHER) == f"the cluster still wants {image(NEW)}"
    assert reading.waits_for(look(None), NEW) == "there is no Deployment yet"


def test_a_pod_of_before_that_is_leaving_still_counts() -> None:
    """It answers what it accepted, and on a node that is lost nobody knows for how long."""
    leaving = pod("old", 1, OLD, deletionTimestamp="2026-03-01T12:00:00Z")
    seen = live(pod("a", 2), pod("b", 2), leaving)
    assert reading.waits_for(seen, NEW) == "all 2 pods ready, 1 of before still there"


def test_nothing_is_live_on_no_pod() -> None:
    """All counts agree at zero; nobody would answer."""
    assert reading.waits_for(look(deployment(replicas=0), replica_set(NEW, 2)), NEW) == "the Deployment is scaled to 0"


def test_pods_are_those_of_its_own_replica_sets() -> None:
    """Labels are the team's, and may select pods of somebody else."""
    stranger = replica_set(NEW, 9)
    stranger["metadata"]["ownerReferences"] = [{"uid": "somebody"}]
    seen = look(deployment(), replica_set(NEW, 2), stranger, pod("a", 2), pod("foreign", 9))

    assert [one.name for one in seen.new_pods(NEW)] == ["a"]
    assert seen.old_pods(NEW) == ()


def test_with_the_same_digest_the_newer_replica_set_counts() -> None:
    """An edit of another line of the manifest rolls pods of the same image out."""
    seen = look(deployment(), replica_set(NEW, 10), replica_set(NEW, 9), pod("a", 10), pod("b", 9))

    assert [one.name for one in seen.new_pods(NEW)] == ["a"]
    assert [one.name for one in seen.old_pods(NEW)] == ["b"]


@pytest.mark.parametrize("told", ["", "sha256:" + "9" * 64, f"docker-pullable://registry/tip@{NEW}", f"tip@{NEW}"])
def test_a_runtime_that_tells_no_digest_of_a_registry_is_believed(told: str) -> None:
    """Docker tells the digest of a configuration; the kubelet pulled by digest all the same."""
    seen = live(pod("a", 2, containerStatuses=[container(ready=True, imageID=told)]), replicas=1)
    assert seen.other_image(NEW, frozenset()) is None


def test_a_runtime_that_tells_another_digest_is_told() -> None:
    """Something between git and the kubelet exchanged the image; of an index, it may be the image of one platform."""
    other: dict[str, Any] = container(ready=True, imageID=f"registry/tip@{OTHER}")
    seen = live(pod("a", 2, containerStatuses=[other]), replicas=1)

    found = seen.other_image(NEW, frozenset())
    assert found is not None
    assert (found[0].name, found[1]) == ("a", OTHER)
    assert seen.other_image(NEW, frozenset({OTHER})) is None


def test_what_is_served_is_what_ready_pods_run() -> None:
    """While a rollout hangs, the Deployment names what nobody is served."""
    assert reading.served(rolling(pod("new", 2, ready=False))) == (image(OLD), OLD)
    assert reading.served(live()) == (image(NEW), NEW)
    assert reading.served(look(None)) == ("", "")


def test_what_somebody_deployed_by_a_tag_alone_has_the_digest_that_the_runtime_tells() -> None:
    """`kubectl set image` with a tag is how a digest comes there that no release passed."""
    by_hand = pod("a", 2)
    by_hand["spec"]["containers"][0]["image"] = "registry/tip:latest"
    deployed = deployment()
    deployed["spec"]["template"]["spec"]["containers"][0]["image"] = "registry/tip:latest"
    replicas = replica_set(NEW, 2)
    replicas["spec"]["template"]["spec"]["containers"][0]["image"] = "registry/tip:latest"

    assert reading.served(look(deployed, replicas, by_hand)) == ("registry/tip:latest", NEW)
