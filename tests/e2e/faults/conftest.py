"""One stand-in and one place for worlds for each process of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.faults.disturbing import Bench
from tests.e2e.faults.world import DATE, NAME, Worlds
from tests.github_stand_in.application import GitHub
from tests.github_stand_in.server import served


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On a runner of this team: what slipway reads of the environment is GitHub's there."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as runner, served(GitHub()) as github:
        runner.setenv("GITHUB_REPOSITORY", NAME)
        runner.setenv("GITHUB_WORKSPACE", str(folder / "world" / "waiters"))
        for who in ("AUTHOR", "COMMITTER"):
            runner.setenv(f"GIT_{who}_DATE", DATE)
        yield Bench(Worlds(github, folder))
