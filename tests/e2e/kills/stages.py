"""The release and the watch of the team, one command a stage, run once without a kill.

Each stage keeps the world after it, what the world told then, the moments of its external writes and how long its
work took. A test copies the world of the stage before, runs the command there, kills it, and runs it again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from slipway.adapters.rollout.process import stop_all

from tests.e2e.kills import canary, kubectl_of_a_file, team
from tests.e2e.kills.told import told

Edit = Callable[[Path], object]

LONGEST_SECONDS = 120.0
_LIVE = date(2024, 1, 8)
_WINDOW, _NEXT = "2024-01-14", "2024-01-21"
_NEXT_WEEK = date(2024, 1, 15)


@dataclass(frozen=True, slots=True)
class Stage:
    """`edit` is what people do before the command; `code` is how the command ends."""

    name: str
    after: str | None
    words: tuple[str, ...]
    edit: Edit = lambda world: None
    code: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """Where the stages lie that were run."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def world(self, stage: str) -> Path:
        return self.folder / stage / "world"

    def told(self, stage: Stage) -> object:
        return json.loads((self.folder / stage.name / "told.json").read_bytes())

    def moments(self, stage: Stage) -> list[str]:
        path = self.folder / stage.name / "moments"
        return path.read_text().splitlines() if path.exists() else []

    def seconds(self, stage: Stage) -> float:
        return float((self.folder / stage.name / "seconds").read_text())

    def begin(self, stage: Stage, world: Path) -> Path:
        """A copy of the world in which the stage's command is to be run."""
        if stage.after is None:
            (world / "flights").mkdir(parents=True)
        else:
            shutil.copytree(self.world(stage.after), world, symlinks=True)
        stage.edit(world)
        return world

    def run(self, stage: Stage) -> None:
        folder = self.folder / stage.name
        world = self.begin(stage, folder / "world")
        if not stage.words:
            return
        running = team.start(world, self.cache, *stage.words, SLIPWAY_LOG_MOMENTS=str(folder / "moments"))
        running.wait_until_at_work()
        begun = time.monotonic()
        assert running.ends_within(LONGEST_SECONDS)
        (folder / "seconds").write_text(str(time.monotonic() - begun))
        assert running.code == stage.code, f"{stage.name}: {running.code}\n{running.said}"
        (folder / "told.json").write_text(json.dumps(told(world)))
        stop_all(world / "flights" / ".slipway" / "rollout")


def _tagged(version: str, weights: str) -> Edit:
    return lambda world: team.tag(world, version, weights=weights)


def _released(version: str, after: str, weights: str) -> tuple[Stage, ...]:
    """A version up to its pull request, by one command."""
    return (Stage(version, after, ("release", f"{team.MODEL}@{version}"), _tagged(version, weights)),)


def _in_steps(version: str, after: str, weights: str, steps: tuple[str, ...], *, verdict: int = 0) -> tuple[Stage, ...]:
    stages = []
    for number, step in enumerate(steps):
        edit = _tagged(version, weights) if number == 0 else (lambda world: None)
        code = verdict if step == "judge" else 0
        stages.append(Stage(f"{version}-{step}", after, (step, f"{team.MODEL}@{version}"), edit, code))
        after = f"{version}-{step}"
    return tuple(stages)


def _watch(name: str, after: str, until: str, steps: tuple[str, ...], edit: Edit, *, verdict: int) -> tuple[Stage, ...]:
    stages = []
    for number, step in enumerate(steps):
        words = (step, team.MODEL, "--until", until)
        code = verdict if step == "judge" else 0
        stages.append(Stage(f"{name}-{step}", after, words, edit if number == 0 else (lambda world: None), code))
        after = f"{name}-{step}"
    return tuple(stages)


def _serves(version: str, first: date, *, weights: str, stuck: bool) -> Edit:
    return lambda world: team.serve(world, version, first=first, days=7, weights=weights, stuck=stuck)


def _is_closed_and_goes_on(world: Path) -> None:
    team.close_issues(world)
    _serves("v1.1.0", _NEXT_WEEK, weights="delay", stuck=True)(world)


def _is_ready_within(seconds: float) -> Edit:
    return lambda world: team.edit_policy(world, "rollout", ready_seconds=seconds)


_MEASURED = ("resolve-tag", "convert-to-onnx", "measure-consistency", "rehearse-rollback", "judge")
_PROPOSED = ("build-image", "bump-manifest", "file-issue", "record-pages")
_LOOKED = ("measure-drift", "judge", "revert-manifest", "file-issue", "record-pages")
_WATCH = ("watch", team.MODEL, "--until", canary.DAY.isoformat())
_ROLL_OUT = ("verify-rollout", team.MODEL, "--on", _LIVE.isoformat())

