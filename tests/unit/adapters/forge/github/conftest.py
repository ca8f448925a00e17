"""A repository on the stand-in in which work is going on, copied for each test."""

from __future__ import annotations

import copy
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters import git
from slipway.adapters.forge import Deployment
from slipway.adapters.forge.github import GitHubForge, Pace

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.store import Hosted
from tests.unit.adapters.conftest import AT_ONCE, TOKEN, become

_numbers = itertools.count()


@dataclass(frozen=True)
class World:
    """One repository, the forge that speaks to it, and what everybody can see of it."""

    github: GitHub
    hosted: Hosted

    def forge(self, *, pace: Pace = AT_ONCE, token: str | None = TOKEN, checkout: Path | None = None) -> GitHubForge:
        return GitHubForge(self.hosted.name, api=self.github.url, token=token, pace=pace, checkout=checkout)

    def push(self, branch: str, *, message: str = "By hand", tree_of: str = "main") -> str:
        """A person's commit on a branch, with the files of another; returns its id."""
        ada = ("Ada", "ada@example.org")
        tree = self.hosted.line("rev-parse", f"refs/heads/{tree_of}^{{tree}}")
        parents = [str(self.hosted.head(branch))]
        commit = self.hosted.write_commit(tree, parents, message, author=ada, committer=ada)
        self.hosted.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def state(self) -> dict[str, Any]:
        """Branches with their files and the messages of their commits, and all threads; no times and no ids."""
        refs = git.run("for-each-ref", "--format=%(refname) %(tree)", cwd=self.hosted.path).decode().splitlines()
        log = git.run("log", "--all", "--topo-order", "--format=%T %s", cwd=self.hosted.path).decode().splitlines()
        marks = {commit: {mark["context"]: mark["state"] for mark in marks[::-1]} for commit, marks in self._marks()}
        return {
            "refs": refs,
            "log": sorted(log),
            "threads": [_seen(thread) for _, thread in sorted(self.hosted.threads.items())],
            "labels": sorted(self.hosted.labels),
            "statuses": marks,
            "deployments": [_seen_deployment(each) for each in self.hosted.deployments],
            "releases": [(release["tag_name"], release["name"], release["body"]) for release in self.hosted.releases],
        }

    def comparable(self, answer: object) -> str:
        return repr(answer).replace(self.hosted.name, "team/world")

    def _marks(self) -> list[tuple[str, list[dict[str, Any]]]]:
        return list(self.hosted.statuses.items())


def _seen(thread: Any) -> tuple[Any, ...]:
    merged = thread.merge_commit is not None
    said = thread.title, thread.body, thread.labels, thread.state, thread.draft, thread.comments
    return *said, merged, thread.asked, thread.assignees


def _seen_deployment(made: dict[str, Any]) -> tuple[Any, ...]:
    return made["environment"], made["sha"], made["description"], [state["state"] for state in made["states"]]


@dataclass(frozen=True)
class Undisturbed:
    """How a call ends when nothing goes wrong, and the requests that it takes."""

    answer: str
    state: dict[str, Any]
    asked: tuple[str, ...]


@dataclass(frozen=True)
class Bench:
    """`begun` is how each world begins."""

    github: GitHub
    begun: Hosted
    folder: Path
    known: dict[str, Undisturbed] = field(default_factory=dict)

    def world(self) -> World:
        name = f"world-{next(_numbers)}"
        path = self.folder / f"{name}.git"
        shutil.copytree(self.begun.path, path)
        known = ("threads", "labels", "deployments", "releases", "runs")
        hosted = Hosted(path, f"team/{name}", **{each: copy.deepcopy(getattr(self.begun, each)) for each in known})
        return World(self.github, self.github.host(hosted))

    def undisturbed(self, name: str, call: Callable[[GitHubForge], object]) -> Undisturbed:
        if name not in self.known:
            world, before = self.world(), len(self.github.faults.asked)
            answer = world.comparable(call(world.forge()))
            self.known[name] = Undisturbed(answer, world.state(), tuple(self.github.faults.asked[before:]))
        return self.known[name]


@pytest.fixture(scope="session")
def bench(github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Branches `r/1` (pull request 1) and `r/2`, issue 2, two tags, and what was pushed to `main` since.

    v1.0.0 runs and has its notes; a release is queued.
    """
    folder = tmp_path_factory.mktemp("github")
    hosted = github.host(Hosted(_repository(folder), f"team/begun-{next(_numbers)}"))
    forge = World(github, hosted).forge()
    main = forge.head("main")
    for branch in ("r/1", "r/2"):
        forge.commit(branch, onto=None, parent=main, changes={f"deploy/{branch}.yaml": b"tag: v1\n"}, message="Release")
    forge.open_pull(branch="r/1", base="main", title="Release 1", body="Safe.", labels=["slipway"], reviewers=["@ada"])
    forge.open_issue(title="Retrain", body="F1 0.52", labels=["drift", "slipway"])
    forge.record_deployment(Deployment("production", str(main), "m@v1.0.0"))
    forge.publish_release("m@v1.0.0", title="m v1.0.0", body="Safe.")
    hosted.add_run("release.yml", title="release m@v1.1.0")
    forge.commit("main", onto=main, changes={"since.txt": b"merged since\n"}, message="Since")
    forge.commit("ledger", onto=None, changes={"m/v1.0.0/identity.1.json": b"{}"}, message="Record")
    return Bench(github, hosted, folder)


@pytest.fixture
def world(bench: Bench) -> Iterator[World]:
    yield bench.world()
    bench.github.faults.waiting.clear()


def _repository(folder: Path) -> Path:
    bare, clone = folder / "begun.git", folder / "clone"
    git.run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(bare), cwd=folder)
    git.run("clone", "--quiet", str(bare), str(clone), cwd=folder)
    become("Ada", clone)
    git.run("checkout", "--quiet", "-B", "main", cwd=clone)
    (clone / "README.md").write_text("one\ntwo\nthree\n")
    (clone / ".github/workflows").mkdir(parents=True)
    (clone / ".github/workflows/release.yml").write_text(
        "on: {workflow_dispatch: {inputs: {tag: {required: true}}}}\njobs: {}\n"
    )
    git.run("add", "--all", cwd=clone)
    git.run("commit", "--quiet", "--message", "Begin", cwd=clone)
    for tag in ("m@v1.0.0", "m@v1.1.0"):
        git.run("tag", "--annotate", tag, "--message", "First", cwd=clone)
    git.run("push", "--quiet", "--tags", "origin", "main", cwd=clone)
    return bare
