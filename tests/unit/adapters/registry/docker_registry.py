"""A real registry on this machine; without the program the tests fail, they never skip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CONFIGURATION = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}}}
http: {{addr: "127.0.0.1:0"}}
"""


@contextmanager
def running(folder: Path, *, storage: Path) -> Iterator[str]:
    """`127.0.0.1:PORT`, whose images lie in `storage`; `folder` gets its configuration and its log."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.fail("docker-registry is not installed: apt-get install -y docker-registry")
    configuration = folder / "configuration.yml"
    configuration.write_text(_CONFIGURATION.format(storage=storage))
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
