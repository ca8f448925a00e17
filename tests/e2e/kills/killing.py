"""Run a stage's command in a copy of its world, kill it, run it again, and look at what is there."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.adapters.rollout.process import stop_all
from slipway.adapters.rollout.server_process import wait_until

from tests.e2e.kills import team
from tests.e2e.kills.stages import LONGEST_SECONDS, Built, Stage
from tests.e2e.kills.told import broken, differences, fingerprint, processes, told


@contextmanager
def world_before(stage: Stage, built: Built, folder: Path) -> Iterator[Path]:
    """The world in which the stage begins; its servers and its files go afterwards."""
    world = built.begin(stage, folder)
    try:
        yield world
    finally:
        stop_all(world / "flights" / ".slipway" / "rollout")
        _wait_until_nobody_works_in(world)
        shutil.rmtree(world)


def killed_at(moment: str, stage: Stage, built: Built, world: Path) -> int:
    """The exit code of a run that kills itself at a moment of one of its writes."""
    running = team.start(world, built.cache, *stage.words, SLIPWAY_KILL_AT=moment)
    assert running.ends_within(LONGEST_SECONDS)
    assert running.code is not None and running.code < 0, f"{stage.name} passes no moment {moment}:\n{running.said}"
    return running.code


def killed_after(seconds: float, stage: Stage, built: Built, world: Path, *, children: bool) -> bool:
    """Kill a run some time after it began its work, with or without its processes; whether it was still at work."""
    running = team.start(world, built.cache, *stage.words)
    running.wait_until_at_work()
    if running.ends_within(seconds):
        return False
    running.kill(children=children)
    return running.code == -signal.SIGKILL


def assert_run_again_as_if_undisturbed(stage: Stage, built: Built, world: Path, *, when: str) -> None:
    again = team.start(world, built.cache, *stage.words)
    assert again.ends_within(LONGEST_SECONDS)
    assert again.code == stage.code, f"{stage.name}, killed {when}:\n{again.said}"
    wrong = [*broken(world), *differences(built.told(stage), told(world))]
    assert not wrong, "\n".join([f"{stage.name}, killed {when}:", *wrong])


def was_touched(world: Path, before: dict[str, tuple[int, int, int]]) -> bool:
    return fingerprint(world) != before


def _wait_until_nobody_works_in(world: Path) -> None:
    """What a killed run started, a git or a framework's process, ends by itself."""
    assert wait_until(lambda: not processes(world), seconds=LONGEST_SECONDS), processes(world)
