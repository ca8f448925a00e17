"""Whatever becomes of a run of the tests, the machine is afterwards as it was before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cluster.place import group_of, place, wait_for
from tests.team import ROOT

pytestmark = pytest.mark.xdist_group("cluster")

_A_RUN = """
import sys, time
from tests.e2e.cluster.place import group_of, place
with place() as at:
    group_of(at, "node-1")
    at.start("bridge", "ip", "link", "add", "left-over", "type", "bridge")
    at.start("mounts", "unshare", "--mount", "sh", "-c", f"mount -t tmpfs left-over {at.folder / 'logs'} && sleep 600")
    sys.stdout.write(f"{at.folder} {at.pid}\\n")
    sys.stdout.flush()
    time.sleep(600)
"""


def groups_of(folder: Path) -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"*/{folder.name}"))


def mounts_and_bridges() -> list[str]:
    """Of the tests' own machine, by the name that they have in a place."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    every = [*Path("/proc/self/mounts").read_text().splitlines(), *links.splitlines()]
    return [line for line in every if "left-over" in line]


def test_nothing_is_left_of_a_place() -> None:
    """Its network, mounts, processes and control groups are its own, and gone at the end."""
    with place() as at:
        group_of(at, "node-1")
        at.inside("ip", "link", "add", "left-over", "type", "bridge")
        at.start("sleep", "sleep", "600")
        assert at.code("sleep") is None and len(groups_of(at.folder)) > 1
        assert mounts_and_bridges() == []

    assert not Path(f"/proc/{at.pid}").exists()
    assert (at.folder.exists(), groups_of(at.folder)) == (False, [])


def test_what_a_killed_run_left_ends_with_it_and_is_removed_by_the_next() -> None:
    """Nobody cleans up after SIGKILL but the kernel, which knows nothing of folders and control groups."""
    words = [sys.executable, "-c", _A_RUN]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        run.send_signal(signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), what="the end of all that it started", seconds=30)
    assert mounts_and_bridges() == []
    assert Path(folder).exists() and groups_of(Path(folder))

    with place():
        pass

    assert (Path(folder).exists(), groups_of(Path(folder))) == (False, [])
