"""Forges to test against, each with a bare repository behind it that other people can push to.

Another forge joins all tests by one more entry in `_FORGES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.forge import Forge
from slipway.adapters.forge.github import GitHubForge, Pace
from slipway.adapters.forge.local import LocalForge

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.description import violations
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.team import Team, copy_of
from tests.unit.adapters.teams import live_team

MODEL = "models/flight-delay"


@dataclass(frozen=True)
class Rig:
    """A forge, the repository behind it, and a clone in which somebody else works."""

    forge: Forge
    repository: Path
    clone: Path
    reopen: Callable[[], Forge]

    def push(self, branch: str, files: Mapping[str, str], *, start: str = "origin/main") -> str:
        """Commit as a person and push; returns the commit."""
        git.run("fetch", "--quiet", "origin", cwd=self.clone)
        git.run("checkout", "--quiet", "--force", "-B", branch, start, cwd=self.clone)
        for name, text in files.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(text)
        git.run("add", "--all", cwd=self.clone)
        git.run("commit", "--quiet", "--message", f"Work on {branch}", cwd=self.clone)
        git.run("push", "--quiet", "origin", branch, cwd=self.clone)
        return git.head_commit(self.clone)

    def propose(self, branch: str = "release/a", path: str = "deploy/a.yaml", content: bytes = b"tag: v1\n") -> int:
        """A branch with one commit of ours, and its pull request; returns its number."""
        main = self.forge.head("main")
        self.forge.commit(branch, onto=None, parent=main, changes={path: content}, message=f"Release {path}")
        return self.forge.open_pull(branch=branch, base="main", title=f"Release {path}", body="Safe to merge.").number


TOKEN = "secret-token"
AT_ONCE = Pace(between_writes=0.0, first_wait=0.0)


def host(github: GitHub, repository: Path) -> Hosted:
    """The bare repository as one of GitHub's; the same again where it is one already."""
    name = f"team/{repository.parent.name}"
    return github.hosted.get(name) or github.host(Hosted(repository, name))


def _local(repository: Path, _: GitHub) -> Forge:
    return LocalForge(repository)


def _github(repository: Path, github: GitHub) -> Forge:
    return GitHubForge(host(github, repository).name, api=github.url, token=TOKEN, pace=AT_ONCE)


_FORGES: Mapping[str, Callable[[Path, GitHub], Forge]] = {"local": _local, "github": _github}


def reviewers_of(number: int, rig: Rig, github: GitHub) -> list[str]:
    """Whom a pull request was ever shown to, in order, as the forge keeps it; nothing of Slipway reads it back."""
    if isinstance(rig.forge, LocalForge):
        return [name.lstrip("@") for name in rig.forge.folder.pull(number).fields.reviewers]
    hosted = host(github, rig.repository)
    return [f"team{name}" if name.startswith("/") else name for name in hosted.threads[number].asked]


def become(name: str, folder: Path) -> None:
    """Give a repository an author, whatever the machine's own settings say."""
    for key, value in {
        "user.name": name,
        "user.email": f"{name.lower()}@example.org",
        "commit.gpgSign": "false",
    }.items():
        git.run("config", key, value, cwd=folder)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository with one commit on `main`."""
    bare, clone = tmp_path / "flights.git", tmp_path / "clone"
    git.run("init", "--quiet", "--bare", "--initial-branch=main", str(bare), cwd=tmp_path)
    git.run("clone", "--quiet", str(bare), str(clone), cwd=tmp_path)
    become("Ada", clone)
    git.run("checkout", "--quiet", "-B", "main", cwd=clone)
    (clone / "README.md").write_text("one\ntwo\nthree\n")
    git.run("add", "--all", cwd=clone)
    git.run("commit", "--quiet", "--message", "Begin", cwd=clone)
    git.run("push", "--quiet", "origin", "main", cwd=clone)
    return bare


@pytest.fixture(scope="session")
def github() -> Iterator[GitHub]:
    """A stand-in for GitHub, for the repositories of many tests."""
    with served(GitHub()) as github:
        yield github


@pytest.fixture(params=_FORGES)
def rig(request: pytest.FixtureRequest, repository: Path, github: GitHub) -> Iterator[Rig]:
    """What is said to GitHub meanwhile, and what it answers, is held against GitHub's own description."""
    open_forge = partial(_FORGES[request.param], repository, github)
    said_before = len(github.exchanges)
    yield Rig(open_forge(), repository, repository.with_name("clone"), open_forge)
    assert [problem for said in github.exchanges[said_before:] for problem in violations(said)] == []


@pytest.fixture
def forge(rig: Rig) -> Forge:
    return rig.forge


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return live_team(tmp_path_factory.mktemp("live"))


@pytest.fixture
def team(live: Team, tmp_path: Path) -> Team:
    """One whose v1.0.0 is live."""
    return copy_of(live, tmp_path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with a working tree and one commit of a model."""
    folder = tmp_path / "work"
    git.run("init", "--quiet", "--initial-branch=main", str(folder), cwd=tmp_path)
    become("Ada", folder)
    commit(folder, {f"{MODEL}/model.yaml": b"name: flight-delay\r\n", f"{MODEL}/source/w.bin": bytes(range(256))})
    return folder


def commit(folder: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return commit_all(folder)


def commit_all(folder: Path) -> str:
    git.run("add", "--all", cwd=folder)
    git.run("commit", "--quiet", "--message", "Work", cwd=folder)
    return git.head_commit(folder)
