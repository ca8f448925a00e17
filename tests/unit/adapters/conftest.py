"""Forges to test against, each with a bare repository behind it that other people can push to.

Another forge joins all tests by one more entry in `_FORGES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.forge import Forge
from slipway.adapters.forge.local import LocalForge


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


def _local(repository: Path) -> Forge:
    return LocalForge(repository)


_FORGES: Mapping[str, Callable[[Path], Forge]] = {"local": _local}


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


@pytest.fixture(params=_FORGES)
def rig(request: pytest.FixtureRequest, repository: Path) -> Rig:
    open_forge = _FORGES[request.param]
    return Rig(open_forge(repository), repository, repository.with_name("clone"), lambda: open_forge(repository))


@pytest.fixture
def forge(rig: Rig) -> Forge:
    return rig.forge
