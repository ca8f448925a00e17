"""A power cut, a cancelled run, a machine that was taken away: whenever a command is killed, running it again is
enough. What is there then is what an undisturbed run leaves: the same pages, one pull request, one issue, whole files.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.rollout.server_process import wait_until
from slipway.domain.conversion import Conversion
from slipway.errors import BranchMoved

from tests.e2e import flights
from tests.e2e.kills import team
from tests.e2e.kills.killing import (
    assert_run_again_as_if_undisturbed,
    killed_after,
    killed_at,
    was_touched,
    world_before,
)
from tests.e2e.kills.stages import NAMED, Built
from tests.e2e.kills.told import broken, fingerprint, processes

RANDOM_MOMENTS = 20
MOST_TRIES = 80  # some come too late, where the machine was busy when the time was taken
STEPS = (
    *(f"v1.1.0-{step}" for step in ("resolve-tag", "convert-to-onnx", "measure-consistency", "rehearse-rollback")),
    *(f"v1.1.0-{step}" for step in ("judge", "build-image", "bump-manifest", "file-issue", "record-pages")),
    *("v1.1.0-merge", "v1.1.0-verify-rollout", "v1.1.0-announce-rollout"),
    *(f"bad-week-{step}" for step in ("measure-drift", "judge", "revert-manifest", "file-issue", "record-pages")),
)
# Writes that the line above does not make, by the stage that does; None stands for all of its writes, `ledger-commit:1`
# for the first of that name.
BESIDE: dict[str, set[str] | None] = {
    "v1.0.0": {"registry-layout", "registry-mount"},
    "v1.0.2-file-issue": None,
    "not-enough-bump-manifest": None,
    "by-commit-revert-manifest": None,
    "worse-file-issue": None,
    "better-file-issue": None,
    "closed-file-issue": None,
    "fails-rollout": {"open-pull", "open-issue", "ledger-commit"},
    "fails-back-rollout": {"close-issue"},
    "rollback": None,
    "strange-status": None,
    "adopt": None,
    "check": {"working-tree"},
    "tag": {"create-tag", "push-tag"},
    "canary-rollout": {"ledger-commit"},
    "canary-good-rollout": {"open-pull"},
    "canary-bad-watch": {"open-pull", "open-issue"},
    "canary-gone-rollout": {"ledger-commit:1"},
}
# Writes that none of these makes, by the test that kills them.
ELSEWHERE = {
    "apply-manifest": "e2e/apiserver/test_verdicts.py",  # needs a cluster
    "comment": "unit/adapters/forge/test_local.py",  # no command comments today
    "delete-deployment": "e2e/apiserver/test_verdicts.py",
    "end-server": "unit/adapters/rollout/test_process.py",
    "image-provenance": "signatures/test_signed_releases.py",  # needs a registry and cosign
    "image-signature": "signatures/test_signed_releases.py",
    "move-traffic": "workflows/test_docker_rollouts.py",  # needs an engine of containers
    "new-model": "e2e/test_killed_and_run_again.py",
    "write-back": "mlflow/test_write_back.py",  # needs a server of MLflow's
    "status-page": "steps/test_status_page.py",
}


@pytest.mark.parametrize("name", [*STEPS, *BESIDE])
def test_a_command_killed_before_or_after_a_write_is_mended_by_running_it_again(
    name: str, built: Built, tmp_path: Path
) -> None:
    """What others can see is written in some order, and a kill can come between any two of these writes."""
    stage = NAMED[name]
    moments = _moments_to_kill_at(name, built)
    assert moments
    for moment in moments:
        with world_before(stage, built, tmp_path / "world") as world:
            assert killed_at(moment, stage, built, world) == -signal.SIGKILL
            assert_run_again_as_if_undisturbed(stage, built, world, when=moment)


def _moments_to_kill_at(name: str, built: Built) -> list[str]:
    only = BESIDE.get(name)
    passed = [moment.split(":", maxsplit=2) for moment in built.moments(NAMED[name])]
    return [
        f"{side}:{write}:{number}"
        for side, write, number in passed
        if only is None or not only.isdisjoint((write, f"{write}:{number}"))
    ]


@pytest.mark.parametrize("name", STEPS)
def test_a_command_killed_at_any_time_is_mended_by_running_it_again(name: str, built: Built, tmp_path: Path) -> None:
    """Between the named moments lie others: half a temporary file, or git itself at work."""
    stage, seed = NAMED[name], int(os.environ.get("SLIPWAY_KILL_SEED", random.randrange(10**6)))
    chance, longest, hits, touched = random.Random(seed), built.seconds(stage), 0, 0
    for number in range(MOST_TRIES):
        seconds = chance.uniform(0, longest)
        with world_before(stage, built, tmp_path / "world") as world:
            before = fingerprint(world)
            if not killed_after(seconds, stage, built, world, children=number % 2 == 0):
                longest = seconds  # it had ended: this machine is less busy than it was
                continue
            hits += 1
            if was_touched(world, before):  # if not, running again is the undisturbed run
                touched += 1
                when = f"after {seconds:.3f} s (try {number} of SLIPWAY_KILL_SEED={seed})"
                assert_run_again_as_if_undisturbed(stage, built, world, when=when)
        if hits == RANDOM_MOMENTS:
            break
    told = f"{name}: seed {seed}, {hits} killed at work, {touched} of them had written"
    print(told)  # noqa: T201  # shown with -rP, and when the test fails
    assert hits == RANDOM_MOMENTS


def test_a_conversion_killed_with_tensorflow_at_work_is_mended_by_running_it_again(
    released: Path, tmp_path: Path
) -> None:
    """The model's process must go with the command, or it would go on for minutes, where the next one writes."""
    seed = int(os.environ.get("SLIPWAY_KILL_SEED", random.randrange(10**6)))
    undisturbed = flights.record_of(released).page(Conversion, written_by="convert-to-onnx")
    world = tmp_path / "world"
    shutil.copytree(released.parent, world, symlinks=True)
    checkout = world / "flights"
    record = flights.record_of(checkout)
    shutil.rmtree(record.folder / "scratch")
    chance, longest, hits = random.Random(seed), undisturbed.circumstances.seconds, 0
    for _ in range(MOST_TRIES):
        (record.folder / "conversion.1.json").unlink(missing_ok=True)
        seconds = chance.uniform(0, longest)
        if not _kill_tensorflow_after(seconds, world):
            longest = seconds
            continue
        hits += 1
        assert wait_until(lambda: not processes(world), seconds=60), f"seed {seed}: {processes(world)}"
        page = record.latest(Conversion)
        assert page is None or page.says_the_same_as(undisturbed), f"seed {seed}, after {seconds:.1f} s"
        if hits == 3:
            break

    flights.release(checkout, flights.variables(checkout), steps=("convert-to-onnx",))
    assert record.page(Conversion, written_by="convert-to-onnx").says_the_same_as(undisturbed), f"seed {seed}"
    assert broken(world) == []
    assert hits == 3


