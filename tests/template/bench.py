"""The real cookiecutter, cruft and git, in a folder and a home of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "{{cookiecutter.repo_slug}}"
GOOD = {"repo_slug": "team-models", "github_owner": "acme", "code_owners": "@acme/ml-team"}
# Each answer that changes a file is given in two ways; of engines there is one.
MATRIX: dict[str, dict[str, str]] = {
    "the defaults": {},
    "a registry, no example, and names of its own": {
        "repo_slug": "Risk.Models_2",
        "github_owner": "initech",
        "code_owners": "@initech/risk-team @bob",
        "image_registry": "registry.example/risk/models",
        "include_example": "false",
    },
}
GIT_CONFIG = "[user]\nname = Somebody\nemail = somebody@example.org\n[init]\ndefaultBranch = main\n"

Answers = Mapping[str, str]
Tree = dict[str, tuple[int, bytes]]


def tree(folder: Path, *, without: tuple[str, ...] = (".git", ".cruft.json")) -> Tree:
    """Every file below `folder`: its mode and its bytes."""
    paths = [path for path in folder.rglob("*") if path.relative_to(folder).parts[0] not in without]
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mode, path.read_bytes())
        for path in paths
        if path.is_file()
    }


def copy_of_the_template(folder: Path) -> Path:
    """The tracked files of this repository as they are on disk now, as the one commit of a new repository."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listing.split("\0")):
        if os.path.lexists(ROOT / name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    for arguments in (
        ["init", "--quiet", "-b", "main"],
        ["add", "--all", "--force"],
        ["commit", "-q", "-m", "Template"],
    ):
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)
    return folder


def lines_to_paste(told: str) -> list[str]:
    """Those that generation printed."""
    return re.findall(r"^  \d\. (.*)$", told, flags=re.MULTILINE)


@dataclass(frozen=True)
class Bench:
    """A place to generate in, with a home of its own."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    def made_by_cruft(self, template: Path) -> Path:
        """A team's repository, committed."""
        done = self.create(template, into=self.folder / "team")
        assert done.returncode == 0, done.stderr
        repository = self.folder / "team" / GOOD["repo_slug"]
        self.git(repository, "init", "--quiet")
        self.commit(repository, "Generate")
        return repository

    def run(self, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def git(self, repository: Path, *arguments: str) -> str:
        done = self.run("git", "-C", repository, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self, repository: Path, message: str = "Change") -> None:
        self.git(repository, "add", "--all")
        self.git(repository, "commit", "--quiet", "--message", message)

    def cookiecutter(
        self,
        template: Path | str,
        *options: str,
        into: Path,
        answers: Mapping[str, str] = GOOD,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        into.mkdir(parents=True, exist_ok=True)
        pairs = [f"{name}={value}" for name, value in {**GOOD, **answers}.items()]
        arguments = ("--no-input", "--output-dir", into, *options, template, *pairs)
        return self.run(sys.executable, "-m", "cookiecutter", *arguments, cwd=cwd)

    def generated(self, template: Path | str, *options: str, into: Path, answers: Answers = GOOD) -> Path:
        done = self.cookiecutter(template, *options, into=into, answers=answers)
        assert done.returncode == 0, done.stderr
        return into / {**GOOD, **answers}["repo_slug"]

    def create(self, template: Path, *, into: Path, answers: Answers = GOOD) -> subprocess.CompletedProcess[str]:
        """Generate with cruft."""
        given = json.dumps({**GOOD, **answers})
        return self.cruft("create", template, "--no-input", "--output-dir", into, "--extra-context", given)

    def cruft(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "cruft", *arguments, cwd=cwd)


def bench_with_our_caches(folder: Path, *, git_config: str = "", **environment: str) -> Bench:
    """For tests that install what a team installs: in a home of its own, each package would be fetched again."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "PYTEST_", "PYTHONPATH"))}
    (folder / "gitconfig").write_text(GIT_CONFIG + git_config, encoding="utf-8")
    notes = folder / "cookiecutter.yaml"
    notes.write_text(f"replay_dir: {folder / 'replay'}\ncookiecutters_dir: {folder / 'clones'}\n", encoding="utf-8")
    told = {"GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), "COOKIECUTTER_CONFIG": str(notes)}
    return Bench(folder, {**ours, **told, **environment})
