"""A team on the stand-in: its repository, a registry, and what it has released before."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.description import violations
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.team import Team, copy_of, new_team
from tests.unit.adapters.registry.conftest import registry_host
from tests.workflows.attempts import Broken
from tests.workflows.breaking import pytest_configure, pytest_generate_tests, pytest_pyfunc_call
from tests.workflows.engine import base_image
from tests.workflows.rig import ROOT, Rig

__all__ = ["pytest_configure", "pytest_generate_tests", "pytest_pyfunc_call", "registry_host"]
_TOOLING = ("actions", "scripts", "requirements", ".github")


@dataclass(frozen=True)
class Hosting:
    """A team, and what its workflows do on the stand-in."""

    team: Team
    rig: Rig
    registry: str

    @property
    def hosted(self) -> Hosted:
        return self.rig.hosted

    def file(self, branch: str, path: str) -> str:
        return self.hosted.git("show", f"{branch}:{path}").decode()

    def ledger(self, folder: str) -> list[str]:
        """The names of the pages in a folder."""
        names = self.hosted.git("ls-tree", "--name-only", "-r", f"ledger:{folder}").decode()
        return names.splitlines()


@pytest.fixture(scope="session")
def _tooled(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A team whose repository holds the tooling of this one."""
    team = new_team(tmp_path_factory.mktemp("tooled"))
    for name in _TOOLING:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, team.root / name, dirs_exist_ok=True, ignore=ignored)
    team.commit("Bring the tooling")
    return team


@pytest.fixture(scope="session")
def _github() -> Iterator[GitHub]:
    with served(GitHub()) as github:
        yield github


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What actions/setup makes in a job, made once by its own script."""
    folder = tmp_path_factory.mktemp("ready")
    where = {"RUNNER_TEMP": str(folder), "GITHUB_PATH": str(folder / "path")}
    subprocess.run(["bash", "actions/setup/install.sh"], cwd=ROOT, env={**os.environ, **where}, check=True)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What runtime images are built on, once for all tests: what the engine built on it, it need not build again."""
    with base_image(tmp_path_factory.mktemp("base")) as name:
        yield name


@pytest.fixture
def broken() -> Broken | None:
    """The step that does nothing; all do what they are for, but where a test is marked `needs_each_step`."""
    return None


def put_on(
    github: GitHub,
    team: Team,
    registry_host: str,
    folder: Path,
    *,
    ready: Path | None = None,
    broken: Broken | None = None,
) -> Hosting:
    """Puts a copy of the team on the stand-in, which knows it by the folder's name."""
    copied = copy_of(team, folder / "team")
    name = f"waiters/{folder.name.replace('_', '-').lower()}"
    registry = f"{registry_host}/{name}"
    copied.edit("slipway.yaml", "image_registry: layout:.slipway/registry", f"image_registry: {registry}")
    places = f"served_log: {folder / 'served'}\nlabels: {folder / 'labels'}\n"
    copied.write("slipway.yaml", (copied.root / "slipway.yaml").read_text() + places)
    copied.commit("Say where images go")
    rig = Rig(github.host(Hosted(copied.bare, name)), folder / "runs", ready=ready, broken=broken)
    return Hosting(copied, rig, registry)


def put_on_again(github: GitHub, hosting: Hosting, folder: Path, *, broken: Broken | None = None) -> Hosting:
    """A copy of what a team has released, to change at will; its images are in the registry of the first."""
    copied = copy_of(hosting.team, folder / "team")
    name = f"waiters/{folder.name.replace('_', '-').lower()}"
    rig = Rig(github.host(Hosted(copied.bare, name)), folder / "runs", ready=hosting.rig.ready, broken=broken)
    return Hosting(copied, rig, hosting.registry)


@contextmanager
def as_github_describes(github: GitHub) -> Iterator[None]:
    """All that is said meanwhile is held against GitHub's description."""
    said_before = len(github.exchanges)
    yield
    assert [problem for said in github.exchanges[said_before:] for problem in violations(said)] == []


@pytest.fixture
def host(
    _github: GitHub, registry_host: str, ready: Path, broken: Broken | None, tmp_path: Path
) -> Iterator[Callable[[Team], Hosting]]:
    """Puts a team on the stand-in; all that is said is held against GitHub's description."""
    with as_github_describes(_github):
        yield lambda team: put_on(_github, team, registry_host, tmp_path, ready=ready, broken=broken)


@pytest.fixture
def hosting(host: Callable[[Team], Hosting], _tooled: Team) -> Hosting:
    return host(_tooled)


@pytest.fixture
def rolling(hosting: Hosting) -> Iterator[Hosting]:
    """A server outlives its job, and the folder of a job that ended well is gone: ours is known by its arguments."""
    yield hosting
    for pid in servers(hosting):
        os.kill(pid, signal.SIGKILL)


def servers(hosting: Hosting) -> list[int]:
    served = f"--served-log {hosting.rig.folder.parent / 'served'}"
    processes = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], check=True, capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in processes.splitlines() if served in line]
