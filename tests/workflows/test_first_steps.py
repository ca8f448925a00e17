"""The five lines that the generation of a repository for GitHub prints, pasted with all that their pushes start.

What stands for GitHub is the stand-in, under the address of the first line; what a person does on its pages is done to
its settings. Workflows are run by act, the runtime image is built by a real engine.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters import git

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.description import violations
from tests.github_stand_in.store import Hosted
from tests.template.bench import GOOD, Bench, bench_with_our_caches, copy_of_the_template, lines_to_paste
from tests.workflows.filters import starts
from tests.workflows.rig import TOKEN, WORKFLOWS, Ran, Rig, workflow

pytestmark = pytest.mark.xdist_group("docker")

SLUG, TAG = GOOD["repo_slug"], "flight-delay@v1.0.0"
HOSTED = f"{GOOD['github_owner']}/{SLUG}"
OFF = {"pages.yml"}  # until the variable SLIPWAY_PAGES is on


@dataclass(frozen=True)
class Person:
    """Somebody at a terminal, in the folder that generation wrote the repository into."""

    bench: Bench
    rig: Rig
    lines: list[str]

    @property
    def repository(self) -> Path:
        return self.bench.folder / SLUG

    def paste(self, number: int, *, exit_code: int = 0) -> str:
        """What a line printed; the first one enters the repository."""
        done = self.bench.run("bash", "-c", self.lines[number - 1], cwd=None if number == 1 else self.repository)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def person(_github: GitHub, registry_host: str, ready: Path, base: str, tmp_path: Path) -> Person:
    bare = tmp_path / "on-github.git"
    git.run("init", "--quiet", "--bare", "--initial-branch=main", str(bare), cwd=tmp_path)
    rig = Rig(_github.host(Hosted(bare, HOSTED)), tmp_path / "runs", ready, variables={"SLIPWAY_BASE_IMAGE": base})
    bench = bench_with_our_caches(
        tmp_path,
        # git finds the stand-in's repository under the address; Slipway is told its name, and where the API is
        git_config=f'[url "{bare}"]\ninsteadOf = https://github.com/{HOSTED}.git\n',
        GITHUB_API_URL=rig.hosted.url,
        GITHUB_REPOSITORY=HOSTED,
        GITHUB_TOKEN=TOKEN,
    )
    template, answers = copy_of_the_template(tmp_path / "slipway"), {"image_registry": f"{registry_host}/acme"}
    told = bench.cookiecutter(template, into=tmp_path, answers=answers).stdout
    assert f"Make the empty repository {HOSTED} on GitHub." in told
    return Person(bench, rig, lines_to_paste(told))


def test_five_pasted_lines_end_in_an_open_pull_request(person: Person, _github: GitHub) -> None:
    """A team lead pastes them on the first day; whatever does not lead on is where they stop."""
    hosted, said_before = person.rig.hosted, len(_github.exchanges)

    person.paste(1)
    pushed = hosted.head("main")
    assert re.search("to mend +pull requests by Actions", person.paste(2, exit_code=2))
    hosted.switches.actions_open_pulls = True  # as the mend says
    assert _run_what_starts(person.rig, before=None) == [
        "check-manifests.yml",
        "pages.yml",
        "rollout.yml",
        "runtime-image.yml",
    ]
    person.paste(3)
    assert _run_what_starts(person.rig, before=pushed) == ["check-manifests.yml"]
    person.paste(4)
    person.paste(5)
    _hand_over_and_release(person.rig)

    runtime, proposed = hosted.threads.values()
    assert (runtime.branch.split("/")[0], runtime.merge_commit) == ("runtime", hosted.head("main"))
    assert (proposed.branch, proposed.state) == ("release/production/flight-delay/v1.0.0", "open")
    assert f"@{_runtime_of_the_release(hosted)}" in hosted.line("show", "main:slipway.yaml")
    assert [problem for said in _github.exchanges[said_before:] for problem in violations(said)] == []


def _run_what_starts(rig: Rig, *, before: str | None) -> list[str]:
    """The workflows that GitHub starts for a push to the default branch, run one after the other."""
    change = ("diff", "--name-only", before, "main") if before else ("ls-tree", "-r", "--name-only", "main")
    changed = rig.hosted.line(*change).splitlines()
    started = [name for name in sorted(path.name for path in WORKFLOWS.glob("*.yml")) if _starts(name, changed)]
    for name in started:
        ran = rig.run(name, "push")
        if name in OFF:
            assert not ran.jobs
        else:
            _succeeds(ran)
    return started


def _starts(name: str, changed: list[str]) -> bool:
    """act applies no filter."""
    push: dict[str, Any] = workflow(name)[True].get("push", {})  # YAML takes `on` for true
    of_the_branch = "main" in push.get("branches", ())
    return of_the_branch and any(starts(push.get("paths", ["**"]), path) for path in changed)


def _hand_over_and_release(rig: Rig) -> None:
    _succeeds(rig.run("on-tag.yml", "push", ref=f"refs/tags/{TAG}"))
    (inputs,) = rig.dispatched()
    _succeeds(rig.run("release.yml", "workflow_dispatch", payload={"inputs": inputs}))


def _succeeds(ran: Ran) -> None:
    assert ran.jobs and {*ran.jobs.values()} == {"success"}, ran.said


def _runtime_of_the_release(hosted: Hosted) -> str:
    page = json.loads(hosted.git("show", f"ledger:{TAG.replace('@', '/')}/image.1.json"))
    return str(page["body"]["runtime_digest"])
