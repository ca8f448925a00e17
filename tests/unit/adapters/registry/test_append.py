"""A release's image is its base and one layer more; same input, same digest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.manifests import DOCKER, OCI, Family, Image, encode
from slipway.adapters.registry.protocol import Registry
from slipway.errors import DigestMismatch, NoSuchImage, TagTaken, UnusableImage

from tests.unit.adapters.registry.releases import LAYER, ORIGIN, release, with_base


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
    elsewhere = replace(ORIGIN, created=ORIGIN.created.astimezone(timezone(timedelta(hours=9))))
    assert release(layout, base) == release(layout, base, origin=elsewhere)


def test_a_tag_at_another_digest_is_refused_before_a_byte_is_sent(registry: Registry) -> None:
    """A version number is a promise; and a refusal must not cost an upload."""
    base = with_base(registry)
    release(registry, base)
    other = model_layer({"model.onnx": b"other"})

    with pytest.raises(TagTaken, match=r"v1\.0\.0"):
        append_layer(registry, "flight-delay", base=base, layer=other, origin=ORIGIN, tag="v1.0.0")

    assert not registry.repository("flight-delay").has(other.digest)


def test_a_base_of_several_platforms_is_refused_with_the_way_out(registry: Registry) -> None:
    """`docker buildx` pushes an index by default, so somebody will give us one."""
    repository = registry.repository("runtime")
    with_base(registry)
    stored = repository.manifest("v1")
    index = encode(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": stored.media_type,
                    "digest": stored.digest,
                    "size": len(stored.content),
                    "platform": {"os": "linux", "architecture": "amd64"},
                }
            ],
        }
    )
    repository.put_manifest(index, media_type="application/vnd.oci.image.index.v1+json", reference="many")

    with pytest.raises(UnusableImage, match="index of several platforms"):
        release(registry, Base(registry, "runtime", "many"))


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