STAGES: tuple[Stage, ...] = (
    Stage("start", None, (), team.found),
    *_released("v1.0.0", "start", "timetable"),
    Stage("v1.0.0-merge", "v1.0.0", ("merge", "1")),
    *_released("v1.0.1", "v1.0.0-merge", "timetable"),  # its pull request stays open, until v1.1.0 replaces it
    *_in_steps("v1.1.0", "v1.0.1", "delay", (*_MEASURED, *_PROPOSED)),
    Stage("v1.1.0-merge", "v1.1.0-record-pages", ("merge", "3")),
    Stage("v1.1.0-verify-rollout", "v1.1.0-merge", _ROLL_OUT),
    Stage("v1.1.0-announce-rollout", "v1.1.0-verify-rollout", ("announce-rollout", team.MODEL)),
    Stage("v1.1.0-record-again", "v1.1.0-announce-rollout", ("record-pages", f"{team.MODEL}@v1.1.0")),
    *_watch(
        "bad-week",
        "v1.1.0-record-again",
        _WINDOW,
        _LOOKED,
        _serves("v1.1.0", _LIVE, weights="delay", stuck=True),
        verdict=10,
    ),
    # What happens beside the main line.
    Stage(
        "not-enough-judge",
        "v1.1.0-record-pages",
        ("judge", f"{team.MODEL}@v1.1.0"),
        lambda world: team.edit_policy(world, "fidelity", rows=20_000),
        code=11,
    ),
    Stage("not-enough-bump-manifest", "not-enough-judge", ("bump-manifest", f"{team.MODEL}@v1.1.0")),
    *_in_steps("v1.0.2", "v1.0.1", "delay", (*_MEASURED, "file-issue"), verdict=10),
    Stage(
        "by-commit-revert-manifest",
        "bad-week-judge",
        ("revert-manifest", team.MODEL, "--until", _WINDOW),
        lambda world: team.edit_policy(world, "previous-version", revert="commit"),
    ),
    *_watch(
        "worse",
        "bad-week-record-pages",
        _NEXT,
        ("measure-drift", "judge", "file-issue"),
        _serves("v1.1.0", _NEXT_WEEK, weights="delay", stuck=True),
        verdict=10,
    ),
    *_watch(
        "better",
        "bad-week-record-pages",
        _NEXT,
        ("measure-drift", "judge", "file-issue"),
        _serves("v1.1.0", _NEXT_WEEK, weights="delay", stuck=False),
        verdict=0,
    ),
    *_watch(
        "closed",
        "bad-week-record-pages",
        _NEXT,
        ("measure-drift", "judge", "file-issue"),
        _is_closed_and_goes_on,
        verdict=10,
    ),
    Stage("fails-before", "v1.0.0-merge", ("rollout", team.MODEL)),
    *_released("v1.2.0", "fails-before", "delay"),
    Stage("fails-merge", "v1.2.0", ("merge", "2")),
    Stage("fails-rollout", "fails-merge", ("rollout", team.MODEL), _is_ready_within(0.01), code=10),
    Stage("fails-back-merge", "fails-rollout", ("merge", "3")),
    Stage("fails-back-rollout", "fails-back-merge", ("rollout", team.MODEL), _is_ready_within(60)),
    Stage("rollback", "v1.1.0-record-again", ("rollback", team.MODEL, "--to", "v1.0.0")),
    Stage("strange-status", "v1.1.0-record-again", ("status", "--live", "--issue"), team.run_by_hand, code=10),
    Stage("adopt", "start", ("adopt", team.MODEL, "--onnx", team.RUNS, "--version", "v0.9.0"), team.runs_elsewhere),
    Stage("check", "v1.0.1", ("check", team.MODEL)),
    Stage("tag-check", "v1.0.1", ("check", team.MODEL), lambda world: team.train(world, "v1.1.0", weights="delay")),
    Stage("tag", "tag-check", ("tag", team.MODEL, "--push")),
    # A canary, on a cluster.
    Stage("canary-before", "v1.1.0-record-pages", ("rollout", team.MODEL), canary.on_a_cluster),
    Stage("canary-bump-manifest", "canary-before", ("bump-manifest", canary.TAG)),
    Stage("canary-record-pages", "canary-bump-manifest", ("record-pages", canary.TAG)),
    Stage("canary-merge", "canary-record-pages", ("merge", "3")),
    Stage("canary-rollout", "canary-merge", ("rollout", team.MODEL)),
    Stage("canary-good-watch", "canary-rollout", _WATCH, canary.answers_well, code=11),
    Stage("canary-good-rollout", "canary-good-watch", ("rollout", team.MODEL)),
    Stage("canary-good-merge", "canary-good-rollout", ("merge", "4")),
    Stage("canary-whole-rollout", "canary-good-merge", ("rollout", team.MODEL)),
    Stage("canary-bad-watch", "canary-rollout", _WATCH, canary.answers_no_numbers, code=11),
    Stage("canary-bad-merge", "canary-bad-watch", ("merge", "4")),
    Stage("canary-gone-rollout", "canary-bad-merge", ("rollout", team.MODEL)),
    Stage("canary-by-commit-watch", "canary-rollout", _WATCH, canary.is_withdrawn_by_commit, code=11),
    Stage("new-model", "start", ("new-model", "another")),
)
NAMED = {stage.name: stage for stage in STAGES}


def build(folder: Path) -> Built:
    """Run all stages, two at a time; a stage waits for the one before it, which was handed over earlier."""
    built = Built(folder)
    folder.mkdir()
    requirements = folder / "requirements.txt"
    requirements.write_text(team.REQUIREMENTS)
    for framework in team.FRAMEWORKS:
        team.stand_in_for(framework, built.cache, requirements)
    kubectl_of_a_file.install(built.cache / team.PROGRAMS)
    running: dict[str, Future[None]] = {}

    def run(stage: Stage) -> None:
        if stage.after is not None:
            running[stage.after].result()
        built.run(stage)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for stage in STAGES:
            running[stage.name] = pool.submit(run, stage)
    for done in running.values():
        done.result()
    return built
