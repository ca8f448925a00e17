"""One name everywhere, and actions that only carry: inputs into variables, one command, outputs out."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from slipway.cli import slipway

from tests.actions.actions import ACTIONS, ROOT, STEPS, Action, handed_over

BIN = Path(sys.executable).parent
# A person asks for these, on a laptop or at night.
ASKED_FOR = {
    "adopt",
    "check",
    "release",
    "watch",
    "merge",
    "status",
    "status-page",  # pages.yml asks for it, too
    "explain",
    "export-watch",
    "rollback",
    "rollout",
    "new-model",
    "tag",
    "train",
    "flow",
    "stop",
    "doctor",
    "replay",
    "replay-incident",  # the same command, of another subject
    "compare-live",  # `status --live`
    "rebase",
}
# These look at files and write no page of a record: a workflow calls them between its actions.
BETWEEN_ACTIONS = {"changed-models", "check-manifests", "find-runtime", "receive-pages", "record-watch", "rejudge"}

# The commands `watch` and `record-watch` do this, so that its secret goes through no action.
WITHIN_A_WATCH = {"send-webhook"}


def _modules() -> set[str]:
    return {
        path.stem.replace("_", "-")
        for path in (ROOT / "scripts" / "slipway" / "steps").glob("*.py")
        if path.stem != "__init__"
    }


def test_every_step_is_a_module_a_command_and_an_action_of_one_name() -> None:
    """Who knows a step's name finds its code, its command and its action without a search."""
    assert set(STEPS) == _modules() - ASKED_FOR - BETWEEN_ACTIONS - WITHIN_A_WATCH
    assert set(STEPS) == set(slipway.commands) - ASKED_FOR - BETWEEN_ACTIONS - WITHIN_A_WATCH


def test_every_step_is_told_in_the_table_of_the_architecture() -> None:
    """A table that lacks a step, or has one that is gone, is worse than none."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("\n## Steps\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE)) == set(STEPS)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_an_action_is_short(action: Action) -> None:
    """What is decided in YAML cannot be run on a laptop, nor tested there."""
    assert len(action.text.splitlines()) < 50


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_nothing_is_pasted_into_a_script(action: Action) -> None:
    """A tag's name is written by whoever may push: pasted into a script, it would be run."""
    assert "${{" not in action.script["run"]
    assert action.script["shell"] == "bash"


@pytest.mark.parametrize("action", STEPS.values(), ids=STEPS)
def test_an_action_sets_up_and_runs_its_own_command_once(action: Action) -> None:
    """Anything else would be a second place that knows what a step is."""
    setup, script = action.steps
    assert setup == {"uses": "./actions/setup"}
    assert script["run"].startswith(f"slipway {action.name}")
    assert script["run"].count("slipway") == 1
    assert len(script["run"].splitlines()) == 1


@pytest.mark.parametrize("action", STEPS.values(), ids=STEPS)
def test_every_input_reaches_the_script_as_a_variable_that_it_uses(action: Action) -> None:
    """An input that goes nowhere is a promise to the caller that nobody keeps."""
    expected = {name.upper(): f"${{{{ inputs.{name} }}}}" for name in action.inputs}
    assert action.script.get("env", {}) == expected
    assert all(f'"${name}"' in action.script["run"] for name in expected)


@pytest.mark.parametrize("action", STEPS.values(), ids=STEPS)
def test_every_input_is_what_the_command_takes(action: Action) -> None:
    """An option that was renamed in the command must not be found out by a release."""
    command = slipway.commands[action.name]
    arguments = {one.name for one in command.params if isinstance(one, click.Argument)}
    options = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
    optional = [name for name in action.inputs if name not in action.required]
    assert set(action.required) == arguments
    assert all(f"--{name}" in options and f"--{name}=" in action.script["run"] for name in optional)


@pytest.mark.parametrize("action", STEPS.values(), ids=STEPS)
def test_every_output_is_handed_over_by_the_command_and_none_is_lost(action: Action) -> None:
    """GitHub gives an empty string for an output that nobody writes, and says nothing."""
    assert set(action.outputs) == handed_over(action.name)
    assert all(source == (action.script.get("id"), name) for name, source in action.outputs.items())


@pytest.mark.parametrize("action", STEPS.values(), ids=STEPS)
def test_what_looks_like_an_option_stays_an_argument(action: Action) -> None:
    """A tag called `--help` would end the step with success, and nothing done."""
    words = shlex.split(action.script["run"])
    if action.required:
        assert words[-2] == "--"


def test_the_actions_satisfy_the_schema_of_github() -> None:
    """GitHub reports a key that it does not know only when the action runs."""
    files = [str(ROOT / "actions" / name / "action.yml") for name in ACTIONS]
    _passes(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", *files)


def test_zizmor_finds_nothing() -> None:
    """It looks for what an attacker looks for: injected text, tokens that are kept, actions that are not pinned."""
    files = [f"actions/{name}/action.yml" for name in ACTIONS]
    _passes(BIN / "zizmor", "--offline", "--quiet", "--persona", "pedantic", *files)


def test_a_workflow_can_call_every_action_and_read_every_output(tmp_path: Path) -> None:
    """actionlint reads local actions: a call without a required input, or of an output that is none, is its finding."""
    (tmp_path / "actions").symlink_to(ROOT / "actions")
    (tmp_path / ".git").mkdir()
    workflow = tmp_path / ".github" / "workflows" / "all.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(_workflow())
    _passes(BIN / "actionlint", str(workflow), cwd=tmp_path)

    workflow.write_text(_workflow().replace("outputs.verdict", "outputs.sentence"))
    done = subprocess.run(
        [BIN / "actionlint", str(workflow)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert '"sentence" is not defined' in done.stdout


def _workflow() -> str:
    steps: list[dict[str, object]] = []
    for name, action in STEPS.items():
        given = {"with": dict.fromkeys(action.inputs, "text")} if action.inputs else {}
        steps.append({"id": name, "uses": f"./actions/{name}", **given})
        read = {f"READ_{index}": f"${{{{ steps.{name}.outputs.{one} }}}}" for index, one in enumerate(action.outputs)}
        steps.append({"run": "env", "env": {"NOTHING": "", **read}})
    job = {"runs-on": "ubuntu-24.04", "steps": steps}
    return yaml.safe_dump({"name": "all", "on": "push", "jobs": {"all": job}}, sort_keys=False)


def _passes(*command: Path | str, cwd: Path = ROOT) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
