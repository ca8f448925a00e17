"""A disk that is full, in earnest: a small one in a mount namespace of its own, below a registry and below a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import NoSuchImage, Unreachable

from tests.unit.adapters.registry.releases import HASTY, LAYER, release, with_base

_SIZE = (LAYER.size >> 10) + 200  # KiB: the layer, and what a registry writes beside it
_FILLED = 1 << 20  # bytes
_NAMESPACE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")))
_MOUNTED = 'mount -t tmpfs -o size="$1"k tmpfs "$2" && shift 2 && exec "$@"'
_CONFIGURATION = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {disk}/storage}}}}
http: {{addr: "127.0.0.1:0"}}
"""


def on_a_small_disk(disk: Path, *command: str) -> list[str]:
    """The command, in a namespace where `disk` is a file system of its own; it is gone with the command."""
    disk.mkdir()
    return [*_NAMESPACE, "sh", "-c", _MOUNTED, "sh", str(_SIZE), str(disk), *command]


@contextmanager
def registry_on(disk: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """`127.0.0.1:PORT` of a registry on a small disk, and where that disk is seen from here."""
    configuration, log = folder / "configuration.yml", folder / "log"
    configuration.write_text(_CONFIGURATION.format(disk=disk))
    command = on_a_small_disk(disk, "docker-registry", "serve", str(configuration))
    with log.open("wb") as errors, subprocess.Popen(command, stderr=errors) as server:
        try:
            while not (match := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())):
                assert server.poll() is None, log.read_text()
                time.sleep(0.02)
            yield match[1], Path(f"/proc/{server.pid}/root{disk}")
        finally:
            server.terminate()


@pytest.fixture
def digest(tmp_path: Path) -> str:
    """Of the same release where there is room."""
    home = LayoutRegistry(tmp_path / "undisturbed")
    return release(home, with_base(home))


def test_a_registry_whose_disk_is_full_says_so_and_takes_the_release_when_it_is_not(
    tmp_path: Path, digest: str
) -> None:
    """It answers `unknown error`, with the reason in a number; half a layer of it must not get a name."""
    with registry_on(tmp_path / "disk", tmp_path) as (host, disk):
        registry = RemoteRegistry(host, "full", patience=HASTY)
        base = with_base(registry)
        (disk / "filled").write_bytes(bytes(_FILLED))

        with pytest.raises(Unreachable, match=r"answers only HTTP 500 .*\(No space left on device\)") as caught:
            release(registry, base)

        assert "the disk of a registry of your own" in caught.value.mend
        with pytest.raises(NoSuchImage):
            registry.repository("flight-delay").manifest("v1.0.0")
        (disk / "filled").unlink()
        for abandoned in disk.rglob("_uploads"):  # what the registry clears by itself, once a day
            shutil.rmtree(abandoned)
        assert release(registry, base) == digest


_ON_A_FULL_DISK = """
import sys
from pathlib import Path
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.errors import SlipwayError
from tests.unit.adapters.registry.releases import release, with_base
disk, size = Path(sys.argv[1]), int(sys.argv[2])
home = LayoutRegistry(disk / "images")
base = with_base(home)
(disk / "filled").write_bytes(bytes(size))
try:
    release(home, base)
except SlipwayError as error:
    print(error)
(disk / "filled").unlink()
print(release(home, base))
"""


def test_a_folder_whose_disk_is_full_says_so_and_takes_the_release_when_it_is_not(tmp_path: Path, digest: str) -> None:
    """Nothing has to be cleared by hand but what filled it."""
    disk = tmp_path / "disk"
    command = on_a_small_disk(disk, sys.executable, "-c", _ON_A_FULL_DISK, str(disk), str(_FILLED))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    problem, mend, again = done.stdout.splitlines()
    assert problem == f"{disk}/images/flight-delay takes no more: No space left on device"
    assert "make room on its disk" in mend
    assert again == digest
