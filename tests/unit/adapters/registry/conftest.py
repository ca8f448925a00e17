"""A real registry on this machine, and both homes of images under one name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.remote import RemoteRegistry

from tests.unit.adapters.registry import docker_registry
from tests.unit.adapters.registry.releases import HASTY


@pytest.fixture(scope="session")
def registry_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`127.0.0.1:PORT` of a running docker-registry."""
    folder = tmp_path_factory.mktemp("docker-registry")
    with docker_registry.running(folder, storage=folder / "storage") as host:
        yield host


@pytest.fixture
def remote(registry_host: str, request: pytest.FixtureRequest) -> Registry:
    """A prefix of the real registry that no other test uses."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return RemoteRegistry(registry_host, f"{name}/{os.getpid()}", patience=HASTY)


@pytest.fixture
def layout(tmp_path: Path) -> Registry:
    """A folder of OCI image layouts."""
    return LayoutRegistry(tmp_path / "images")


@pytest.fixture(params=["remote", "layout"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """Each home in turn: what is true of one must be true of the other."""
    home: Registry = request.getfixturevalue(request.param)
    return home
