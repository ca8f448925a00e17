"""Run a workflow by `act` on this machine: real git, a real registry, and a stand-in for what only GitHub has.

act knows neither `concurrency.queue` nor `environment.deployment`, so it is given a copy of the workflow without
exactly these lines; and it cannot run the actions for checkout, artifacts and App tokens, which are replaced by those
of `stand_ins/`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from tests.github_stand_in.store import Hosted

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
TOKEN = "secret-token"  # one that the stand-in knows
LABEL = "ubuntu-24.04"
APP_TOKEN = "app-token"  # what the stand-in of create-github-app-token hands out
REPLACED = ("checkout", "upload-artifact", "download-artifact", "create-github-app-token")
_HERE = Path(__file__).parent
_OURS = ("GITHUB_", "PYTHON", "PYTEST_", "SLIPWAY_", "VIRTUAL_ENV", "COVERAGE_", "GIT_", "ACT", "BASH_ENV")
_NOT_PARSED = re.compile(r"^ +(?:queue: max|deployment: false)\b.*\n", re.MULTILINE)


def workflow(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return loaded


def as_act_takes_it(text: str) -> str:
    return _NOT_PARSED.sub("", text)


@dataclass(frozen=True)
class Ran:
    """What act told: the result of each job by its id, and of each step of it by its name, in their order."""

    said: str
    jobs: dict[str, str]
    steps: dict[str, dict[str, str]]
    environments: dict[str, list[dict[str, str]]] = field(repr=False)

    @property
    def errors(self) -> list[str]:
        """The annotations, as a person sees them on the run's page."""
        return [json.loads(line)["msg"] for line in self.said.splitlines() if '"command":"error"' in line]


@dataclass(frozen=True)
class Rig:
    """One repository on the stand-in; `folder` is for what runs leave behind."""

    hosted: Hosted
    folder: Path

    def run(
        self, name: str, event: str, *, ref: str = "refs/heads/main", payload: Mapping[str, Any] | None = None
    ) -> Ran:
        """Run a workflow as an event on `ref` would; a second run finds no artifacts of the first."""
        here = self.folder / f"run-{len(list(self.folder.glob('run-*')))}"
        for part in ("artifacts", "notes", "home", "temporary"):
            (here / part).mkdir(parents=True)
        self._lay_out(here / "repository", name)
        about = {"repository": {"default_branch": "main", "full_name": self.hosted.name}}
        told = {**({} if event == "schedule" else about), "ref": ref, **(payload or {})}
        (here / "event.json").write_text(json.dumps(told))
        done = subprocess.run(
            [*self._command(name, event, here), *self._replacements()],
            cwd=here / "repository",
            env=self._environment(here, ref),
            capture_output=True,
            text=True,
            check=False,
        )
        (here / "log").write_text(done.stdout + done.stderr)
        return _read(done.stdout + done.stderr, here / "notes")

    def dispatched(self, name: str = "release.yml") -> list[dict[str, str]]:
        """The inputs of what was started, in the order in which it was."""
        assert all(each["ref"] == "main" for each in self.hosted.dispatches)
        return [each["inputs"] for each in self.hosted.dispatches if each["workflow"] == name]

    def _lay_out(self, repository: Path, name: str) -> None:
        file = repository / ".github" / "workflows" / name
        file.parent.mkdir(parents=True)
        file.write_text(as_act_takes_it((WORKFLOWS / name).read_text(encoding="utf-8")), encoding="utf-8")
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "--all"),
            ("commit", "--quiet", "-m", "Run"),
        ):
            who = ("-c", "user.name=Rig", "-c", "user.email=rig@example.org", "-c", "commit.gpgSign=false")
            subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)

    def _command(self, name: str, event: str, here: Path) -> list[str]:
        settings = {
            "GITHUB_API_URL": self.hosted.url,
            "GITHUB_REPOSITORY": self.hosted.name,
            "BASH_ENV": str(_HERE / "each_script.sh"),
        }
        return [
            *(str(Path(sys.executable).parent / "act"), event, "--json", "--no-cache-server", "--no-skip-checkout"),
            *("--workflows", f".github/workflows/{name}", "--eventpath", str(here / "event.json")),
            *(
                "--platform",
                f"{LABEL}=-self-hosted",
                "--actor",
                "ada",
                "--secret",
                f"GITHUB_TOKEN={TOKEN}",
                "--concurrent-jobs",
                "1",
            ),
            *("--action-cache-path", str(here / "jobs")),
            *(word for key, value in settings.items() for word in ("--env", f"{key}={value}")),
        ]

    def _replacements(self) -> list[str]:
        """One a commit that a workflow pins; one that is not mapped makes act ask GitHub, and fail."""
        pinned = {use for file in WORKFLOWS.glob("*.yml") for use in re.findall(r"\buses: (\S+@\S+)", file.read_text())}
        names = {f"actions/{name}": name for name in REPLACED}
        words = (f"{use}={_HERE / 'stand_ins' / names[use.split('@')[0]]}" for use in sorted(pinned))
        return [word for replacement in words for word in ("--local-repository", replacement)]

    def _environment(self, here: Path, ref: str) -> dict[str, str]:
        """Caches of packages and of the framework's environment are shared; all else is the run's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        caches = Path.home() / ".cache"
        return {
            "UV_CACHE_DIR": str(caches / "uv"),
            "PIP_CACHE_DIR": str(caches / "pip"),
            **kept,
            "SLIPWAY_CACHE": os.environ.get("SLIPWAY_CACHE") or str(platformdirs.user_cache_path("slipway")),
            "HOME": str(here / "home"),
            "TMPDIR": str(here / "temporary"),
            "RIG_ORIGIN": str(self.hosted.path),
            "RIG_REF": ref,
            "RIG_ARTIFACTS": str(here / "artifacts"),
            "RIG_NOTES": str(here / "notes"),
            "RIG_STAND_INS": str(_HERE / "stand_ins"),
            "RIG_PYTHON": sys.executable,
        }


def expected_steps(job: Mapping[str, Any]) -> list[str]:
    """What act calls the steps of a job: by their name, or else by what they use."""
    return [step.get("name") or step.get("uses") or step["run"] for step in job["steps"]]


def _read(said: str, notes: Path) -> Ran:
    jobs: dict[str, str] = {}
    steps: dict[str, dict[str, str]] = {}
    for line in said.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if "jobResult" in told:
            jobs[told["jobID"]] = told["jobResult"]
        elif "stepResult" in told and told.get("stage") == "Main" and len(told["stepID"]) == 1:
            steps.setdefault(told["jobID"], {})[told["step"]] = told["stepResult"]
    environments = {note.name: _environments(note.read_bytes()) for note in notes.iterdir()}
    return Ran(said, jobs, steps, environments)


def _environments(note: bytes) -> list[dict[str, str]]:
    """One a script: each begins anew where a name comes again."""
    found: list[dict[str, str]] = [{}]
    for entry in note.decode().split("\0")[:-1]:
        name, _, value = entry.partition("=")
        if name in found[-1]:
            found.append({})
        found[-1][name] = value
    return found
