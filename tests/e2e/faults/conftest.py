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
    """What a step does when nothing goes wrong is found out once."""
    with served(GitHub()) as github:
        yield Bench(Worlds(github, tmp_path_factory.mktemp("faults")))


@pytest.fixture(autouse=True)
def on_a_runner_of_the_team(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What slipway and git read of the environment is GitHub's there: only in these tests, others ask for today."""
    monkeypatch.setenv("GITHUB_REPOSITORY", NAME)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(bench.worlds.folder / "world" / "waiters"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_DATE", DATE)
