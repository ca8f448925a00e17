"""What a rollout needs is away in the middle of it: that is told, nothing is reverted, and the next run ends it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster.waiters import READY_SECONDS, Waiters
from tests.team import MODEL

pytestmark = pytest.mark.xdist_group("cluster")

_MEND_IT, _RUN_AGAIN = 2, 12  # exit codes: neither is a version that failed


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
    (git_remote_away, _MEND_IT),  # of a folder that is not there, nobody can say whether it comes back
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
