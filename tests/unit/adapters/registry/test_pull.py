"""The model comes back out of an image whole and alone, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from slipway.adapters.registry.append import append_layer
from slipway.adapters.registry.layer import Layer
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.manifests import DOCKER, OCI, Family
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.pull import pull_model_layer
from slipway.errors import DigestMismatch, NoSuchImage, RegistryRefused, UnusableImage

from tests.unit.adapters.registry.releases import COMPRESSED, LAYER, ORIGIN, release, with_base, with_index


class AnyLayer(Layer):
    """A layer of bytes that our own code would not write."""

    def open(self):  # type: ignore[no-untyped-def]
        """The bytes as they are."""
        return iter([self.files["tar"]])


def layer_of(content: bytes) -> Layer:
    """Hostile bytes as a layer."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return AnyLayer({"tar": content}, digest, len(content), digest, is_compressed=False)


def tar_of(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar with exactly these entries."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """One entry of a hostile tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b"content" if kind == tarfile.REGTYPE else b""


def pushed(registry: Registry, content: bytes) -> str:
    """A release whose layer holds these bytes."""
    base = with_base(registry)
    return append_layer(registry, "flight-delay", base=base, layer=layer_of(content), origin=ORIGIN, tag="v6.6.6")


@pytest.mark.parametrize("layer", [LAYER, COMPRESSED], ids=["plain", "compressed"])
@pytest.mark.parametrize("family", [OCI, DOCKER])
def test_what_was_appended_comes_back(registry: Registry, family: Family, layer: Layer, tmp_path: Path) -> None:
    """The rollout and the rehearsal of the way back serve what this returns."""
    digest = release(registry, with_base(registry, family=family), layer=layer)

    files = pull_model_layer(registry, "flight-delay", digest, tmp_path / "models")

    assert {name: path.read_bytes() for name, path in files.items()} == {
        "identity.json": b"{}",
        "model.onnx": layer.files["model/model.onnx"],
    }
    assert {path.parent for path in files.values()} == {tmp_path / "models" / digest.removeprefix("sha256:")}


def test_it_comes_back_from_an_index_of_platforms(registry: Registry, tmp_path: Path) -> None:
    """A laptop of any kind measures the version that runs: the layer is the same in each image."""
    digest = release(registry, with_index(registry))
    files = pull_model_layer(registry, "flight-delay", digest, tmp_path / "models")
    assert files["model.onnx"].read_bytes() == LAYER.files["model/model.onnx"]


def compressed_layer(blob: bytes, tar: bytes) -> Layer:
    """A blob that is said to be a tar in gzip."""
    digests = (f"sha256:{hashlib.sha256(content).hexdigest()}" for content in (blob, tar))
    return AnyLayer({"tar": blob}, next(digests), len(blob), next(digests), is_compressed=True)


TAR = tar_of(entry("model/model.onnx"))
DAMAGED = {
    "no gzip": (TAR, "cannot be unpacked"),
    "broken off": (gzip.compress(TAR)[:-9], "cannot be unpacked"),
    "more after its end": (gzip.compress(TAR) + gzip.compress(TAR), "cannot be unpacked"),
    "a bomb": (gzip.compress(bytes(1 << 22)), "unpacks to more than 1000000 bytes"),
    "another tar": (gzip.compress(tar_of(entry("model/README.md"))), "should be sha256:"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_compressed_layer_that_does_not_unpack_is_refused(layout: Registry, tmp_path: Path, name: str) -> None:
    """The digest of the blob is right; what it unpacks to is a second promise."""
    blob, reason = DAMAGED[name]
    base = with_base(layout)
    layer = compressed_layer(blob, TAR)
    digest = append_layer(layout, "flight-delay", base=base, layer=layer, origin=ORIGIN, tag="v6.6.6")

    with pytest.raises((UnusableImage, DigestMismatch), match=reason):
        pull_model_layer(layout, "flight-delay", digest, tmp_path / "models", largest=1_000_000)

    assert [path.name for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_finished_folder_is_used_again_without_the_registry(layout: Registry, tmp_path: Path) -> None:
    """Going back must work while the registry is away."""
    digest = release(layout, with_base(layout))
    first = pull_model_layer(layout, "flight-delay", digest, tmp_path / "models")
    gone = LayoutRegistry(tmp_path / "gone")

    assert pull_model_layer(gone, "flight-delay", digest, tmp_path / "models") == first


@pytest.mark.parametrize("damage", ["changed", "deleted"])
def test_a_folder_that_was_damaged_is_pulled_again(layout: Registry, tmp_path: Path, damage: str) -> None:
    """A file that somebody edited in the cache must not be served as the release."""
    digest = release(layout, with_base(layout))
    model = pull_model_layer(layout, "flight-delay", digest, tmp_path / "models")["model.onnx"]
    before = model.read_bytes()
    model.unlink() if damage == "deleted" else model.write_bytes(b"edited")

    again = pull_model_layer(layout, "flight-delay", digest, tmp_path / "models")

    assert again["model.onnx"].read_bytes() == before


def test_a_tag_is_not_enough(registry: Registry, tmp_path: Path) -> None:
    """Only a digest says what is pulled."""
    release(registry, with_base(registry))
    with pytest.raises(RegistryRefused, match="no digest"):
        pull_model_layer(registry, "flight-delay", "v1.0.0", tmp_path)


def test_an_image_that_is_not_there_is_named(registry: Registry, tmp_path: Path) -> None:
    """The rehearsal reports it: the way back is gone."""
    with pytest.raises(NoSuchImage):
        pull_model_layer(registry, "flight-delay", "sha256:" + "0" * 64, tmp_path)


def test_an_image_without_a_model_is_refused(registry: Registry, tmp_path: Path) -> None:
    """A runtime is an image too."""
    base = with_base(registry)
    with pytest.raises(UnusableImage, match="no model in it"):
        pull_model_layer(registry, "runtime", base.reference, tmp_path)


def test_a_layer_whose_bytes_were_changed_leaves_nothing_behind(layout: Registry, tmp_path: Path) -> None:
    """A disk that lies must not be served."""
    digest = release(layout, with_base(layout))
    path = tmp_path / "images" / "flight-delay" / "blobs" / "sha256" / LAYER.digest.removeprefix("sha256:")
    path.write_bytes(path.read_bytes().replace(b"{}", b"[]", 1))

    with pytest.raises(DigestMismatch):
        pull_model_layer(layout, "flight-delay", digest, tmp_path / "models")

    assert [path.name for path in (tmp_path / "models").iterdir()] == [".lock"]


HOSTILE = {
    "parent": [entry("model/model.onnx"), entry("model/../../escaped")],
    "absolute": [entry("model/model.onnx"), entry("/tmp/escaped")],
    "elsewhere": [entry("model/model.onnx"), entry("server/app.py")],
    "deeper": [entry("model/model.onnx"), entry("model/a/model.onnx")],
    "unexpected": [entry("model/model.onnx"), entry("model/finished.json")],
    "twice": [entry("model/model.onnx"), entry("model/model.onnx")],
    "symbolic link": [entry("model/model.onnx", tarfile.SYMTYPE, link="/etc/passwd")],
    "hard link": [entry("model/README.md"), entry("model/model.onnx", tarfile.LNKTYPE, link="model/README.md")],
    "folder as a link": [entry("model", tarfile.SYMTYPE, link="/tmp"), entry("model/model.onnx")],
    "device": [entry("model/model.onnx", tarfile.CHRTYPE)],
    "pipe": [entry("model/model.onnx", tarfile.FIFOTYPE)],
    "no model": [entry("model/README.md")],
    "empty": [],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_layer_is_refused_and_leaves_nothing(layout: Registry, tmp_path: Path, name: str) -> None:
    """Its digest is right: it was pushed so. Still it gets no path, link or device of its choosing."""
    digest = pushed(layout, tar_of(*HOSTILE[name]))

    with pytest.raises(UnusableImage, match="was not written by Slipway"):
        pull_model_layer(layout, "flight-delay", digest, tmp_path / "models")

    assert [path.name for path in (tmp_path / "models").iterdir()] == [".lock"]
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize(
    "content",
    [b"", b"no tar", os.urandom(5000), tar_of(entry("model/model.onnx"))[:600]],
    ids=["empty", "words", "noise", "cut off"],
)
def test_bytes_that_are_no_tar_are_refused(layout: Registry, tmp_path: Path, content: bytes) -> None:
    """The reader is told what is wrong, not where tarfile gave up."""
    with pytest.raises(UnusableImage):
        pull_model_layer(layout, "flight-delay", pushed(layout, content), tmp_path / "models")


def test_a_model_that_is_too_large_is_refused_before_it_is_fetched(registry: Registry, tmp_path: Path) -> None:
    """A disk that is full stops more than this release."""
    digest = release(registry, with_base(registry))
    with pytest.raises(UnusableImage, match="at most 1000 bytes"):
        pull_model_layer(registry, "flight-delay", digest, tmp_path, largest=1000)


SCRIPT = """
import sys
from pathlib import Path
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.pull import pull_model_layer
pull_model_layer(LayoutRegistry(Path(sys.argv[1])), "flight-delay", sys.argv[2], Path(sys.argv[3]))
"""


@pytest.mark.parametrize("moment", ["before:pulled-model:1", "after:pulled-model:1"])
def test_a_pull_that_was_killed_ends_the_same_when_run_again(tmp_path: Path, moment: str) -> None:
    """A half-written folder would be served as a model."""
    home = LayoutRegistry(tmp_path / "images")
    digest = release(home, with_base(home))
    models = tmp_path / "models"
    arguments = [sys.executable, "-c", SCRIPT, str(tmp_path / "images"), digest, str(models)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "SLIPWAY_KILL_AT": moment}

    killed = subprocess.run(arguments, env=environment, check=False)
    files = pull_model_layer(home, "flight-delay", digest, models)

    assert killed.returncode == -signal.SIGKILL
    assert files["model.onnx"].read_bytes() == LAYER.files["model/model.onnx"]
    assert sorted(path.name for path in models.iterdir()) == [".lock", digest.removeprefix("sha256:")]
