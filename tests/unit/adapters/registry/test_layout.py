"""What only a folder of images must stand: other programs, killed writers and damaged files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.errors import DigestMismatch, NoSuchImage, UnusableImage

from tests.unit.adapters.registry.releases import LAYER, release, with_base

KILLED = """
import os, signal, sys
from pathlib import Path
from slipway.adapters.registry.layout import LayoutRegistry

def chunks():
    yield b"half of "
    os.kill(os.getpid(), signal.SIGKILL)

repository = LayoutRegistry(Path(sys.argv[1])).repository("flight-delay")
repository.put_blob(sys.argv[2], size=15, chunks=chunks)
"""


def test_the_folder_is_what_the_specification_says(tmp_path: Path) -> None:
    """Other tools must be able to copy it to a registry: `oci-layout`, `index.json`, `blobs/sha256/`."""
    home = LayoutRegistry(tmp_path)
    digest = release(home, with_base(home))
    folder = tmp_path / "flight-delay"

    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((folder / "index.json").read_text())["manifests"]
    assert (entry["digest"], entry["annotations"]) == (digest, {"org.opencontainers.image.ref.name": "v1.0.0"})
    for path in (folder / "blobs" / "sha256").iterdir():
        assert digest_of(path.read_bytes()) == f"sha256:{path.name}"


def test_a_base_is_stored_once(tmp_path: Path) -> None:
    """A runtime has hundreds of megabytes, and each model's folder holds it."""
    home = LayoutRegistry(tmp_path)
    release(home, with_base(home))
    shared = {path.name: path.stat().st_ino for path in (tmp_path / "runtime" / "blobs" / "sha256").iterdir()}
    copies = [path for path in (tmp_path / "flight-delay" / "blobs" / "sha256").iterdir() if path.name in shared]
    assert [path.stat().st_ino for path in copies] == [shared[path.name] for path in copies]
    assert copies


def test_a_writer_that_is_killed_halfway_leaves_nothing_that_counts(tmp_path: Path) -> None:
    """The next one must not take half a blob for a blob, nor wait for a dead writer's lock."""
    content = b"half of a blob!"
    digest = digest_of(content)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), digest], env=environment, check=False)
    repository = LayoutRegistry(tmp_path).repository("flight-delay")
    was_there = repository.has(digest)
    repository.put_blob(digest, size=len(content), chunks=lambda: iter([content]))

    assert (killed.returncode, was_there) == (-signal.SIGKILL, False)
    with repository.blob(digest) as chunks:
        assert b"".join(chunks) == content
    assert not list(tmp_path.rglob(".partial/*"))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"manifests": [{}]}', b'{"manifests": [{"digest": "../x"}]}']
)
def test_a_damaged_index_is_named(tmp_path: Path, content: bytes) -> None:
    """The reader learns which file to look at."""
    home = LayoutRegistry(tmp_path)
    release(home, with_base(home))
    (tmp_path / "flight-delay" / "index.json").write_bytes(content)
    with pytest.raises(UnusableImage, match=r"index\.json is no index"):
        home.repository("flight-delay").manifest("v1.0.0")


def test_damage_of_any_kind_is_noticed_at_the_end_of_reading(tmp_path: Path) -> None:
    """A blob is verified when it is read, not only when it was written."""
    home = LayoutRegistry(tmp_path)
    digest = release(home, with_base(home))
    blobs = tmp_path / "flight-delay" / "blobs" / "sha256"
    with (blobs / LAYER.digest.removeprefix("sha256:")).open("ab") as file:
        file.write(b"x")
    (blobs / digest.removeprefix("sha256:")).write_bytes(b"{}")

    with pytest.raises(DigestMismatch), home.repository("flight-delay").blob(LAYER.digest) as chunks:
        list(chunks)
    with pytest.raises(DigestMismatch):
        home.repository("flight-delay").manifest("v1.0.0")


def test_an_image_whose_manifest_was_deleted_is_named(tmp_path: Path) -> None:
    """Somebody tidied up; the mend is to push again."""
    home = LayoutRegistry(tmp_path)
    digest = release(home, with_base(home))
    (tmp_path / "flight-delay" / "blobs" / "sha256" / digest.removeprefix("sha256:")).unlink()
    with pytest.raises(NoSuchImage, match="listed but not there"):
        home.repository("flight-delay").manifest("v1.0.0")
