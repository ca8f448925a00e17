"""A canary in a real cluster, by the commands that people have: it gets its share of the requests at most, and then
all of them or none.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters import deploy_tree

from tests.e2e.clients.load import Load
from tests.e2e.cluster.place import wait_for
from tests.e2e.cluster.test_rolling_updates import AFTER, BEFORE, REQUESTS
from tests.e2e.cluster.waiters import READY_SECONDS, Waiters
from tests.team import ENVIRONMENT, MODEL

pytestmark = pytest.mark.xdist_group("cluster")

SHARE = 0.4  # one pod beside two gets a third
_CANARY = {"share": SHARE, "hours": 0, "rows": 500}
# Of so many new connections, each to a pod by chance, a window in 300,000 has more than the share.
_WINDOW = 1_000
_OF_CANARIES = "app.kubernetes.io/component=model-canary"
_NO_WHOLE_DAY = 2  # of what has the rest, which is live since today: the watch has no window of it to look at yet
_BANQUET = 250.0  # a bill as no sample has it
_TOO_MUCH = 200.0


@pytest.fixture
def careful(team: Waiters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiters]:
    """A policy that asks for a canary, as long as the test runs; what proposes it renders with kubectl."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    team.allow(ready_seconds=READY_SECONDS, canary=_CANARY)
    yield team
    team.allow(ready_seconds=READY_SECONDS)


def deployments(team: Waiters) -> list[str]:
    listed = team.cluster.object("deployments", f"--namespace={ENVIRONMENT}")["items"]
    return sorted(one["metadata"]["name"] for one in listed)


def pods(team: Waiters, selector: str = "app.kubernetes.io/component=model-server") -> dict[str, int]:
    """By name, how often each was started anew; also of those that leave."""
    listed = team.cluster.object("pods", f"--namespace={ENVIRONMENT}", f"--selector={selector}")["items"]
    return {
        pod["metadata"]["name"]: sum(one["restartCount"] for one in pod["status"].get("containerStatuses", ()))
        for pod in listed
    }


def wait_for_windows(load: Load, canary: str, count: int) -> None:
    """Until the canary had its part in so many of them."""

    def seen() -> bool:
        load.look()
        return sum(canary in window for window in load.windows(_WINDOW)) >= count

    wait_for(seen, what=f"{count} windows with {canary}", seconds=180)


def wait_until_logged(team: Waiters, version: str, *, files: int) -> None:
    """The server writes a file each few seconds."""
    folder = team.served / ENVIRONMENT / MODEL
    wait_for(lambda: len(list(folder.rglob(f"{version}-*"))) >= files, what=f"the log of {version}", seconds=60)


def assert_never_more_than_its_share(windows: list[Counter[str]], canary: str) -> None:
    shares = [window[canary] / window.total() for window in windows]
    print(f"shares of {canary}, in windows of {_WINDOW}: {[f'{share:.1%}' for share in shares]}")  # noqa: T201 - -s
    assert max(shares) <= SHARE


def test_a_bad_canary_gets_its_share_at_most_and_is_withdrawn(careful: Waiters) -> None:
    """It passed its release, and answers with NaN what no sample had. Nobody is refused when it comes or goes."""
    old, stable = careful.deployed(), pods(careful)
    bad, pull = careful.release(nan_above=_TOO_MUCH)

    with careful.load(bills=(20.0, _BANQUET)) as load:
        load.wait_for(BEFORE)
        careful.merge(pull)
        careful.slipway("rollout", MODEL)
        assert (careful.running(), careful.deployed()) == ({old, bad}, old)
        wait_for_windows(load, bad, 3)
        wait_until_logged(careful, bad, files=2)

        measured = careful.slipway("measure-canary", MODEL)
        judged = careful.slipway("judge", MODEL, "--canary", expected=10)
        watched = careful.slipway("watch", "--all", expected=10)
        careful.merge_the_only_one()
        careful.slipway("rollout", MODEL)
        load.wait_for(AFTER)
        load.wait_until_at_least(REQUESTS)
        assert deployments(careful) == [f"{MODEL}-server"]
        wait_for(lambda: not pods(careful, _OF_CANARIES), what="the end of the canary's pods", seconds=90)

    assert f"{bad} beside {old}" in measured
    assert f"canary {bad} beside {old} in {ENVIRONMENT}: fail" in judged
    assert "Answers of the canary finite? fail" in judged
    assert f"the canary {bad} is withdrawn by pull request" in watched
    assert load.failed == {}
    assert_never_more_than_its_share(load.windows(_WINDOW), bad)
    entry = deploy_tree.quarantined(careful.team.workplace.forge, model=MODEL, version=bad)
    assert entry is not None
    assert (careful.deployed(), pods(careful)) == (old, stable)


def test_a_good_canary_gets_all_of_the_traffic(careful: Waiters) -> None:
    """From its share to all of it, and nobody notices."""
    old = careful.deployed()
    new, pull = careful.release()

    with careful.load() as load:
        load.wait_for(BEFORE)
        careful.merge(pull)
        careful.slipway("rollout", MODEL)
        assert careful.deployed() == old
        wait_for_windows(load, new, 1)
        wait_until_logged(careful, new, files=2)
        shared = load.windows(_WINDOW)

        careful.slipway("measure-canary", MODEL)
        judged = careful.slipway("judge", MODEL, "--canary")
        careful.slipway("watch", "--all", expected=_NO_WHOLE_DAY)
        proposed = careful.slipway("rollout", MODEL)
        careful.merge_the_only_one()
        careful.slipway("rollout", MODEL)
        load.wait_for(AFTER)
        load.wait_until_at_least(REQUESTS)
        assert deployments(careful) == [f"{MODEL}-server"]

    assert f"canary {new} beside {old} in {ENVIRONMENT}: pass" in judged
    assert f"all of {ENVIRONMENT} is proposed by pull request" in proposed
    assert load.failed == {}
    assert_never_more_than_its_share(shared, new)
    assert (careful.deployed(), careful.running()) == (new, {new})


def test_a_canary_that_never_gets_ready_answers_nothing_and_is_withdrawn(careful: Waiters) -> None:
    """What runs beside it was never touched, so there is nothing to take back but the canary."""
    old = careful.deployed()
    careful.allow(ready_seconds=30, canary=_CANARY)
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

    assert "is not ready" in said and "what it runs beside is as it was" in said
    assert load.failed == {}
    assert set(load.all) == {old}
    assert deployments(careful) == [f"{MODEL}-server"]
    assert careful.deployed() == old
