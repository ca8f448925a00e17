"""A runner like GitHub's: bash, inputs and outputs in the environment."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.actions.actions import read


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    said: str
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the script of an action as GitHub's runner does: bash -e, inputs and outputs in the environment."""

    workspace: Path
    temporary: Path
    path: str

    def run(self, name: str, **inputs: str) -> Ran:
        outputs = self.temporary / f"output-{len(list(self.temporary.iterdir()))}"
        outputs.touch()
        action = read(name)
        script = self.temporary / f"{name}.sh"
        script.write_text(action.script["run"])
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "PYTHON", "SLIPWAY"))},
            "PATH": f"{self.path}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(outputs),
            "RUNNER_TEMP": str(self.temporary),
            **action.environment(**inputs),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr, _outputs(outputs.read_text(encoding="utf-8")))


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "tag.gpgSign=false"]
    return subprocess.run(
        ["git", *person, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def _outputs(text: str) -> dict[str, str]:
    """Read `name<<END`, lines, `END`, as the runner does."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, end = line.split("<<", maxsplit=1)
        value = []
        for inner in lines:
            if inner == end:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found
