"""One cluster for all of these tests, with a team whose releases run in it; it ends with them, for it is never idle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.cluster import Cluster, cluster, programs
from tests.e2e.cluster.registry import Storage, storage
from tests.e2e.cluster.waiters import Waiters, waiters
from tests.team import Team
from tests.workflows.conftest import _tooled, base

__all__ = ["_tooled", "base"]


@pytest.fixture(scope="package")
def _programs() -> Path:
    return programs()


@pytest.fixture(scope="package")
def _storage(_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with storage(tmp_path_factory.mktemp("images"), pause=_programs / "pause") as made:
        yield made


@pytest.fixture(scope="package")
def kubernetes(_programs: Path, _storage: Storage) -> Iterator[Cluster]:
    with cluster(_programs, _storage) as made:
        yield made


@pytest.fixture(scope="package")
def team(
    kubernetes: Cluster,
    base: str,
    _tooled: Team,
    tmp_path_factory: pytest.TempPathFactory,
) -> Waiters:
    """Whose first version is live; what a test rolls out stays for the next."""
    return waiters(kubernetes, _tooled, base=base, folder=tmp_path_factory.mktemp("cluster"))
