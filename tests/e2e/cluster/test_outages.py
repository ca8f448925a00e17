"""What a rollout needs is away in the middle of it: that is told, nothing is reverted, and the next run ends it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster.waiters import READY_SECONDS, Waiters
from tests.team import MODEL

pytestmark = pytest.mark.xdist_group("cluster")

# Exit codes: neither is a version that failed. Of a folder that is not there, nobody can say whether it comes back.
_MEND_IT, _RUN_AGAIN = 2, 12
_PULL_SECONDS = 25  # for kubelets that start again, and then cannot pull


@contextlib.contextmanager
def git_remote_away(team: Waiters) -> Iterator[None]:
    bare = team.team.bare
    elsewhere = bare.rename(bare.with_name("elsewhere.git"))
    try:
        yield
    finally:
        elsewhere.rename(bare)


@contextlib.contextmanager
def registry_away(team: Waiters) -> Iterator[None]:
    team.cluster.kill("registry")
    try:
        yield
    finally:
        team.cluster.start("registry")


@contextlib.contextmanager
def kubelets_away(team: Waiters) -> Iterator[None]:
    kubelets = [f"kubelet-{node.number}" for node in team.cluster.nodes]
    for kubelet in kubelets:
        team.cluster.kill(kubelet)
    try:
        yield
    finally:
        for kubelet in kubelets:
            team.cluster.start(kubelet)


@contextlib.contextmanager
def apiserver_away(team: Waiters) -> Iterator[None]:
    team.cluster.kill("apiserver")
    try:
        yield
    finally:
        team.cluster.start("apiserver")


OUTAGES: tuple[tuple[Callable[[Waiters], contextlib.AbstractContextManager[None]], int], ...] = (
    (git_remote_away, _MEND_IT),
    (registry_away, _RUN_AGAIN),
    (kubelets_away, _RUN_AGAIN),
    (apiserver_away, _RUN_AGAIN),
)


def test_no_outage_reverts_a_version(team: Waiters) -> None:
    """Each time the command says that it could not look, and not that the version is bad; then it goes live.

    Requests are asked meanwhile and not counted: a kubelet of 1.20 that starts again takes its pods for not ready.
    """
    old = team.deployed()
    new, pull = team.release()
    team.allow(ready_seconds=10)
    team.merge(pull)

    with team.load() as load:
        for outage, code in OUTAGES:
            with outage(team):
                team.slipway("rollout", MODEL, expected=code)
            assert (team.deployed(), team.team.workplace.forge.open_pulls()) == (new, []), outage.__name__
        team.cluster.wait_until_ready()
        team.allow(ready_seconds=READY_SECONDS)
        team.slipway("rollout", MODEL)
        load.wait_for(200)

    assert {old, new} <= set(load.all)
    assert team.running() == {new}


def test_a_registry_and_a_remote_that_go_away_in_the_middle_revert_nothing(team: Waiters) -> None:
    """The manifest is applied and its pods are to start: nothing is verified that was not, and nothing twice."""
    new, pull = team.release()
    team.allow(ready_seconds=_PULL_SECONDS)
    team.merge(pull)

    with contextlib.ExitStack() as registry, contextlib.ExitStack() as kubelets:
        kubelets.enter_context(kubelets_away(team))  # nothing starts, so the rollout waits
        with team.rolling_out(expected=_RUN_AGAIN):
            registry.enter_context(registry_away(team))
            kubelets.close()
        kubelets.enter_context(kubelets_away(team))  # before they can pull after all
        registry.close()
        team.allow(ready_seconds=READY_SECONDS)
        with contextlib.ExitStack() as remote, team.rolling_out(expected=_MEND_IT):
            remote.enter_context(git_remote_away(team))
            kubelets.close()

    assert (team.deployed(), team.verified(new), team.team.workplace.forge.open_pulls()) == (new, 0, [])
    team.slipway("rollout", MODEL)
    assert (team.running(), team.verified(new)) == ({new}, 1)
