"""A canary in a real cluster: it gets its share of the requests at most, and none once it is withdrawn."""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.asking import NEW
from tests.e2e.cluster.load import Load
from tests.e2e.cluster.test_rolling_updates import AFTER, BEFORE, REQUESTS
from tests.e2e.cluster.waiters import READY_SECONDS, SERVERS, Waiters
from tests.team import ENVIRONMENT, MODEL

pytestmark = pytest.mark.xdist_group("cluster")

SHARE = 0.34  # one pod beside two gets a third
_CANARY = {"share": SHARE, "hours": 1, "rows": 100}


@pytest.fixture
def careful(team: Waiters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiters]:
    """A policy that asks for a canary, as long as the test runs; what proposes it renders with kubectl."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    team.allow(ready_seconds=READY_SECONDS, canary=_CANARY)
    yield team
    team.allow(ready_seconds=READY_SECONDS)


def most_by_chance(requests: int) -> float:
    """Of so many new connections, each to a pod by chance, those of one of three; in 1 of 3 million runs it is more."""
    share = 1 / (1 + SERVERS)
    return requests * share + 5 * math.sqrt(requests * share * (1 - share))


def servers(team: Waiters) -> list[str]:
    listed = team.cluster.object("deployments", f"--namespace={ENVIRONMENT}")["items"]
    return sorted(one["metadata"]["name"] for one in listed)


def during(load: Load, requests: int) -> Counter[str]:
    """Which versions answered clients that connect anew, while so many were asked by all."""
    load.look()
    before = Counter(load.outcomes[NEW])
    load.wait_for(requests)
    return load.outcomes[NEW] - before


def test_a_canary_gets_its_share_at_most_and_none_once_it_is_withdrawn(careful: Waiters) -> None:
    """And nobody notices that it comes or goes."""
    old = careful.deployed()
    new, pull = careful.release()

    with careful.load() as load:
        load.wait_for(BEFORE)
        careful.merge(pull)
        careful.slipway("rollout", MODEL)
        assert careful.running() == {old, new}
        assert careful.deployed() == old

        seen = during(load, REQUESTS)
        assert set(seen) == {old, new}
        assert seen[new] <= most_by_chance(seen.total())

        careful.slipway("rollback", MODEL, "--to", old, "--reason", "the waiters do not like it")
        careful.merge_the_only_one()
        careful.slipway("rollout", MODEL)
        load.wait_for(AFTER)
        assert set(during(load, AFTER)) == {old}

    assert load.failed == {}
    assert servers(careful) == [f"{MODEL}-server"]
    assert careful.deployed() == old


def test_a_canary_that_never_gets_ready_answers_nothing_and_is_withdrawn(careful: Waiters) -> None:
    """What runs beside it was never touched, so there is nothing to take back but the canary."""
    old = careful.deployed()
    careful.allow(ready_seconds=45, canary=_CANARY)
    bad, pull = careful.release(runtime=careful.never_ready())

    with careful.load() as load:
        load.wait_for(BEFORE)
        careful.merge(pull)
        said = careful.slipway("rollout", MODEL, expected=10)
        assert careful.running() == {old, bad}
        careful.merge_the_only_one()
        careful.allow(ready_seconds=READY_SECONDS, canary=_CANARY)
        careful.slipway("rollout", MODEL)
        load.wait_for(AFTER)

    assert "is not ready" in said
    assert load.failed == {}
    assert set(load.all) == {old}
    assert servers(careful) == [f"{MODEL}-server"]
    assert careful.deployed() == old
