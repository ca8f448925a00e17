"""The composite actions of this repository, read once and typed."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_OUTPUT = re.compile(r"steps\.([a-z-]+)\.outputs\.([a-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Action:
    """`actions/<name>/action.yml`."""

    name: str
    text: str
    content: dict[str, Any]

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        return dict(self.content.get("inputs", {}))

    @property
    def required(self) -> list[str]:
        return [name for name, one in self.inputs.items() if one.get("required")]

    @property
    def outputs(self) -> dict[str, tuple[str, str]]:
        """Name → the step and the step's output that it is taken from."""
        found = {}
        for name, one in self.content.get("outputs", {}).items():
            match = _OUTPUT.fullmatch(self.expressions(one["value"])[0])
            assert match is not None, f"{self.name}: the output `{name}` is no plain output of a step"
            found[name] = (match[1], match[2])
        return found

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.content["runs"]["steps"])

    @property
    def script(self) -> dict[str, Any]:
        """The one step that runs something."""
        (found,) = [step for step in self.steps if "run" in step]
        return found

    @staticmethod
    def expressions(text: str) -> list[str]:
        """What stands between `${{` and `}}`."""
        return _EXPRESSION.findall(text)

    def environment(self, **inputs: str) -> dict[str, str]:
        """What the runner would put into the script's environment for these inputs; one not given is empty."""
        unknown = set(inputs) - set(self.inputs)
        assert not unknown, f"{self.name} has no input {unknown}"
        assert set(self.required) <= set(inputs), f"{self.name} asks for {self.required}"
        given = {f"inputs.{name}": inputs.get(name, "") for name in self.inputs}
        env: dict[str, str] = self.script.get("env", {})
        return {name: _EXPRESSION.sub(lambda match: given[match[1]], value) for name, value in env.items()}


def read(name: str) -> Action:
    text = (ROOT / "actions" / name / "action.yml").read_text(encoding="utf-8")
    return Action(name, text, yaml.safe_load(text))


ACTIONS = {path.parent.name: read(path.parent.name) for path in sorted(ROOT.glob("actions/*/action.yml"))}
STEPS = {name: action for name, action in ACTIONS.items() if name != "setup"}


def handed_over(command: str) -> set[str]:
    """The outputs that a command writes: the keys of each `hand_over` that it reaches in its module and in printing."""
    from slipway.cli import printing, slipway

    callback = slipway.commands[command].callback
    assert callback is not None
    modules = [ast.parse(Path(file).read_text("utf-8")) for file in (printing.__file__, callback.__code__.co_filename)]
    functions = {one.name: one for module in modules for one in module.body if isinstance(one, ast.FunctionDef)}
    reached, waiting, keys = set[str](), [callback.__name__], set[str]()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        for call in (node for node in ast.walk(functions[name]) if isinstance(node, ast.Call)):
            called = call.func.id if isinstance(call.func, ast.Name) else ""
            if called == "hand_over" and isinstance(call.args[0], ast.Dict):
                keys |= {str(key.value) for key in call.args[0].keys if isinstance(key, ast.Constant)}
            elif called in functions and called not in reached:
                waiting.append(called)
    return keys
