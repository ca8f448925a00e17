"""What counts as this machine."""

from __future__ import annotations

import pytest
from slipway.adapters.registry.names import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_this_machine_may_be_spoken_to_without_encryption(host: str) -> None:
    """A registry for tests and laptops has no certificate."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0", "example.com", "2130706433"]
)
def test_nothing_else_may(host: str) -> None:
    """Credentials must not cross a network in the clear; nothing is looked up, since names can lie."""
    assert not is_loopback(host)
