"""Everything that a command works with, opened from the folder it was started in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from slipway.adapters import git
from slipway.adapters.forge import Forge
from slipway.adapters.forge.address import api_of, opener_of, repository_of, token_of, web_of
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.forge.settings import ForgeSettings
from slipway.adapters.history import History
from slipway.adapters.ledger import Ledger
from slipway.adapters.records import Record
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.repository import Repository
from slipway.domain.settings import Settings
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile

if TYPE_CHECKING:
    from slipway.adapters.served_log import ServedLog


@dataclass(frozen=True, slots=True)
class Workplace:
    repository: Repository
    settings: Settings
    forge: Forge
    registry: Registry
    state: Path
    switches: ForgeSettings | None = None  # what the forge itself is set to, where it has settings
    only_reads: bool = False  # a dry run: what other programs would write is told, too

    @classmethod
    def around(cls, folder: Path) -> Self:
        repository = Repository.around(folder)
        settings = repository.settings()
        return cls(
            repository=repository,
            settings=settings,
            forge=forge_of(repository.root),
            registry=open_registry(_absolute(settings.image_registry, repository.root)),
            state=repository.state,
            switches=settings_of(repository.root),
        )

    @property
    def opened_by(self) -> str:
        """Who opens pull requests from here, as their readers are told."""
        return opener_of(self._on_github, os.environ)

    @property
    def web(self) -> str | None:
        """Where people read the repository in a browser; None where it is on this machine alone."""
        return web_of(self._on_github, os.environ)

    @property
    def _on_github(self) -> str | None:
        root = self.repository.root
        return repository_of(root, git.remote_url(root), os.environ)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.forge)

    @property
    def history(self) -> History:
        return History(self.ledger)

    def release(self, tag: ReleaseTag) -> Record:
        return Record(self.state / "releases" / tag.model / tag.image_tag, subject=str(tag))

    def check(self, model: str) -> Record:
        return Record(self.state / "checks" / model, subject=f"{model} in the working tree")

    def window(self, model: str, environment: str, day: str) -> Record:
        folder = self.state / "windows" / environment / model / day
        return Record(folder, subject=f"{model} in {environment}, window to {day}")

    def incident(self, model: str, environment: str, incident: str) -> Record:
        """Of a rollout that failed."""
        folder = self.state / "incidents" / environment / model / incident
        return Record(folder, subject=f"{model}/{environment}/{incident}")

    def served_log(self, model: str, environment: str) -> ServedLog:
        from slipway.adapters import log_sources  # noqa: PLC0415 - seconds, which most commands do not need
        from slipway.adapters.served_log import ServedLog  # noqa: PLC0415

        open_one = partial(log_sources.opened, environment=environment, model=model, root=self.repository.root)
        return ServedLog(
            open_one(self.settings.served_log, variable="SLIPWAY_SERVED_LOG_SECRET"),
            open_one(self.settings.labels, variable="SLIPWAY_LABELS_SECRET"),
        )

    @property
    def layers(self) -> Path:
        """Where the models of images lie once they were pulled, a folder a digest."""
        return self.state / "layers"


def settings_of(root: Path) -> ForgeSettings | None:
    """The settings of the repository on GitHub; a forge that is a folder has none."""
    repository = repository_of(root, git.remote_url(root), os.environ)
    if repository is None:
        return None
    from slipway.adapters.forge.github.settings import GitHubSettings  # noqa: PLC0415 - as below

    return GitHubSettings(repository, api=api_of(os.environ), token=token_of(os.environ))


def forge_of(root: Path) -> Forge:
    """GitHub, or the forge behind the remote `origin`: a bare repository on this machine."""
    url = git.remote_url(root)
    repository = repository_of(root, url, os.environ)
    if repository is not None:
        from slipway.adapters.forge.github import GitHubForge  # noqa: PLC0415 - 0.2 s that a laptop can save

        return GitHubForge(repository, api=api_of(os.environ), token=token_of(os.environ), checkout=root)
    if url is None:
        raise BadFile(
            f"{root} has no remote `origin`: pull requests, issues and the ledger live there",
            mend="git remote add origin PATH, for example that of a bare repository: git init --bare ../team.git",
        )
    path = Path(url.removeprefix("file://"))
    if not path.is_absolute():
        path = root / path
    if not path.is_dir():
        raise BadFile(
            f"the remote `origin` is `{url}`, which is neither on GitHub nor a repository on this machine",
            mend="git remote set-url origin URL: one of github.com, or the path of a bare repository",
        )
    return LocalForge(path)


def _absolute(reference: str, root: Path) -> str:
    """A layout folder is meant from the repository's root, wherever the command was started."""
    kind, _, folder = reference.partition(":")
    return f"layout:{root / folder}" if kind == "layout" else reference
