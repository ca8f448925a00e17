"""GitHub fails at every request of every step, in every way: at the latest when the step is run again, all is as if
nothing had gone wrong. Nothing is there twice, and nobody reads a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import slipway.steps

from tests.e2e.faults import release, rollout, upkeep, watch
from tests.e2e.faults.disturbing import EACH_WRITE, Bench, Step, at_each, at_each_second
from tests.github_stand_in.faults import Fault

STEPS: Mapping[str, Step] = {**release.STEPS, **rollout.STEPS, **watch.STEPS, **upkeep.STEPS}
_READ_ONLY = (
    "fetch-source",
    "resolve-tag",
    "measure-drift",
    "measure-canary",
    "export-watch",
    "check-manifests",
    "status",
    "status-page",
    "rejudge",
    "replay",
    "replay-incident",
    "rebase",
    "send-webhook",
    "tell-mlflow",
)
_WRITES = [(name, fault) for name, step in STEPS.items() if name not in _READ_ONLY for fault in step.faults]
_ASK_NOTHING = {  # of GitHub; `tag` asks git alone
    "build_image",
    "changed_models",
    "convert_to_onnx",
    "explain",
    "flow",
    "judge",
    "measure_consistency",
    "new_model",
    "receive_pages",
    "tag",
    "train",
}
_WITHIN_ANOTHER = {"rehearse_rollback"}  # asks only when a rollout is proposed further


def test_every_step_is_here() -> None:
    """One that joins later must fail as well as the others."""
    (folder,) = slipway.steps.__path__
    modules = {path.stem for path in Path(folder).glob("*.py")} - {"__init__"}
    tried = {name.split()[0].replace("-", "_") for name in STEPS}
    commands = {"rollback", "rollout"}
    assert tried - commands == modules - _ASK_NOTHING - _WITHIN_ANOTHER


@pytest.mark.parametrize(("step", "fault"), _WRITES)
def test_a_write_that_fails_leaves_nothing_twice_and_nothing_half(bench: Bench, step: str, fault: str) -> None:
    """A second pull request, a second mail to the owners or a lost page would outlive GitHub's bad minute."""
    asked = bench.undisturbed(STEPS[step]).writes
    assert asked
    if fault == "422":  # that a person is not taken is an answer
        asked = tuple(address for address in asked if not address.endswith(("/requested_reviewers", "/assignees")))
    bench.disturb(STEPS[step], at_each(asked, EACH_WRITE[fault]))


@pytest.mark.parametrize("step", STEPS)
def test_what_is_not_found_for_a_moment_is_not_taken_to_be_absent(bench: Bench, step: str) -> None:
    """GitHub answers 404 where a token lacks a right or a copy of theirs is late; what seems absent would be made
    anew."""
    bench.disturb(STEPS[step], at_each(bench.undisturbed(STEPS[step]).reads, Fault(404)))


@pytest.mark.parametrize("step", STEPS)
def test_reads_are_asked_again_until_they_are_answered(bench: Bench, step: str) -> None:
    """A run asks dozens of times, and GitHub fails now and then: no team should have to look at that."""
    bench.disturb(STEPS[step], at_each_second(bench.undisturbed(STEPS[step]).reads))


@pytest.mark.parametrize("step", _READ_ONLY)
def test_what_only_looks_asks_for_no_write(bench: Bench, step: str) -> None:
    """So that no write is left out above."""
    assert bench.undisturbed(STEPS[step]).writes == ()
