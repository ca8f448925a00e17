"""What went live stays up, or fell over, or was taken away."""

from __future__ import annotations

from slipway.adapters.rollout.kubernetes import staying
from slipway.adapters.rollout.kubernetes.blame import Whose

from tests.unit.adapters.rollout.kubernetes.conftest import (
    NEW,
    OLD,
    container,
    deployment,
    live,
    look,
    pod,
    replica_set,
)
from tests.unit.adapters.rollout.kubernetes.test_blame import CRASHED, LONG_AFTER

BEFORE = {"uid-a": 3, "uid-b": 0}


def test_restarts_of_before_it_was_live_are_not_counted_again() -> None:
    """It may have waited for its bucket; that it is live was seen."""
    seen = live(pod("a", 2, containerStatuses=[container(ready=True, restarts=3, lastState=CRASHED)]), pod("b", 2))
    assert staying.restarted(seen, NEW, BEFORE) is None


def test_one_restart_more_is_a_fall_though_it_is_ready_again() -> None:
    """Requests were lost; the next crash is a question of time."""
    seen = live(pod("a", 2, containerStatuses=[container(ready=True, restarts=4, lastState=CRASHED)]), pod("b", 2))
    found = staying.restarted(seen, NEW, BEFORE)
    assert found is not None
    assert (found.whose, found.pod) == (Whose.VERSION, "a")


def test_a_restart_together_with_its_node_is_none() -> None:
    """The machine was started anew, and with it the pod."""
    ended = {"terminated": {"exitCode": 255, "reason": "Unknown"}}
    seen = live(pod("a", 2, containerStatuses=[container(ready=True, restarts=4, lastState=ended)]), pod("b", 2))
    assert staying.restarted(seen, NEW, BEFORE) is None


def test_a_pod_that_came_later_and_crashed_counts() -> None:
    """An autoscaler adds pods of the same version."""
    late = pod("c", 2, ready=False, containerStatuses=[container(restarts=1, lastState=CRASHED)])
    found = staying.restarted(live(pod("a", 2), pod("b", 2), late), NEW, BEFORE)
    assert found is not None
    assert found.pod == "c"


def test_who_was_ready_and_is_not_any_more_is_told_and_who_comes_later_is_not() -> None:
    """A pod that an autoscaler added has to load first."""
    seen = live(pod("a", 2, ready=False), pod("b", 2), pod("late", 2, ready=False))
    found = staying.of_version(staying.unready(seen, NEW, BEFORE, LONG_AFTER))
    assert list(found) == ["uid-a"]


def test_who_was_told_to_leave_did_not_fall() -> None:
    """Nodes are drained, and pods move."""
    leaving = pod("a", 2, ready=False, deletionTimestamp="2026-03-01T12:00:00Z")
    assert staying.unready(live(leaving, pod("b", 2)), NEW, BEFORE, LONG_AFTER) == {}


def test_a_pod_that_was_replaced_by_a_ready_one_is_no_loss() -> None:
    """A drain within the first minutes must not revert a version."""
    assert staying.short_of(live(pod("c", 2), pod("b", 2)), NEW, BEFORE) == ""


def test_fewer_pods_are_no_loss_where_fewer_are_wanted() -> None:
    """An autoscaler takes pods away, too; but not all of them."""
    fewer = look(deployment(replicas=1), replica_set(NEW, 2), pod("a", 2))
    assert staying.short_of(fewer, NEW, BEFORE) == ""
    none = look(deployment(replicas=0), replica_set(NEW, 2))
    assert staying.short_of(none, NEW, BEFORE) == "0 of 0 pods ready"


def test_what_is_missing_is_told() -> None:
    """Nobody can say what became of it; somebody has to look."""
    assert staying.short_of(live(pod("a", 2), pod("b", 2, ready=False)), NEW, BEFORE) == "1 of 2 pods ready"
    assert staying.short_of(look(None), NEW, BEFORE) == "the Deployment is gone"


def test_another_version_that_was_rolled_out_meanwhile_is_told_as_such() -> None:
    """The next pull request was merged."""
    seen = look(deployment(OLD), replica_set(OLD, 3), pod("old", 3, OLD))
    assert "something else was rolled out meanwhile" in staying.short_of(seen, NEW, BEFORE)
