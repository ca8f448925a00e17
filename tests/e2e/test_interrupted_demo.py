"""`make demo`, ended in the middle: nothing of it stays behind, and the next one starts clean."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slipway.adapters.rollout.server_process import wait_until

from tests.e2e.kills.told import processes, servers

ROOT = Path(__file__).resolve().parents[2]
_LONGEST_SECONDS = 300.0
_INTERRUPTED = 130
_SIGNALLED_IN_A_DESTRUCTOR = """
import os, signal, time
from demo.run import interrupt_on_signals
class Ending:
    def __del__(self):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0)
        except KeyboardInterrupt:
            print("dropped")
            raise
interrupt_on_signals()
Ending()
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "demo" / "run.py"), "--folder", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder.parent,
        start_new_session=True,
    )


def wait_until_a_server_is_live(folder: Path, running: subprocess.Popen[str]) -> None:
    live = folder / "flights" / ".slipway" / "rollout" / "production" / "flight-delay" / "live.json"
    wait_until(lambda: live.exists() or running.poll() is not None, seconds=_LONGEST_SECONDS)
    assert servers(folder), running.communicate(timeout=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_demo_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    """A server that outlives its demo holds a port and a folder, and nobody knows where it comes from."""
    seed = random.randrange(10**6)
    running = start(tmp_path / "demo")
    wait_until_a_server_is_live(tmp_path / "demo", running)
    time.sleep(random.Random(seed).uniform(0, 3))  # somewhere in the weeks that are served
    os.killpg(running.pid, number)  # as a terminal does: to the demo and to all that it started
    if number is signal.SIGINT:
        time.sleep(0.3)
        os.killpg(running.pid, number)  # and once more, by somebody who does not wait for the servers to end
    said, _ = running.communicate(timeout=_LONGEST_SECONDS)

    assert running.returncode == _INTERRUPTED, f"seed {seed}: {said[-2000:]}"
    assert "stopped; run the same command again" in said
    assert "Traceback" not in said
    assert processes(tmp_path / "demo") == {}, f"seed {seed}"


def test_a_signal_in_the_middle_of_a_destructor_is_not_lost() -> None:
    """Python drops what a destructor raises; a demo that went on would hold its server for a minute more."""
    ended = subprocess.run(
        [sys.executable, "-c", _SIGNALLED_IN_A_DESTRUCTOR], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "dropped\ninterrupted\n", "")


def test_a_demo_after_one_that_was_killed_starts_clean(tmp_path: Path) -> None:
    """A kill can be handled by nobody; what it left must not be found by the story of the next one."""
    folder = tmp_path / "demo"
    killed = start(folder)
    wait_until_a_server_is_live(folder, killed)
    killed.kill()
    killed.communicate()
    left = servers(folder)
    assert left

    again = start(folder)
    assert again.stdout is not None
    first_line = again.stdout.readline()
    assert str(folder) in first_line
    assert not set(left) & set(servers(folder))
    assert not (folder / "flights" / ".slipway" / "releases").exists()
    again.terminate()
    again.communicate(timeout=_LONGEST_SECONDS)
    assert again.returncode == _INTERRUPTED
    assert processes(folder) == {}
