"""Two copies of a workflow: a second attempt that begins at one job, and one in which a single step does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml


class Earlier(Protocol):
    """An attempt of the same run: what its steps put out, by job and by id, and the folder of its artifacts."""

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]: ...
    @property
    def artifacts(self) -> Path: ...


@dataclass(frozen=True)
class Attempt:
    """A person lets a run go on at the job `at`: GitHub keeps outputs and artifacts of the jobs that it needs.

    `withheld` are names of artifacts that are gone; before the step of the name `cut_before` the runner dies.
    """

    earlier: Earlier
    at: str
    withheld: frozenset[str] = frozenset()
    cut_before: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """One step of a workflow, which does nothing and says that all went well."""

    workflow: str
    job: str
    number: int
    name: str

    def __str__(self) -> str:
        return f"without {self.workflow} {self.job} {self.number} {self.name.split('@')[0]}"

    def assert_reached(self, steps: Mapping[str, Mapping[str, str]]) -> None:
        """What is red for another reason shows nothing about this step; no test takes this for red."""
        of_the_job = [steps[job] for job in steps if job.split()[0] == self.job]  # several, of a matrix
        if not any(one.get(str(self)) == "success" for one in of_the_job):
            raise NotReached(f"the run ended before: {self}")


class NotReached(Exception):
    """The step that was to do nothing was never reached."""


def changed(text: str, *, attempt: Attempt | None, broken: Broken | None) -> str:
    """The workflow's text, as it is where neither is given."""
    if attempt is None and broken is None:
        return text
    loaded: dict[Any, Any] = yaml.safe_load(text)
    file = {"on" if key is True else key: value for key, value in loaded.items()}  # YAML 1.1 reads `on` as true
    if attempt is not None:
        _begin_at(file["jobs"], attempt)
    if broken is not None:
        _break(file["jobs"], broken)
    return yaml.safe_dump(file, sort_keys=False)


def _break(jobs: dict[str, Any], broken: Broken) -> None:
    """Once a job failed the run is red: what would still run after it is left out, for its time alone."""
    steps = jobs[broken.job]["steps"]
    steps[broken.number] = _nothing(steps[broken.number], named=str(broken))
    for name, job in jobs.items():
        if "if" in job and broken.job in needed(jobs, name):
            condition = str(job["if"]).removeprefix("${{").removesuffix("}}").strip()
            job["if"] = f"${{{{ !failure() && ({condition}) }}}}"


def _begin_at(jobs: dict[str, Any], attempt: Attempt) -> None:
    for name in needed(jobs, attempt.at):
        jobs[name]["steps"] = list(_replayed(jobs[name], attempt.earlier.outputs.get(name, {})))
    if attempt.cut_before is not None:
        steps = jobs[attempt.at]["steps"]
        last = [step.get("name") or step.get("uses") for step in steps].index(attempt.cut_before)
        jobs[attempt.at]["steps"] = steps[:last]


def needed(jobs: Mapping[str, Any], job: str) -> set[str]:
    """All jobs that come before one."""
    needs = jobs[job].get("needs", [])
    first = {needs} if isinstance(needs, str) else set(needs)
    return first.union(*(needed(jobs, name) for name in first))


def _replayed(job: Mapping[str, Any], outputs: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """Steps that put out again what those of the same ids did."""
    yield {"name": "As in the first attempt", "run": "true", "shell": "bash"}
    for step in job["steps"]:
        if outputs.get(step.get("id")):
            said = "".join(f"{name}<<end of it\n{value}\nend of it\n" for name, value in outputs[step["id"]].items())
            yield {
                "id": step["id"],
                "shell": "bash",
                "env": {"OUTPUTS": said},
                "run": 'printf %s "$OUTPUTS" >>"$GITHUB_OUTPUT"',
            }


def _nothing(step: Mapping[str, Any], *, named: str) -> dict[str, Any]:
    kept = {key: step[key] for key in ("id", "if") if key in step}
    return {**kept, "name": named, "shell": "bash", "run": "true"}
