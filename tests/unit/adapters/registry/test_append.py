"""A release's image is its base and one layer more; same input, same digest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.layer import model_layer, tar_layer
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.manifests import DOCKER, INDEXES, OCI, OCI_INDEX, Family, Image, encode
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.registry.protocol import Registry
from slipway.errors import DigestMismatch, NoSuchImage, TagTaken, UnusableImage

from tests.unit.adapters.registry.releases import COMPRESSED, LAYER, ORIGIN, release, with_base, with_index


@pytest.mark.parametrize("family", [OCI, DOCKER])
def test_the_image_is_its_base_and_one_layer_more(registry: Registry, family: Family) -> None:
    """Everything that the base says is kept, and what is new stands at the end."""
    base = with_base(registry, family=family)
    runtime = Image.read(registry.repository("runtime"), "v1")

    digest = release(registry, base)

    image = Image.read(registry.repository("flight-delay"), "v1.0.0")
    assert (image.digest, image.family) == (digest, family)
    assert [blob.digest for blob in image.layers] == [runtime.layers[0].digest, LAYER.digest]
    assert image.config["rootfs"]["diff_ids"] == [runtime.layers[0].digest, LAYER.digest]
    assert image.config["history"][-1] == {
        "created": "2026-03-01T12:30:00Z",
        "created_by": "slipway build-image flight-delay@v1.0.0",
    }
    assert image.config["architecture"] == "amd64"


@pytest.mark.parametrize(("family", "annotates"), [(OCI, True), (DOCKER, False)])
def test_the_image_says_where_it_comes_from(layout: Registry, family: Family, annotates: bool) -> None:
    """Whoever finds the image in a cluster gets from it to the commit and to the runtime."""
    base = with_base(layout, family=family)
    release(layout, base)
    repository = layout.repository("flight-delay")
    expected = {
        "org.opencontainers.image.version": "1.0.0",
        "org.opencontainers.image.source": "https://github.com/acme/models",
        "org.opencontainers.image.revision": "c0ffee" * 6,
        "org.opencontainers.image.created": "2026-03-01T12:30:00Z",
        "org.opencontainers.image.base.digest": base.reference,
        "org.opencontainers.image.base.name": "registry.example.com/acme/runtime:2026.3",
        "io.slipway.release": "flight-delay@v1.0.0",
        "io.slipway.model-layer": LAYER.digest,
    }

    assert Image.read(repository, "v1.0.0").config["config"]["Labels"] == expected
    assert json.loads(repository.manifest("v1.0.0").content).get("annotations") == (expected if annotates else None)


def test_the_digest_is_the_same_in_a_folder_and_in_a_registry(layout: Registry, remote: Registry) -> None:
    """A release checked on a laptop is the release that CI pushes."""
    assert release(layout, with_base(layout)) == release(remote, with_base(remote))


def test_the_digest_is_the_same_from_a_base_elsewhere(layout: Registry, remote: Registry) -> None:
    """Nothing of where the base lies may reach the image, and its bytes are carried over."""
    assert release(remote, with_base(layout)) == release(layout, Base(layout, "runtime", "v1"))
    blobs = Image.read(remote.repository("flight-delay"), "v1.0.0").layers
    assert all(remote.repository("flight-delay").has(blob.digest) for blob in blobs)


def test_the_time_zone_of_the_commit_does_not_change_the_digest(layout: Registry) -> None:
    """A commit's time carries the zone of whoever made it."""
    base = with_base(layout)
    elsewhere = ORIGIN._replace(created=ORIGIN.created.astimezone(timezone(timedelta(hours=9))))
    assert release(layout, base) == release(layout, base, origin=elsewhere)


def test_a_tag_at_another_digest_is_refused_before_a_byte_is_sent(registry: Registry) -> None:
    """A version number is a promise; and a refusal must not cost an upload."""
    base = with_base(registry)
    release(registry, base)
    other = model_layer({"model.onnx": b"other"})

    with pytest.raises(TagTaken, match=r"v1\.0\.0"):
        append_layer(registry, "flight-delay", base=base, layer=other, origin=ORIGIN, tag="v1.0.0")

    assert not registry.repository("flight-delay").has(other.digest)


@pytest.mark.parametrize("media_type", sorted(INDEXES))
def test_a_base_of_several_platforms_gives_an_image_for_each(registry: Registry, media_type: str) -> None:
    """A team whose cluster has both kinds of processors releases once."""
    base = with_index(registry, media_type=media_type)
    runtime = Platforms.read(registry.repository("runtime"), "many")

    digest = release(registry, base)

    released = Platforms.read(registry.repository("flight-delay"), "v1.0.0")
    assert (released.digest, released.index_type, released.names) == (digest, media_type, runtime.names)
    assert [image.config["architecture"] for image in released.images] == ["amd64", "arm64"]
    for image, below in zip(released.images, runtime.images, strict=True):
        assert [blob.digest for blob in image.layers] == [below.layers[0].digest, LAYER.digest]
        assert image.config["config"]["Labels"]["org.opencontainers.image.base.digest"] == below.digest


def test_the_attestations_of_the_base_are_left_out(layout: Registry) -> None:
    """They vouch for other digests; an engine would look for what they say and not find it."""
    release(layout, with_index(layout))
    index = json.loads(layout.repository("flight-delay").manifest("v1.0.0").content)
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["amd64", "arm64"]
    assert index["annotations"]["io.slipway.release"] == "flight-delay@v1.0.0"


