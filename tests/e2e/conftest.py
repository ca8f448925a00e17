"""What tests of whole releases share: one real conversion, since TensorFlow takes seconds to start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from tests.e2e import flights
from tests.e2e.chromium import chromium
from tests.e2e.kills.stages import Built, build
from tests.unit.converters.conftest import flights as flights_of_2013  # noqa: F401  # fixtures, asked for by name
from tests.unit.converters.conftest import shared  # noqa: F401


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which flight-delay@v1.0.0 has its image; parallel test processes share it and write nothing."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    checkout = folder / "released" / "flights"
    with FileLock(folder / "released.lock"):
        if not (checkout.parent / "finished").exists():
            flights.found(checkout.parent)
            flights.release(checkout, flights.variables(checkout))
            (checkout.parent / "finished").touch()
    return checkout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All stages of a small team, run once without a kill; parallel test processes share them."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = Built(folder / "kills")
    with FileLock(folder / "kills.lock"):
        if not (made.folder / "finished").exists():
            build(made.folder)
            (made.folder / "finished").touch()
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