def _kill_tensorflow_after(seconds: float, world: Path) -> bool:
    """Kill the command alone, and not what it started; counted from when the model's process is there."""
    command = [sys.executable, "-c", "from slipway.cli import main; main()", "convert-to-onnx", str(flights.TAG)]
    checkout = world / "flights"
    running = subprocess.Popen(
        command, cwd=checkout, env=flights.variables(checkout), stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert wait_until(lambda: any("slipway.converters" in words for words in processes(world).values()), seconds=60)
    try:
        running.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.kill()
    return running.wait() == -signal.SIGKILL


@pytest.mark.parametrize(("side", "code"), [("before", 0), ("after", 2)])
def test_a_new_model_is_laid_down_whole_or_not_at_all(side: str, code: int, built: Built, tmp_path: Path) -> None:
    """Half a folder would be refused as "there already", and its developer would not know what is missing."""
    stage = NAMED["new-model"]
    with world_before(stage, built, tmp_path / "world") as world:
        assert killed_at(f"{side}:new-model:1", stage, built, world) == -signal.SIGKILL
        assert_run_again_as_if_undisturbed(replace(stage, code=code), built, world, when=side)


def test_every_external_write_is_killed_by_some_test(built: Built) -> None:
    """A new write without a kill would be the one that leaves half of something behind."""
    killed = set()
    for name in (*STEPS, *BESIDE):
        killed |= {moment.split(":")[1] for moment in _moments_to_kill_at(name, built)}

    assert killed | set(ELSEWHERE) == set(_names_of_writes())
    assert not killed & set(ELSEWHERE)
    for name, file in ELSEWHERE.items():
        assert name in (team.ROOT / "tests" / file).read_text()


def test_every_file_that_is_published_by_a_rename_can_be_killed_there() -> None:
    """A rename is how a file appears; one outside of a named moment could not be tested."""
    outside = [
        f"{path.name}: {ast.unparse(call)}"
        for path in _modules()
        for call in _renames_without_a_moment(ast.parse(path.read_text()))
    ]

    assert outside == [
        "exported.py: into.rename(Path(scratch) / 'before')",  # moves what was there aside, to be thrown away
        "folder.py: Path(scratch).replace(path)",  # its callers name the moment
    ]


def test_a_branch_that_a_killed_git_left_locked_is_free_on_the_next_run(tmp_path: Path) -> None:
    """Git's own lock outlives it; without a person who deletes it, no release would ever be recorded again."""
    repository = tmp_path / "flights.git"
    repository.mkdir()
    git.run("init", "--bare", "--quiet", "--initial-branch", "main", cwd=repository)
    forge = LocalForge(repository)
    first = forge.commit("main", onto=None, changes={"a": b"1\n"}, message="First")
    _kill_git_that_holds_main(repository, first)
    assert (repository / "refs" / "heads" / "main.lock").exists()

    second = forge.commit("main", onto=first, changes={"a": b"2\n"}, message="Second")
    assert forge.head("main") == second
    assert not list(repository.rglob("*.lock"))


def test_the_lock_of_somebody_elses_git_is_left_to_a_person(tmp_path: Path) -> None:
    """Only of our own runs we know that they are dead; a slow push must not be broken into."""
    repository = tmp_path / "flights.git"
    repository.mkdir()
    git.run("init", "--bare", "--quiet", "--initial-branch", "main", cwd=repository)
    forge = LocalForge(repository)
    first = forge.commit("main", onto=None, changes={"a": b"1\n"}, message="First")
    (repository / "refs" / "heads" / "main.lock").touch()
    _kill_git_that_holds_main(repository, first)  # it could not even begin

    with pytest.raises(BranchMoved, match=r"main\.lock"):
        forge.commit("main", onto=first, changes={"a": b"2\n"}, message="Second")
    assert (repository / "refs" / "heads" / "main.lock").exists()


_HOLD_MAIN = """
import subprocess, sys, time
from pathlib import Path
from slipway.adapters import ref_locks
repository, commit = Path(sys.argv[1]), sys.argv[2]
with ref_locks.alone(repository) as lock:
    holds = subprocess.Popen(["git", "update-ref", "--stdin"], cwd=repository, pass_fds=[lock],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    holds.stdin.write(f"start\\nupdate refs/heads/main {commit}\\nprepare\\n".encode())
    holds.stdin.flush()
    said = [holds.stdout.readline(), holds.stdout.readline()]
    print("holds", flush=True)
    time.sleep(60)
"""


def _kill_git_that_holds_main(repository: Path, commit: str) -> None:
    """A run of ours and its git, killed between git's lock and the end of its write."""
    running = subprocess.Popen(
        [sys.executable, "-c", _HOLD_MAIN, str(repository), commit],
        env={**os.environ, "PYTHONPATH": str(team.ROOT / "scripts")},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"holds\n"
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()


def _modules() -> Iterator[Path]:
    """All that may write, but for the other forge: its moments have the same names, and need a GitHub."""
    for folder in ("adapters", "steps", "cli"):
        paths = sorted((team.ROOT / "scripts" / "slipway" / folder).rglob("*.py"))
        yield from (path for path in paths if path.parent.name != "github")


def _names_of_writes() -> Iterator[str]:
    """What is handed to `external_write`, or to a function that hands it on as `moment`."""
    for path in _modules():
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            given = call.args[:1] if _called(call) == "external_write" else []
            given += [keyword.value for keyword in call.keywords if keyword.arg == "moment"]
            yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _renames_without_a_moment(tree: ast.AST) -> Iterator[ast.Call]:
    wrapped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any(_called(item.context_expr) == "external_write" for item in node.items)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node) not in wrapped:
            moves = node.func.attr in ("rename", "replace") and len(node.args) == 1 and not node.keywords
            if moves or (node.func.attr == "link" and len(node.args) == 2):
                yield node


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