def test_an_index_has_the_same_digest_in_a_folder_and_in_a_registry(layout: Registry, remote: Registry) -> None:
    """As for one platform."""
    assert release(layout, with_index(layout)) == release(remote, with_index(remote))


@pytest.mark.parametrize("platforms", [(), ("linux/amd64",)])
def test_an_index_without_an_image_is_refused(layout: Registry, platforms: tuple[str, ...]) -> None:
    """An index of attestations alone is what is left where somebody deleted the images."""
    with_index(layout, platforms=platforms)
    index = json.loads(layout.repository("runtime").manifest("many").content)
    index["manifests"] = [entry for entry in index["manifests"] if "annotations" in entry]
    layout.repository("runtime").put_manifest(encode(index), media_type=OCI_INDEX, reference="none")
    with pytest.raises(UnusableImage, match="lists no image"):
        release(layout, Base(layout, "runtime", "none"))


def test_an_index_in_an_index_is_refused(layout: Registry) -> None:
    """No engine pulls one."""
    with_index(layout)
    stored = layout.repository("runtime").manifest("many")
    entry = {"mediaType": OCI_INDEX, "digest": stored.digest, "size": len(stored.content)}
    nested = encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})
    layout.repository("runtime").put_manifest(nested, media_type=OCI_INDEX, reference="nested")
    with pytest.raises(UnusableImage, match="where one image is needed"):
        release(layout, Base(layout, "runtime", "nested"))


@pytest.mark.parametrize("family", [OCI, DOCKER])
def test_a_layer_that_shrinks_is_sent_compressed(registry: Registry, family: Family) -> None:
    """The config names the tar, the manifest what is sent: engines check both."""
    release(registry, with_base(registry, family=family), layer=COMPRESSED)
    image = Image.read(registry.repository("flight-delay"), "v1.0.0")
    assert (image.layers[-1].digest, image.layers[-1].media_type) == (COMPRESSED.digest, family.compressed_layer)
    assert image.config["rootfs"]["diff_ids"][-1] == COMPRESSED.diff_id
    assert image.config["config"]["Labels"]["io.slipway.model-layer"] == COMPRESSED.diff_id


def test_the_same_model_from_another_compressor_is_the_release_that_is_there(registry: Registry) -> None:
    """A release that is run again on a runner with another zlib must not be refused for bytes that nobody unpacks."""
    base = with_base(registry)
    first = release(registry, base, layer=COMPRESSED)
    otherwise = tar_layer(COMPRESSED.files)
    assert otherwise.diff_id == COMPRESSED.diff_id

    assert release(registry, base, layer=otherwise) == first

    assert not registry.repository("flight-delay").has(otherwise.digest)


def test_a_base_whose_bytes_were_changed_is_refused(tmp_path: Path, layout: Registry, remote: Registry) -> None:
    """A damaged runtime must not be pushed under a release's name."""
    base = with_base(layout)
    blob = Image.read(layout.repository("runtime"), "v1").layers[0].digest
    path = tmp_path / "images" / "runtime" / "blobs" / "sha256" / blob.removeprefix("sha256:")
    path.write_bytes(path.read_bytes().replace(b"print(1)", b"print(2)"))

    with pytest.raises(DigestMismatch, match=blob):
        release(remote, base)

    with pytest.raises(NoSuchImage):
        remote.repository("flight-delay").manifest("v1.0.0")


def test_a_config_that_counts_other_layers_is_refused(layout: Registry) -> None:
    """Appending to it would shift every diff id by one."""
    repository = layout.repository("runtime")
    with_base(layout)
    manifest = json.loads(repository.manifest("v1").content)
    manifest["layers"] *= 2
    repository.put_manifest(encode(manifest), media_type=OCI.manifest, reference="odd")
    with pytest.raises(UnusableImage, match="counts other layers"):
        release(layout, Base(layout, "runtime", "odd"))


MOMENTS = [
    f"{side}:{write}"
    for side in ("before", "after")
    for write in ("registry-mount:1", "registry-blob:1", "registry-blob:2", "registry-manifest:1")
]
SCRIPT = """
from pathlib import Path
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.remote import RemoteRegistry
from tests.unit.adapters.registry.releases import Base, release
home = {home}
print(release(home, Base(home, "runtime", "v1")))
"""


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["layout", "remote"])
def test_a_release_that_was_killed_ends_the_same_when_run_again(
    moment: str, kind: str, tmp_path: Path, registry_host: str, request: pytest.FixtureRequest
) -> None:
    """A runner can be taken away at any moment; the next one must find nothing in its way."""
    registry: Registry = request.getfixturevalue(kind)
    with_base(registry)
    prefix = registry.repository("x").name.removesuffix("/x")
    home = f"LayoutRegistry(Path({str(tmp_path / 'images')!r}))"
    if kind == "remote":
        home = f"RemoteRegistry({registry_host!r}, {prefix!r})"
    script = SCRIPT.format(home=home)

    killed = subprocess.run([sys.executable, "-c", script], env=_environment(moment), check=False)
    again = release(registry, Base(registry, "runtime", "v1"))

    assert killed.returncode == -signal.SIGKILL
    undisturbed = LayoutRegistry(tmp_path / "undisturbed")
    assert again == release(undisturbed, with_base(undisturbed))
    assert not list(tmp_path.rglob(".partial/*"))


def _environment(moment: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "SLIPWAY_KILL_AT": moment}
