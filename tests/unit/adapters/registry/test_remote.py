"""What only a registry must stand: other writers of a tag, and answers that are no registry's."""

from __future__ import annotations

import pytest
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import RegistryRefused

from tests.unit.adapters.registry.gatekeeper import gatekeeper
from tests.unit.adapters.registry.releases import HASTY, LAYER, release, with_base


def test_a_second_release_sends_no_blob(registry_host: str, remote: Registry) -> None:
    """Running again costs looks, not bytes."""
    with gatekeeper(registry_host, scheme="") as keeper:
        registry = RemoteRegistry(keeper.address, remote.repository("x").name, patience=HASTY)
        base = with_base(registry)
        first = release(registry, base)
        keeper.requests.clear()
        assert release(registry, base) == first
    assert {request.split()[0] for request in keeper.requests} <= {"GET", "HEAD"}


def test_a_first_release_sends_the_layer_and_no_byte_of_the_base(registry_host: str, remote: Registry) -> None:
    """The promise: a release pushes one layer."""
    with gatekeeper(registry_host, scheme="") as keeper:
        registry = RemoteRegistry(keeper.address, remote.repository("x").name, patience=HASTY)
        base = with_base(registry)
        keeper.requests.clear()
        release(registry, base)
    puts = [request for request in keeper.requests if request.startswith("PUT") and "digest=" in request]
    assert len(puts) == 2  # the layer and the config
    assert any(LAYER.digest.replace(":", "%3A") in put for put in puts)


def test_a_page_that_is_no_registrys_is_refused(registry_host: str) -> None:
    """A wrong address often leads to a login page that answers 200 to everything, or 404 to every write."""
    with gatekeeper(registry_host, scheme="", faults=[(404, ""), (404, "")]) as keeper:
        repository = RemoteRegistry(keeper.address, "x", patience=HASTY).repository("a")
        with pytest.raises(RegistryRefused, match="image_registry"):
            repository.put_blob(digest_of(b"1"), size=1, chunks=lambda: iter([b"1"]))
