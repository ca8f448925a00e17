"""A team with a repository of its own: generated from the template, with a bare repository as its forge."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter
from slipway.adapters.rollout.process import ProcessRollout
from slipway.adapters.workplace import Workplace
from slipway.cli import slipway
from slipway.errors import SlipwayError

from demo.telling import Teller

ROOT = Path(__file__).resolve().parent.parent
MODEL = "flight-delay"
ENVIRONMENT = "production"


@dataclass(frozen=True, slots=True)
class Team:
    """`repository` is the checkout in which commands run."""

    repository: Path
    teller: Teller

    @classmethod
    def generate(cls, folder: Path, teller: Teller) -> Team:
        """Answer the template's questions, push the result to a bare repository, and stand in it."""
        answers = {"repo_slug": "flights", "github_owner": "flight-team", "code_owners": "@flight-team"}
        teller.command(("cookiecutter", ".", "--no-input", *(f"{name}={value}" for name, value in answers.items())))
        cookiecutter(str(ROOT), no_input=True, extra_context=answers, output_dir=str(folder))
        team = cls(folder / "flights", teller)
        os.chdir(team.repository)
        team.git("init", "--quiet", "--initial-branch", "main")
        team.git("init", "--quiet", "--bare", "--initial-branch", "main", str(folder / "flights.git"))
        team.git("config", "user.name", "A. Developer")
        team.git("config", "user.email", "developer@flights.invalid")
        team.git("remote", "add", "origin", str(folder / "flights.git"))
        team.commit("Start from the template")
        return team

    @property
    def workplace(self) -> Workplace:
        return Workplace.around(self.repository)

    @property
    def forge_folder(self) -> Path:
        """Pull requests and issues, as files to read."""
        return self.repository.with_name("flights.forge")

    @property
    def engine(self) -> ProcessRollout:
        return ProcessRollout(state=self.workplace.state / "rollout", accept_event_time=True)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.repository, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        """Commit all and push, on top of what was merged meanwhile."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        if self.git("ls-remote", "--heads", "origin", "main"):
            self.git("pull", "--quiet", "--rebase", "origin", "main")
        self.git("push", "--quiet", "origin", "HEAD:main")

    def lay_down(self, version: str) -> None:
        """Put the files of one version of the story over those that are there."""
        shutil.copytree(ROOT / "demo" / "versions" / version, self.repository / "models" / MODEL, dirs_exist_ok=True)

    def tag(self, tag: str, message: str) -> None:
        self.teller.command(("git", "tag", "-a", tag, "-m", f'"{message}"', "&&", "git", "push", "origin", tag))
        self.git("tag", "--annotate", tag, "--message", message)
        self.git("push", "--quiet", "origin", tag)

    def slipway(self, *words: str) -> int:
        """Run a command as the actions do, and show it with what it prints; return its exit code."""
        self.teller.command(("slipway", *words))
        return self._run(words)

    def slipway_quietly(self, *words: str) -> int:
        """Run a command whose result is told from its page, since it runs every week."""
        with contextlib.redirect_stdout(io.StringIO()):
            return self._run(("--quiet", *words))

    def _run(self, words: tuple[str, ...]) -> int:
        try:
            return int(slipway.main(args=list(words), standalone_mode=False) or 0)
        except SlipwayError as error:
            self.teller.says(str(error))
            return error.exit_code
