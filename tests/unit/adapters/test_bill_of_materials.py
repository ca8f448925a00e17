"""What an image says that it holds, read from its registry; and what it may not do to its reader."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipway.adapters.bill_of_materials import SBOM, packages_of
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.layer import Layer, tar_layer
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.manifests import DOCKER, LARGEST_DOCUMENT, Image
from slipway.adapters.registry.protocol import Repository
from slipway.errors import UnusableImage

from tests.unit.adapters.described_images import PATH, bill_of, described, with_layer


@pytest.fixture
def runtimes(tmp_path: Path) -> Repository:
    """A repository with an image `plain`, which says nothing of itself."""
    registry = LayoutRegistry(tmp_path / "images")
    write_base_image(registry, "runtime", "plain", {"bin/python3": b"python"}, "linux/amd64", family=DOCKER)
    return registry.repository("runtime")


def packages(runtimes: Repository, reference: str) -> dict[str, str] | None:
    return packages_of(Image.read(runtimes, reference), runtimes)


def gzipped(content: bytes, *, declared: bytes = b"") -> Layer:
    """A layer whose blob is gzip."""
    gzip = zlib.compressobj(9, wbits=31)
    blob = gzip.compress(content) + gzip.flush()

    class Blob(Layer):
        def open(self):  # type: ignore[no-untyped-def]
            return iter([blob])

    return Blob({}, digest_of(blob), len(blob), digest_of(declared or content), True)


def test_packages_are_told_by_kind_name_and_version(runtimes: Repository) -> None:
    """The name of a package alone is not enough: Debian and Python both have an `idna`."""
    listed = {"pypi/numpy": "2.4.6", "deb/debian/libc6": "2.36-9+deb12u14", "generic/python": "3.11.2"}
    described(runtimes, "plain", bill=bill_of(listed), tag="described")

    assert packages(runtimes, "described") == listed


def test_what_engines_write_is_read(runtimes: Repository) -> None:
    """An engine compresses each layer, and its tars name folders."""
    layer = tar_layer({PATH: bill_of({"pypi/numpy": "2.4.6"})})
    with_layer(runtimes, "plain", gzipped(b"".join(layer.open())), labels={SBOM: f"/{PATH}"}, tag="packed")

    assert packages(runtimes, "packed") == {"pypi/numpy": "2.4.6"}


def test_a_release_has_the_list_of_its_runtime(runtimes: Repository) -> None:
    """The model's layer lies above it: whoever looks at what runs finds the list there, too."""
    described(runtimes, "plain", bill=bill_of({"pypi/numpy": "2.4.6"}), tag="described")
    labels = Image.read(runtimes, "described").config["config"]["Labels"]
    with_layer(runtimes, "described", tar_layer({"model/model.onnx": b"onnx"}), labels=labels, tag="v1.0.0")

    assert packages(runtimes, "v1.0.0") == {"pypi/numpy": "2.4.6"}


def test_two_versions_of_one_package_are_both_told(runtimes: Repository) -> None:
    """The base's own library beside ours; a fix of one is no fix of the other."""
    one, two = (json.loads(bill_of({"pypi/idna": version}))["components"][0] for version in ("3.3", "3.20"))
    bill = json.dumps({"bomFormat": "CycloneDX", "components": [two, one]}).encode()
    described(runtimes, "plain", bill=bill, tag="described")

    assert packages(runtimes, "described") == {"pypi/idna": "3.20, 3.3"}


def test_escaped_names_and_those_without_an_address_are_readable(runtimes: Repository) -> None:
    """`libstdc%2B%2B6` is no name that anybody searches for, and an operating system has no address."""
    components = [
        {"type": "library", "name": "x", "version": "12", "purl": "pkg:deb/debian/libstdc%2B%2B6@12%2B1?arch=amd64"},
        {"type": "operating-system", "name": "debian", "version": "12"},
    ]
    bill = json.dumps({"bomFormat": "CycloneDX", "components": components}).encode()
    described(runtimes, "plain", bill=bill, tag="described")

    assert packages(runtimes, "described") == {"deb/debian/libstdc++6": "12", "operating-system/debian": "12"}


def test_an_image_that_says_nothing_is_not_empty(runtimes: Repository) -> None:
    """`None`, since an empty list would say that every package is new."""
    labels = {SBOM: f"/{PATH}"}
    with_layer(runtimes, "plain", tar_layer({"else.json": b"{}"}), labels=labels, tag="lost")

    assert packages(runtimes, "plain") is None
    assert packages(runtimes, "lost") is None


def test_large_layers_are_not_fetched(runtimes: Repository) -> None:
    """The libraries of a runtime are a hundred megabytes, and a pull request is no reason to fetch them."""
    files = {PATH: bill_of({"pypi/numpy": "1"}), "filling": bytes(LARGEST_DOCUMENT)}
    with_layer(runtimes, "plain", tar_layer(files), labels={SBOM: f"/{PATH}"}, tag="squashed")

    assert packages(runtimes, "squashed") is None


@pytest.mark.parametrize("bill", [b"", b"[]", b"{}", b"\xff", b'{"bomFormat": "SPDX", "components": []}', b"[" * 9999])
def test_another_document_is_refused(bill: bytes, runtimes: Repository) -> None:
    """A list that nobody can read must not pass for none."""
    described(runtimes, "plain", bill=bill, tag="odd")

    with pytest.raises(UnusableImage, match=r"/opt/slipway/sbom\.cdx\.json is no CycloneDX in JSON"):
        packages(runtimes, "odd")


def test_a_layer_that_unpacks_without_end_is_refused(runtimes: Repository) -> None:
    """Gzip packs a thousand zeros into one byte, and the list is held in memory."""
    with_layer(runtimes, "plain", gzipped(bytes(64 << 20)), labels={SBOM: f"/{PATH}"}, tag="bomb")

    with pytest.raises(UnusableImage, match="unpacks to more than"):
        packages(runtimes, "bomb")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(damage=st.binary(min_size=1, max_size=600), at=st.integers(0, 2000))
def test_a_damaged_layer_is_refused_or_read_and_nothing_else(damage: bytes, at: int, runtimes: Repository) -> None:
    """Whoever can push an image must not be able to crash the workflow that looks at it."""
    tar = bytearray(b"".join(tar_layer({PATH: bill_of({"pypi/numpy": "2.4.6"})}).open()))
    tar[at : at + len(damage)] = damage
    tag = digest_of(bytes(tar))[7:40]
    with_layer(runtimes, "plain", gzipped(bytes(tar)), labels={SBOM: f"/{PATH}"}, tag=tag)

    try:
        found = packages(runtimes, tag)
    except UnusableImage:
        return
    assert found is None or isinstance(found, dict)
