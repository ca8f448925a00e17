"""Whose fault it is: a crash is the version's, an outage is nobody's, and in doubt nothing is reverted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.rollout.kubernetes import blame
from slipway.adapters.rollout.kubernetes.blame import Circumstances, Trouble, Whose

from tests.unit.adapters.rollout.kubernetes.conftest import (
    NEW,
    OLD,
    container,
    deployment,
    live,
    look,
    pod,
    replica_set,
    rolling,
)

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)  # as `container` says
LONG_AFTER = Circumstances(now=STARTED + timedelta(minutes=10), patience=300.0)
CRASHED = {"terminated": {"exitCode": 1, "reason": "Error"}}
KILLED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
IN_BACKOFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}}


def only(*containers: dict[str, Any], around: Circumstances = LONG_AFTER, **changes: Any) -> Trouble:
    """What is told of one new pod in the middle of a rollout, beside that the one of before is still there."""
    seen = rolling(pod("new", 2, ready=False, containerStatuses=list(containers), **changes))
    first, second = blame.troubles(seen, NEW, around)
    assert second.pod == "old" or first.pod == "old"
    return first if first.pod == "new" else second


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (container(restarts=4, state=IN_BACKOFF, lastState=CRASHED), "ended with code 1, 4 times started anew"),
        (container(restarts=2, state=IN_BACKOFF, lastState=KILLED), "was killed for its memory (OOMKilled), 2 times"),
        (container(state=CRASHED), "ended with code 1"),
        (container(restarts=1, lastState=CRASHED), "ended with code 1, 1 times started anew"),
        (
            container(state={"terminated": {"exitCode": 128, "reason": "StartError"}}),
            "ended with code 128 (StartError)",
        ),
        (container(state={"waiting": {"reason": "RunContainerError", "message": "no exec"}}), "does not start"),
        (container(), "runs for 600 s and is not ready"),
    ],
)
def test_a_version_is_at_fault_where_its_own_container_is(state: dict[str, Any], text: str) -> None:
    """It would do the same on every cluster."""
    found = only(state)
    assert found.whose is Whose.VERSION
    assert text in found.text


def _waiting(reason: str, message: str = "") -> dict[str, Any]:
    return container(state={"waiting": {"reason": reason, "message": message}})


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (_waiting("ImagePullBackOff", 'Back-off pulling image "registry/tip"'), "cannot pull its image"),
        (_waiting("ErrImagePull", "manifest unknown: not found"), "manifest unknown"),
        (_waiting("CreateContainerConfigError", 'secret "bucket" not found'), 'secret "bucket" not found'),
        (_waiting("ContainerCreating"), "is not started (ContainerCreating)"),
        (container(state={"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}), "with its node"),
        (container(ready=True), "answers, but is not counted as ready"),
    ],
)
def test_no_version_is_at_fault_where_the_cluster_does_not_run_it(state: dict[str, Any], text: str) -> None:
    """A registry that is away or a secret that is missing says nothing about the model."""
    found = only(state)
    assert found.whose is Whose.CLUSTER
    assert text in found.text


def test_an_image_that_is_not_pulled_is_told_with_its_mend() -> None:
    """Slipway itself had it from the registry a moment ago."""
    assert "pull secret" in only(_waiting("ImagePullBackOff", "unauthorized")).mend


def test_what_runs_on_a_node_that_is_gone_is_judged_by_nobody() -> None:
    """A pod there is not ready, and may have crashed before; nobody can say of what."""
    around = Circumstances(now=LONG_AFTER.now, patience=300.0, nodes={"node-1": False})
    found = only(container(restarts=5, lastState=CRASHED), around=around)
    assert (found.whose, "its node node-1 is not ready" in found.text) == (Whose.CLUSTER, True)


def test_a_pod_without_a_node_is_told_as_the_scheduler_told_it() -> None:
    """The reader has to know of what there is too little."""
    message = "0/2 nodes are available: 2 Insufficient memory."
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    found = only(conditions=[unplaced], phase="Pending")
    assert found.whose is Whose.CLUSTER
    assert message in found.text


def test_what_got_onto_a_node_late_had_no_time() -> None:
    """A cluster that first had to grow may use up the whole time of a rollout."""
    around = Circumstances(now=STARTED + timedelta(seconds=20), patience=300.0)
    found = only(container(), around=around)
    assert (found.whose, "runs for 20 s only, of 300" in found.text) == (Whose.CLUSTER, True)


@pytest.mark.parametrize(
    ("message", "whose"),
    [
        ("Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ", Whose.VERSION),
        ("The node was low on resource: memory. ", Whose.CLUSTER),
    ],
)
def test_who_is_evicted_is_at_fault_for_its_own_limit_alone(message: str, whose: Whose) -> None:
    """A neighbour that fills the node is no reason to go back."""
    found = only(phase="Failed", reason="Evicted", message=message)
    assert (found.whose, found.text) == (whose, f"pod new was ended (Evicted): {message.strip()}")


def test_a_container_beside_the_server_is_no_fault_of_the_version() -> None:
    """A mesh's proxy that does not come up is not the model's."""
    beside = {"name": "proxy", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 9}
    found = only(container(ready=True), beside)
    assert (found.whose, found.text.endswith("its container proxy: CrashLoopBackOff")) == (Whose.CLUSTER, True)


@pytest.mark.parametrize("restarts", range(6))
def test_a_crash_loop_is_one_after_a_few_restarts(restarts: int) -> None:
    """Who fails each time need not be waited for; who fails once may have found a bucket busy."""
    seen = rolling(
        pod(
            "new", 2, ready=False, containerStatuses=[container(restarts=restarts, state=IN_BACKOFF, lastState=CRASHED)]
        )
    )
    assert (blame.crash_loop(seen, NEW) is not None) == (restarts >= blame.RESTARTS)


def test_who_is_starting_once_more_is_waited_for() -> None:
    """What it lacked may be there now: a rollout that is run again must be able to end well."""
    seen = rolling(pod("new", 2, ready=False, containerStatuses=[container(restarts=9, lastState=CRASHED)]))
    assert blame.crash_loop(seen, NEW) is None


def test_pods_of_before_an_edit_are_judged_by_nobody() -> None:
    """More memory in the manifest, the same digest: what is seen of its pods is about the manifest of before."""
    crashing = pod("new", 2, ready=False, containerStatuses=[container(restarts=9, state=IN_BACKOFF, lastState=KILLED)])
    seen = look(deployment(observedGeneration=2), replica_set(NEW, 2), crashing)
    assert blame.crash_loop(seen, NEW) is None
    assert {found.whose for found in blame.troubles(seen, NEW, LONG_AFTER)} == {Whose.CLUSTER}


def test_a_version_that_crashes_is_at_fault_though_the_cluster_is_short_too() -> None:
    """One pod that got a node is enough to know."""
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    seen = rolling(
        pod("first", 2, ready=False, conditions=[unplaced], containerStatuses=[]),
        pod("second", 2, ready=False, containerStatuses=[container(restarts=2, state=IN_BACKOFF, lastState=CRASHED)]),
    )
    assert [found.pod for found in blame.troubles(seen, NEW, LONG_AFTER)] == ["second", "first", "old"]


@pytest.mark.parametrize(
    ("changes", "spec", "text"),
    [
        (
            {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}]},
            {},
            "quota",
        ),
        ({}, {"paused": True}, "is paused"),
        ({}, {"replicas": 0}, "is scaled to 0"),
        ({"observedGeneration": 1}, {}, "no controller"),
    ],
)
def test_a_deployment_that_makes_no_pods_is_no_fault_of_the_version(
    changes: dict[str, Any], spec: dict[str, Any], text: str
) -> None:
    """Quotas, pauses and a controller that is away: nobody has seen the version run."""
    deployed = deployment(**changes)
    deployed["spec"].update(spec)
    (found,) = blame.troubles(look(deployed, replica_set(NEW, 2)), NEW, LONG_AFTER)
    assert (found.whose, text in found.text) == (Whose.CLUSTER, True)


def test_a_pod_of_before_that_does_not_leave_is_told_with_its_node() -> None:
    """On a lost node nobody else can end it."""
    seen = live(pod("a", 2), pod("b", 2), pod("old", 1, OLD, deletionTimestamp="2026-03-01T12:00:00Z"))
    (found,) = blame.troubles(seen, NEW, LONG_AFTER)
    assert (found.whose, found.text) == (Whose.CLUSTER, "pod old is of before and still there on node-1")


_STATES = st.sampled_from([{}, CRASHED, KILLED, IN_BACKOFF, {"running": {}}, {"waiting": {"reason": "ErrImagePull"}}])


@given(
    status=st.fixed_dictionaries(
        {"state": _STATES, "lastState": _STATES, "restartCount": st.integers(0, 9), "ready": st.booleans()}
    ),
    phase=st.sampled_from(["", "Pending", "Running", "Failed", "Unknown"]),
    reason=st.sampled_from(["", "Evicted", "NodeLost", "Shutdown"]),
)
def test_whoever_looks_at_a_node_that_is_gone_blames_no_version(status: Any, phase: str, reason: str) -> None:
    """Whatever its pods looked like when it went."""
    told = {**container(), **status}
    seen = rolling(pod("new", 2, ready=False, containerStatuses=[told], phase=phase, reason=reason))
    around = Circumstances(now=LONG_AFTER.now, patience=0.0, nodes={"node-1": False})
    assert {found.whose for found in blame.troubles(seen, NEW, around)} == {Whose.CLUSTER}


@given(last=_STATES, restarts=st.integers(0, 9))
def test_who_is_ready_is_in_no_trouble(last: Any, restarts: int) -> None:
    """A crash that was got over is told by nobody; the watch counts from there."""
    ready = pod("new", 2, containerStatuses=[container(ready=True, lastState=last, restarts=restarts)])
    assert [found.pod for found in blame.troubles(rolling(ready), NEW, LONG_AFTER)] == ["old"]
    assert blame.crash_loop(rolling(ready), NEW) is None
