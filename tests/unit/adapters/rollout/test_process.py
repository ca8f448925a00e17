"""Rollouts to real processes: once, again, with a broken version, and killed at every write."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset
import pytest
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.adapters.rollout.server_process import wait_until
from slipway.errors import BadFile, RolloutFailed, Unreachable

BATCH: dict[str, Any] = {
    "hour": np.array([[6.0], [18.0]], dtype=np.float32),
    "carrier": np.array([["AA"], ["HA"]], dtype=object),
}
Deploy = Callable[..., Deployment]


def servers_of(tmp_path: Path) -> list[int]:
    """The pids of all servers of this test, whoever knows of them: each has the test's folder on its command line."""
    processes = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], check=True, capture_output=True, text=True).stdout
    mine = [line.split() for line in processes.splitlines() if f"{tmp_path}/" in line and " serving " in line]
    return [int(words[0]) for words in mine]


def late(rollout: ProcessRollout, live: Live) -> list[float]:
    return [float(value) for value in rollout.ask(live, BATCH)["p_late"].ravel()]


def test_a_version_goes_live_and_answers(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """What `live` says is what answers, from the process that it names."""
    rollout = ProcessRollout(state=state)
    live = rollout.apply(deploy("v1.0.0", bias=0.5))

    assert rollout.live("flight-delay", "production") == live
    assert servers_of(tmp_path) == [live.pid]
    assert late(rollout, live) == [6.625, 18.75]


def test_a_server_without_a_served_log_writes_none(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """Where the log is a table somebody else writes it; a folder beside it would fill a disk, unread."""
    rollout = ProcessRollout(state=state)
    live = rollout.apply(dataclasses.replace(deploy("v1.0.0"), served_log=None))

    assert late(rollout, live) == [6.125, 18.25]
    rollout.stop("flight-delay", "production")
    assert not (tmp_path / "served").exists()


def test_a_server_is_not_taken_for_what_a_job_left_behind(
    deploy: Deploy, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub's runner kills all that carries this mark when its job ends; a server is to go on."""
    monkeypatch.setenv("RUNNER_TRACKING_ID", "github_1")

    live = ProcessRollout(state=state).apply(deploy("v1.0.0"))

    assert "RUNNER_TRACKING_ID" not in Path(f"/proc/{live.pid}/environ").read_text()


def test_applying_what_is_live_does_nothing(deploy: Deploy, state: Path) -> None:
    """`verify-rollout` and a GitOps loop run every few minutes; each restart would be a swap for nothing."""
    rollout = ProcessRollout(state=state)

    assert rollout.apply(deploy("v1.0.0")) == rollout.apply(deploy("v1.0.0"))


def test_a_new_version_takes_the_address_over(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """Clients know one address; and the process before must be gone, or it would answer with old predictions."""
    rollout = ProcessRollout(state=state)
    old = rollout.apply(deploy("v1.0.0", bias=0.5))
    new = rollout.apply(deploy("v1.1.0", bias=0.25))

    assert new.url == old.url
    assert servers_of(tmp_path) == [new.pid]
    assert late(rollout, new) == [6.375, 18.5]


def test_environments_are_served_apart(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """A release to staging must not touch production."""
    rollout = ProcessRollout(state=state)
    production = rollout.apply(deploy("v1.0.0", bias=0.5))
    staging = rollout.apply(replace(deploy("v1.1.0", bias=0.25), environment="staging"))
    rollout.stop("flight-delay", "staging")

    assert staging.url != production.url
    assert late(rollout, production) == [6.625, 18.75]
    assert servers_of(tmp_path) == [production.pid]


def test_a_version_that_cannot_load_leaves_the_old_one_serving(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """The worst moment to lose the version that works is when the next one does not."""
    rollout = ProcessRollout(state=state)
    old = rollout.apply(deploy("v1.0.0", bias=0.5))
    with pytest.raises(RolloutFailed) as failure:
        rollout.apply(deploy("v1.1.0", broken=True))

    assert "flight-delay v1.1.0 does not go live in production: the new server left with code 2" in str(failure.value)
    assert "what served before still does" in failure.value.problem
    assert "onnxruntime cannot load" in failure.value.problem
    assert str(state) in failure.value.mend
    assert rollout.live("flight-delay", "production") == old
    assert servers_of(tmp_path) == [old.pid]
    assert late(rollout, old) == [6.625, 18.75]


def test_a_version_that_is_not_ready_in_time_is_ended(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """A model that loads for ever must not hold the release, nor stay behind as a process."""
    rollout = ProcessRollout(state=state)
    old = rollout.apply(deploy("v1.0.0"))
    with pytest.raises(RolloutFailed, match=r"was not ready within 0\.001 s"):
        rollout.apply(replace(deploy("v1.1.0"), ready_seconds=0.001))

    assert rollout.live("flight-delay", "production") == old
    assert servers_of(tmp_path) == [old.pid]


def test_a_server_that_fell_over_after_it_went_live_is_noticed(deploy: Deploy, state: Path) -> None:
    """It answered once; whoever merged must hear that it does no more."""
    rollout = ProcessRollout(state=state)
    live = rollout.apply(deploy("v1.0.0"))
    rollout.watch(live, seconds=60)
    os.kill(live.pid, signal.SIGKILL)
    assert wait_until(lambda: rollout.live("flight-delay", "production") is None, seconds=60)

    with pytest.raises(RolloutFailed, match=r"v1\.0\.0 went live in production and does not run any more"):
        rollout.watch(live, seconds=60)


def test_a_server_that_died_is_replaced(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """The machine was restarted: the record says live, nothing is; the next run must mend it."""
    rollout = ProcessRollout(state=state)
    dead = rollout.apply(deploy("v1.0.0"))
    os.kill(dead.pid, signal.SIGKILL)
    assert wait_until(lambda: rollout.live("flight-delay", "production") is None, seconds=60)
    with pytest.raises(Unreachable, match="flight-delay does not answer at"):
        rollout.ask(dead, BATCH)
    live = rollout.apply(deploy("v1.0.0"))

    assert live.pid != dead.pid
    assert servers_of(tmp_path) == [live.pid]


def test_a_server_that_hangs_is_replaced(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """Alive is not healthy: a stopped process accepts connections and answers none."""
    rollout = ProcessRollout(state=state, drain_deadline_seconds=0.1, last_log_seconds=0.1)
    hung = rollout.apply(deploy("v1.0.0"))
    os.kill(hung.pid, signal.SIGSTOP)
    live = rollout.apply(deploy("v1.0.0"))

    assert servers_of(tmp_path) == [live.pid]
    assert live.pid != hung.pid


def test_what_was_answered_is_logged_under_its_own_time(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """History is replayed on a laptop: the watch must find August's rows in August."""
    rollout = ProcessRollout(state=state, accept_event_time=True)
    live = rollout.apply(deploy("v1.0.0"))
    times = [np.datetime64("2013-08-01T06:00"), np.datetime64("2013-08-02T18:00")]
    rollout.ask(live, BATCH, request_id="week-31", times=times)
    rollout.flush_log(live)
    table = pyarrow.dataset.dataset(tmp_path / "served/production/flight-delay", partitioning="hive").to_table()

    rows = table.select(["request_id", "row", "version", "carrier", "date"]).to_pylist()
    assert sorted(rows, key=lambda row: row["row"]) == [
        {"request_id": "week-31", "row": 0, "version": "v1.0.0", "carrier": "AA", "date": "2013-08-01"},
        {"request_id": "week-31", "row": 1, "version": "v1.0.0", "carrier": "HA", "date": "2013-08-02"},
    ]


def test_stop_ends_the_server_and_is_harmless_again(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """Clean-up runs twice as often as it is needed."""
    rollout = ProcessRollout(state=state)
    live = rollout.apply(deploy("v1.0.0"))
    for _ in range(2):
        rollout.stop("flight-delay", "production")
    rollout.stop("never", "there")

    assert rollout.live("flight-delay", "production") is None
    assert servers_of(tmp_path) == []
    with pytest.raises(Unreachable, match="flushes"):
        rollout.flush_log(live)


def test_stop_all_ends_every_environment(deploy: Deploy, state: Path, tmp_path: Path) -> None:
    """Ctrl-C in the demo must leave no process."""
    rollout = ProcessRollout(state=state)
    rollout.apply(deploy("v1.0.0"))
    rollout.apply(replace(deploy("v1.1.0"), environment="staging"))
    stop_all(state)

    assert servers_of(tmp_path) == []


def test_a_record_that_somebody_edited_is_refused(deploy: Deploy, state: Path) -> None:
    """Guessing which server is live could end the one that serves."""
    place = state / "production" / "flight-delay"
    place.mkdir(parents=True)
    (place / "live.json").write_text('{"server": "a", "model": "flight-delay"}')

    with pytest.raises(BadFile, match=r"live\.json is not what a rollout wrote(.|\n)*mend: delete"):
        ProcessRollout(state=state).apply(deploy("v1.0.0"))


APPLY = """
import sys
from pathlib import Path
from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.process import ProcessRollout
state, version, directory, served = sys.argv[1:]
deployment = Deployment(
    model="flight-delay", environment="production", version=version, digest=f"sha256:{version}",
    image=f"flight-delay:{version}", commit="c0ffee", model_directory=Path(directory), served_log=served,
)
ProcessRollout(state=Path(state)).apply(deployment)
"""
MOMENTS = [
    f"{when}:{name}"
    for name in ("start-server:1", "file:1", "accept:1", "file:2", "end-server:1")
    for when in ("before", "after")
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rollout_that_is_killed_is_finished_by_the_next(
    deploy: Deploy, state: Path, tmp_path: Path, moment: str
) -> None:
    """Runners are cancelled at any moment: a version must be live all the time, in the end in exactly one process."""
    rollout = ProcessRollout(state=state)
    old = rollout.apply(deploy("v1.0.0", bias=0.5))
    new = deploy("v1.1.0", bias=0.25)
    arguments = [str(state), new.version, str(new.model_directory), str(new.served_log)]
    killed = subprocess.run([sys.executable, "-c", APPLY, *arguments], env=os.environ | _kill_at(moment), check=False)
    meanwhile = late(rollout, old)
    live = rollout.apply(new)

    assert killed.returncode == -signal.SIGKILL
    assert meanwhile in ([6.625, 18.75], [6.375, 18.5])
    assert live.version == "v1.1.0"
    assert live.url == old.url
    assert servers_of(tmp_path) == [live.pid]
    assert late(rollout, live) == [6.375, 18.5]


def _kill_at(moment: str) -> dict[str, str]:
    root = str(Path(__file__).parents[4])
    return {"SLIPWAY_KILL_AT": moment, "PYTHONPATH": os.pathsep.join([f"{root}/scripts", root])}
