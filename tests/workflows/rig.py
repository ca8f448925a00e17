"""Run a workflow by `act` on this machine: real git, a real registry, and a stand-in for what only GitHub has.

act knows neither `concurrency.queue` nor `environment.deployment`, so it is given a copy of the workflow without
exactly these lines; and it cannot run the actions for checkout, artifacts and App tokens, which are replaced by those
of `stand_ins/`. `attempts.py` makes two other copies: a second attempt that begins at one job, and one broken step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from tests.github_stand_in.store import Hosted
from tests.workflows.attempts import Attempt, Broken, changed, needed

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
TOKEN = "secret-token"  # one that the stand-in knows
LABEL = "ubuntu-24.04"
APP_TOKEN = "app-token"  # what the stand-in of create-github-app-token hands out
REPLACED = (
    "checkout",
    "upload-artifact",
    "download-artifact",
    "create-github-app-token",
    "attest-build-provenance",
    "upload-pages-artifact",
    "deploy-pages",
)
_HERE = Path(__file__).parent
_OURS = ("GITHUB_", "PYTHON", "PYTEST_", "SLIPWAY_", "VIRTUAL_ENV", "COVERAGE_", "GIT_", "ACT", "BASH_ENV")
_NOT_PARSED = re.compile(r"^ +(?:queue: max|deployment: false)\b.*\n", re.MULTILINE)


APP_VARIABLES, APP_SECRETS = {"SLIPWAY_APP_CLIENT_ID": "Iv1.slipway"}, {"SLIPWAY_APP_KEY": "app-key"}


def workflow(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return loaded


def as_act_takes_it(text: str) -> str:
    return _NOT_PARSED.sub("", text)


@dataclass(frozen=True)
class Ran:
    """What act told: the result of each job by its id, and of each step of it by its name, in their order.

    A job of a matrix is called by its id and its values: `fetch tip`. Of steps of one name the worst result is told;
    `succeeded` and `outputs` know a step by its id or, without one, by its number. `environments` holds what each
    script of a job was given.
    """

    said: str
    jobs: dict[str, str]
    steps: dict[str, dict[str, str]]
    succeeded: dict[str, list[str]]
    outputs: dict[str, dict[str, dict[str, str]]] = field(repr=False)
    environments: dict[str, list[dict[str, str]]] = field(repr=False)
    artifacts: Path = field(repr=False)

    def tokens(self, job: str) -> set[str]:
        """Those that scripts of a job were given as GITHUB_TOKEN."""
        return {script["GITHUB_TOKEN"] for script in self.environments.get(job, []) if "GITHUB_TOKEN" in script}

    @property
    def errors(self) -> list[str]:
        """The annotations, as a person sees them on the run's page."""
        return [json.loads(line)["msg"] for line in self.said.splitlines() if '"command":"error"' in line]

    @property
    def summary(self) -> str:
        """The Markdown of the run's page, in the order in which it was written."""
        lines = [line for line in self.said.splitlines() if '"command":"summary"' in line]
        return "\n".join(json.loads(line)["content"] for line in lines)


@dataclass(frozen=True)
class Rig:
    """One repository on the stand-in; `folder` is for what runs leave behind.

    `ready` holds what actions/setup makes, for jobs that need not make it again; `broken` is a step that does nothing.
    `variables` and `secrets` are those of the repository, beside GITHUB_TOKEN.
    """

    hosted: Hosted
    folder: Path
    ready: Path | None = None
    broken: Broken | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def with_app(self) -> Rig:
        """The same repository, for which an App speaks."""
        return replace(self, variables={**self.variables, **APP_VARIABLES}, secrets={**self.secrets, **APP_SECRETS})

    def run(
        self,
        name: str,
        event: str,
        *,
        ref: str = "refs/heads/main",
        payload: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
        attempt: Attempt | None = None,
    ) -> Ran:
        """Run a workflow as an event on `ref` would; it finds artifacts of another run only as a second `attempt`.

        `variables` come beside those of the rig.
        """
        here = self.folder / f"run-{len(list(self.folder.glob('run-*')))}"
        for part in ("notes", "home", "temporary"):
            (here / part).mkdir(parents=True)
        _bring_artifacts(attempt, name, here / "artifacts")
        broken = self.broken if self.broken is not None and self.broken.workflow == name else None
        self._lay_out(here / "repository", name, attempt, broken)
        about = {"repository": {"default_branch": "main", "full_name": self.hosted.name}}
        told = {**({} if event == "schedule" else about), "ref": ref, **(payload or {})}
        (here / "event.json").write_text(json.dumps(told))
        settings = [
            *_words("--var", {**self.variables, **(variables or {})}),
            *_words("--secret", {**self.secrets, "GITHUB_TOKEN": TOKEN}),
        ]
        done = subprocess.run(
            [*self._command(name, event, here), *settings, *self._replacements()],
            cwd=here / "repository",
            env=self._environment(here, ref),
            capture_output=True,
            text=True,
            check=False,
        )
        (here / "log").write_text(done.stdout + done.stderr)
        ran = _read(done.stdout + done.stderr, here)
        if broken is not None:
            broken.assert_reached(ran.steps)
        return ran

    def dispatched(self, name: str = "release.yml") -> list[dict[str, str]]:
        """The inputs of what was started, in the order in which it was."""
        assert all(each["ref"] == "main" for each in self.hosted.dispatches)
        return [each["inputs"] for each in self.hosted.dispatches if each["workflow"] == name]

    def _lay_out(self, repository: Path, name: str, attempt: Attempt | None, broken: Broken | None) -> None:
        file = repository / ".github" / "workflows" / name
        file.parent.mkdir(parents=True)
        text = as_act_takes_it((WORKFLOWS / name).read_text(encoding="utf-8"))
        file.write_text(changed(text, attempt=attempt, broken=broken), encoding="utf-8")
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
            *("--platform", f"{LABEL}=-self-hosted", "--actor", "ada", "--concurrent-jobs", "1"),
            *("--action-cache-path", str(here / "jobs")),
            *(word for key, value in settings.items() for word in ("--env", f"{key}={value}")),
        ]

    def _replacements(self) -> list[str]:
        """One a commit that a workflow pins; one that is not mapped makes act ask GitHub, and fail."""
        files = (*WORKFLOWS.glob("*.yml"), *(ROOT / "actions").glob("*/action.yml"))
        pinned = {use for file in files for use in re.findall(r"\buses: (\S+@\S+)", file.read_text())}
        names = {f"actions/{name}": name for name in REPLACED} | {"sigstore/cosign-installer": "cosign-installer"}
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
            "PATH": _without_slipway(kept["PATH"]),
            "SLIPWAY_CACHE": os.environ.get("SLIPWAY_CACHE") or str(platformdirs.user_cache_path("slipway")),
            "HOME": str(here / "home"),
            "TMPDIR": str(here / "temporary"),
            "RIG_ORIGIN": str(self.hosted.path),
            "RIG_REF": ref,
            "RIG_ARTIFACTS": str(here / "artifacts"),
            "RIG_NOTES": str(here / "notes"),
            "RIG_STAND_INS": str(_HERE / "stand_ins"),
            "RIG_PYTHON": sys.executable,
            "RIG_READY": str(self.ready or ""),
        }


