"""Places to fetch a source from, one of each kind a session, and what fetches from them as a release does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.sources import process
from slipway.adapters.sources.fetched import Fetched
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit

from tests.sources.places import ROOT, Place, every_place
from tests.unit.adapters.registry.conftest import registry_host  # noqa: F401  # a fixture

Fetch = Callable[..., tuple[Fetched, dict[str, bytes]]]
SCHEMES = ("https", "s3", "gs", "az", "hf", "oci")


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, registry_host: str) -> Iterator[dict[str, Place]]:  # noqa: F811
    """All of them; who lets one die makes one of his own."""
    made = every_place(tmp_path_factory.mktemp("places"), registry_host)
    yield made
    for place in made.values():
        with suppress(OSError):
            place.stop()


@pytest.fixture(params=SCHEMES)
def place(request: pytest.FixtureRequest, places: dict[str, Place]) -> Place:
    return places[request.param]


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    """Fetch an address with the given credentials; what it meant, and the files by their names."""

    def run(address: str, environment: dict[str, str], **limit: Any) -> tuple[Fetched, dict[str, bytes]]:
        into = tmp_path / "scratch" / "files"
        into.mkdir(parents=True)
        found = process.fetch(
            SourceAddress.parse(address),
            into=into,
            limit=SourceLimit.model_validate(limit),
            requirements=ROOT / "requirements",
            environment={**os.environ, **environment},
        )
        files = {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}
        return found, files

    return run
