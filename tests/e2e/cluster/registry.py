"""One store of images behind one name in two networks: here, where releases are pushed, and where the cluster pulls.

Both are a docker-registry on the same port of the loopback, with the same folder: `127.0.0.1:PORT/PREFIX/MODEL` is the
same image to Slipway, to Docker and to a kubelet.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster.place import wait_for
from tests.workflows.engine import docker

_CONFIGURATION = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""


@dataclass(frozen=True, slots=True)
class Storage:
    """`host` is `127.0.0.1:PORT`, where a registry of this folder answers in the tests' own network."""

    folder: Path
    host: str

    @property
    def pause(self) -> str:
        return f"{self.host}/pause:1"

    def command(self, configuration: Path) -> tuple[str, ...]:
        """Of another one with the same folder and address, for another network."""
        configuration.write_text(_CONFIGURATION.format(folder=self.folder, address=self.host))
        return ("docker-registry", "serve", str(configuration))


@contextlib.contextmanager
def storage(folder: Path, *, pause: Path) -> Iterator[Storage]:
    """A registry that holds what holds the network of pods, made of the program `pause`."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration, log = folder / "configuration.yml", folder / "log"
    configuration.write_text(_CONFIGURATION.format(folder=folder / "images", address="127.0.0.1:0"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    command = ["docker-registry", "serve", str(configuration)]
    with log.open("wb") as said, subprocess.Popen(command, stderr=said, env=kept) as server:
        try:
            found = Storage(folder / "images", _address(server, log))
            _push(pause, found.pause)
            yield found
        finally:
            server.terminate()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    listens = re.compile(r"listening on (127\.0\.0\.1:\d+)")
    wait_for(lambda: bool(listens.search(log.read_text())) or server.poll() is not None, what="a registry", seconds=30)
    found = listens.search(log.read_text())
    assert found is not None, log.read_text()
    return found[1]


def _push(program: Path, name: str) -> None:
    archive = program.parent / "pause.tar"
    subprocess.run(["tar", "--create", "--file", str(archive), "--directory", str(program.parent), "pause"], check=True)
    docker("import", "--change", 'ENTRYPOINT ["/pause"]', str(archive), name)
    try:
        docker("push", "--quiet", name)
    finally:
        docker("image", "rm", "--force", name)
