"""A version goes live in a real cluster, another one is withdrawn, and no client notices.

Real pods of the real runtime image behind a real Service; all that is done is done by Slipway's commands. Clients are
of two kinds, since each loses requests in its own way: one keeps its connection to a pod that leaves, the other opens a
new one in the moment in which a pod is no longer, or not yet, there.
"""

from __future__ import annotations

import pytest

from tests.e2e.clients.asking import KEEP, NEW
from tests.e2e.clients.load import Load
from tests.e2e.cluster.waiters import READY_SECONDS, Waiters, changed_by_the_overlay
from tests.team import MODEL

pytestmark = pytest.mark.xdist_group("cluster")

REQUESTS = 5_000
BEFORE, AFTER = 400, 600


def assert_nobody_noticed(load: Load, *, versions: set[str]) -> None:
    assert load.failed == {}
    assert load.answered.total() >= REQUESTS
    for kind in (KEEP, NEW):
        assert set(load.outcomes[kind]) == versions, kind


def test_two_versions_of_apis_and_a_served_log_differ_from_what_a_team_applies(team: Waiters) -> None:
    """Kubernetes 1.20 is too old for two of them, and here is no bucket; a rollout of anything else would show nothing
    of ours."""
    changed = changed_by_the_overlay(team.team)
    print(changed)  # noqa: T201 - read by whoever asks what these tests apply otherwise

    lines = [line for line in changed.splitlines() if line.startswith(("-", "+"))][2:]
    assert lines == [
        "-      - env:",
        "+      - args:",
        "+        - --served-log=/served/$(ENVIRONMENT)/$(MODEL)",
        "+        env:",
        "+        volumeMounts:",
        "+        - mountPath: /served",
        "+          name: served",
        "+      volumes:",
        "+      - hostPath:",
        f"+          path: {team.served}",
        "+        name: served",
        "-apiVersion: policy/v1",
        "+apiVersion: policy/v1beta1",
        "-apiVersion: autoscaling/v2",
        "+apiVersion: autoscaling/v2beta2",
    ]


def test_a_good_update_and_the_way_back_lose_no_request(team: Waiters) -> None:
    """From the tag to live pods, and by one command back to the version before."""
    old = team.deployed()
    new, pull = team.release()

    with team.load() as load:
        load.wait_for(BEFORE)
        team.merge(pull)
        team.slipway("rollout", MODEL)
        load.wait_for(AFTER)
        load.wait_until_at_least(REQUESTS)
    assert_nobody_noticed(load, versions={old, new})
    assert team.running() == {new}

    with team.load() as load:
        load.wait_for(BEFORE)
        team.slipway("rollback", MODEL, "--to", old, "--reason", "the waiters do not like it")
        team.merge_the_only_one()
        team.slipway("rollout", MODEL)
        load.wait_for(AFTER)
        load.wait_until_at_least(REQUESTS)
    assert_nobody_noticed(load, versions={new, old})
    assert team.running() == {old}


def test_an_image_that_never_gets_ready_is_taken_back_and_loses_no_request(team: Waiters) -> None:
    """The manifest names what does not run, until Slipway's own pull request is merged; the others answer meanwhile."""
    old = team.deployed()
    team.allow(ready_seconds=30)
    bad, pull = team.release(runtime=team.never_ready())

    with team.load() as load:
        load.wait_for(BEFORE)
        team.merge(pull)
        said = team.slipway("rollout", MODEL, expected=10)
        assert team.running() == {old, bad}
        team.merge_the_only_one()
        team.allow(ready_seconds=READY_SECONDS)
        team.slipway("rollout", MODEL)
        load.wait_for(AFTER)
        load.wait_until_at_least(REQUESTS)
    assert "is not ready" in said
    assert_nobody_noticed(load, versions={old})
    assert team.deployed() == old
    assert team.running() == {old}
