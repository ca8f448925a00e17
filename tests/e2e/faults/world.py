"""A team on the stand-in, put back to the moment before a step as often as a test asks for it.

All moments share one folder and one name on GitHub, and commits one date: so two runs that did the same leave the
same ids, and whole states can be compared.
"""

from __future__ import annotations

import copy
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slipway.adapters import git
from slipway.adapters.forge.github import GitHubForge, Pace
from slipway.adapters.forge.github.settings import GitHubSettings
from slipway.adapters.ledger import BRANCH
from slipway.adapters.workplace import Workplace

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.store import Hosted
from tests.team import Team, new_team
from tests.unit.adapters.conftest import AT_ONCE, TOKEN
from tests.unit.adapters.forge.github.conftest import World

NAME = "waiters/tips"
DATE = "2026-03-01T12:00:00Z"
_KNOWN = ("threads", "labels", "statuses", "deployments", "releases", "dispatches", "runs", "switches")


@dataclass(frozen=True, slots=True)
class HostedTeam(Team):
    """A team whose forge is the stand-in."""

    github: GitHub
    hosted: Hosted
    pace: Pace = AT_ONCE

    @property
    def workplace(self) -> Workplace:
        where: dict[str, Any] = {"api": self.github.url, "token": TOKEN, "pace": self.pace}
        return replace(
            Workplace.around(self.root),
            forge=GitHubForge(NAME, checkout=self.root, **where),
            switches=GitHubSettings(NAME, **where),
        )


Deed = Callable[[HostedTeam], object]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A copy of the team's folders, and of what GitHub knew beside them."""

    folder: Path
    known: Mapping[str, Any]


@dataclass(frozen=True)
class Worlds:
    """Worlds that begin at any moment; a moment is named by what was done before it."""

    github: GitHub
    folder: Path
    _moments: dict[tuple[Deed, ...], _Moment] = field(default_factory=dict)

    def after(self, *deeds: Deed) -> HostedTeam:
        """The team as it was after these deeds; the one that was here before is gone."""
        moment = self._moment(deeds)
        shutil.rmtree(self._world, ignore_errors=True)
        shutil.copytree(moment.folder, self._world, symlinks=True)
        return self._hosted(copy.deepcopy(dict(moment.known)))

    def on_a_new_machine(self, team: HostedTeam, *deeds: Deed) -> None:
        """Give the team the checkout and the pages that it had after these deeds; GitHub stays as it is."""
        shutil.rmtree(team.root)
        shutil.copytree(self._moment(deeds).folder / team.root.name, team.root, symlinks=True)

    @property
    def _world(self) -> Path:
        return self.folder / "world"

    def _moment(self, deeds: tuple[Deed, ...]) -> _Moment:
        if deeds not in self._moments:
            team = self._begin() if not deeds else self.after(*deeds[:-1])
            for deed in deeds[-1:]:
                deed(team)
            for repository in (team.bare, team.root):  # one file is copied faster than a thousand
                git.run("repack", "-a", "-d", "--quiet", cwd=repository)
                git.run("pack-refs", "--all", cwd=repository)
            kept = self.folder / f"moment-{len(self._moments)}"
            shutil.copytree(self._world, kept, symlinks=True)
            known = {name: copy.deepcopy(getattr(team.hosted, name)) for name in _KNOWN}
            self._moments[deeds] = _Moment(kept, known)
        return self._moments[deeds]

    def _begin(self) -> HostedTeam:
        shutil.rmtree(self._world, ignore_errors=True)
        new_team(self._world)
        return self._hosted({})

    def _hosted(self, known: dict[str, Any]) -> HostedTeam:
        bare = self._world / "waiters.git"
        hosted = self.github.host(Hosted(bare, NAME, **known))
        return HostedTeam(self._world / "waiters", bare, self.github, hosted)


def state_of(team: HostedTeam) -> dict[str, Any]:
    """All that others can see; of the ledger its pages, without what tells one run from another."""
    hosted = team.hosted
    refs = hosted.git("for-each-ref", "--format=%(refname) %(tree)").decode().splitlines()
    commits = hosted.git("log", f"--exclude=refs/heads/{BRANCH}", "--all", "--format=%T %s").decode().splitlines()
    return {
        **World(team.github, hosted).state(),
        "refs": [ref for ref in refs if not ref.startswith(f"refs/heads/{BRANCH} ")],
        "log": sorted(commits),
        "ledger": _ledger(hosted),
        "started": _started(hosted),
        "rulesets": [json.dumps(one, sort_keys=True) for one in hosted.switches.rulesets],
    }


def _started(hosted: Hosted) -> list[str]:
    """A rollout that is started twice finds nothing to do the second time."""
    started = [f"{one['workflow']} {one['inputs']}" for one in hosted.dispatches]
    return [one for at, one in enumerate(started) if not one.startswith("rollout.yml ") or one not in started[:at]]


def _ledger(hosted: Hosted) -> dict[str, str]:
    if hosted.head(BRANCH) is None:
        return {}
    with tarfile.open(fileobj=io.BytesIO(hosted.git("archive", BRANCH))) as tar:
        contents = {one.name: tar.extractfile(one) for one in tar if one.isfile()}
        return {path: _told(path, content.read()) for path, content in contents.items() if content is not None}


def _told(path: str, content: bytes) -> str:
    if path.endswith(".jsonl"):
        return content.decode()
    return json.dumps({name: value for name, value in json.loads(content).items() if name != "circumstances"})
