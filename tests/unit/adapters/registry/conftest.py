"""A real registry on this machine, and both homes of images under one name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.remote import RemoteRegistry

from tests.unit.adapters.registry.releases import HASTY

_CONFIGURATION = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}}}
http: {{addr: "127.0.0.1:0"}}
"""


@pytest.fixture(scope="session")
def registry_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`127.0.0.1:PORT` of a running docker-registry; without the program the tests fail, they never skip."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.fail("docker-registry is not installed: apt-get install -y docker-registry")
    folder = tmp_path_factory.mktemp("docker-registry")
    configuration = folder / "configuration.yml"
    configuration.write_text(_CONFIGURATION.format(storage=folder / "storage"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    log = folder / "log"  # a file: a pipe that nobody reads fills up and stops the registry
    with (
        log.open("wb") as errors,
        subprocess.Popen([program, "serve", str(configuration)], stderr=errors, env=environment) as server,
    ):
        try:
            yield _address(server, log)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    while server.poll() is None:
        if match := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return match[1]
        time.sleep(0.02)
    pytest.fail(f"docker-registry did not start: {log.read_text()}")


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