def _without_slipway(path: str) -> str:
    """A runner has no command of ours before actions/setup made it."""
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if not (Path(folder) / "slipway").exists())


def expected_steps(job: Mapping[str, Any]) -> list[str]:
    """What act calls the steps of a job: by their name, or else by what they use."""
    return [step.get("name") or step.get("uses") or step["run"] for step in job["steps"]]


def assert_whole(ran: Ran, name: str, *, but: Mapping[str, Collection[str]] | None = None) -> None:
    """Each job and each step that stands in the workflow's file ran and succeeded, `but` those of some names.

    act's exit code says little: it skips a job whose runner it does not know, and says nothing.
    A name ends before the commit that an action is pinned to; of a job without any other step nothing ran. Where a job
    asks for the App's token, that one is used.
    """
    jobs = workflow(name)["jobs"]
    names = {job: {title.split("@")[0] for title in expected_steps(about)} for job, about in jobs.items()}
    assert {job.split()[0] for job in ran.jobs} == {
        job for job in jobs if names[job] - set((but or {}).get(job, ()))
    }, ran.said
    for job, result in ran.jobs.items():
        assert result == "success", ran.said
        about = jobs[job.split()[0]]
        known = enumerate(zip(about["steps"], expected_steps(about), strict=True))
        wanted = {step.get("id") or str(number): title for number, (step, title) in known}
        skipped = {key for key, title in wanted.items() if title.split("@")[0] in (but or {}).get(job.split()[0], ())}
        assert ran.succeeded[job] == [key for key in wanted if key not in skipped], (job, wanted)
        if "app" in wanted.keys() - skipped:
            assert ran.tokens(job.split()[0]) == {APP_TOKEN}


def _words(option: str, given: Mapping[str, str]) -> Iterator[str]:
    for name, value in given.items():
        yield from (option, f"{name}={value}")


def _bring_artifacts(attempt: Attempt | None, name: str, folder: Path) -> None:
    """An attempt finds what the jobs before it uploaded, but for what is withheld."""
    folder.mkdir()
    if attempt is None:
        return
    for job in needed(workflow(name)["jobs"], attempt.at):
        for uploaded in (attempt.earlier.artifacts / ".by-job" / job).glob("*"):
            if uploaded.name not in attempt.withheld:
                shutil.copytree(attempt.earlier.artifacts / uploaded.name, folder / uploaded.name)


def _read(said: str, here: Path) -> Ran:
    ran = Ran(said, {}, {}, {}, {}, {}, here / "artifacts")
    for line in said.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        job = " ".join([told.get("jobID", ""), *map(str, told.get("matrix", {}).values())])
        if "jobResult" in told:
            ran.jobs[job] = told["jobResult"]
        elif told.get("stage") == "Main" and len(told["stepID"]) == 1:
            _read_step(ran, told, job, told["stepID"][0])
    ran.environments.update({note.name: _environments(note.read_bytes()) for note in (here / "notes").iterdir()})
    return ran


def _read_step(ran: Ran, told: Mapping[str, Any], job: str, key: str) -> None:
    if told.get("command") == "set-output":
        ran.outputs.setdefault(job, {}).setdefault(key, {})[told["name"]] = told["arg"]
    if "stepResult" in told:
        steps = ran.steps.setdefault(job, {})
        if steps.get(told["step"]) != "failure":
            steps[told["step"]] = told["stepResult"]
        if told["stepResult"] == "success":
            ran.succeeded.setdefault(job, []).append(key)


def _environments(note: bytes) -> list[dict[str, str]]:
    """One a script: each begins anew where a name comes again."""
    found: list[dict[str, str]] = [{}]
    for entry in note.decode().split("\0")[:-1]:
        name, _, value = entry.partition("=")
        if name in found[-1]:
            found.append({})
        found[-1][name] = value
    return found
