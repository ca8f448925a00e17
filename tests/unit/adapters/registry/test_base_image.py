"""A base image without an engine."""

from __future__ import annotations

import pytest
from slipway.adapters.registry.base_image import digest_of_base_image, write_base_image
from slipway.adapters.registry.manifests import Image
from slipway.adapters.registry.protocol import Registry
from slipway.errors import TagTaken

FILES = {"server/app.py": b"print(1)\n", "server/__init__.py": b""}


def test_the_same_files_give_the_same_base(registry: Registry) -> None:
    """A base that changes by itself would make every release another one."""
    first = write_base_image(registry, "runtime", "v1", FILES, "linux/amd64")
    again = write_base_image(registry, "runtime", "v1", dict(reversed(FILES.items())), "linux/amd64")
    assert first == again == Image.read(registry.repository("runtime"), "v1").digest
    assert digest_of_base_image(FILES, "linux/amd64") == first  # for who may not push


def test_the_platform_is_written_as_engines_read_it(layout: Registry) -> None:
    """An engine refuses an image of another platform than its own."""
    write_base_image(layout, "runtime", "v1", FILES, "linux/arm64/v8")
    config = Image.read(layout.repository("runtime"), "v1").config
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm64", "v8")


def test_other_files_need_another_tag(registry: Registry) -> None:
    """The runtime's tags are promises too."""
    write_base_image(registry, "runtime", "v1", FILES, "linux/amd64")
    with pytest.raises(TagTaken):
        write_base_image(registry, "runtime", "v1", {"other": b""}, "linux/amd64")
