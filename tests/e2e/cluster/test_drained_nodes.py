"""A node is taken away for its maintenance, and the disruption budget keeps at least one server answering."""

from __future__ import annotations

import pytest

from tests.e2e.cluster.waiters import Waiters
from tests.team import ENVIRONMENT

pytestmark = pytest.mark.xdist_group("cluster")

_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget"


def drain(team: Waiters, node: str, *, seconds: int) -> tuple[int, str]:
    """Exit code, and what was said."""
    words = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={seconds}s")
    done = team.cluster.asked(*words)
    return done.returncode, done.stdout + done.stderr


def nodes_of(team: Waiters) -> set[str]:
    """Where the servers are that do not leave."""
    listed = team.cluster.object("pods", f"--namespace={ENVIRONMENT}")["items"]
    return {pod["spec"]["nodeName"] for pod in listed if "deletionTimestamp" not in pod["metadata"]}


def test_a_drained_node_loses_no_request_and_the_last_server_stays(team: Waiters) -> None:
    """One node gives its server to the other; then the other may not give away the last one that answers."""
    try:
        with team.load() as load:
            load.wait_for(200)
            gone, said = drain(team, "node-2", seconds=180)
            assert gone == 0, said
            team.wait_until_served()
            assert nodes_of(team) == {"node-1"}

            refused, said = drain(team, "node-1", seconds=10)
            assert refused != 0 and _REFUSED in said, said
            load.wait_for(200)
    finally:
        team.cluster.kubectl("uncordon", "node-1", "node-2")
    team.wait_until_served()

    assert load.failed == {}
