"""The one line by which a user says where images live."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import RegistryRefused


def test_a_folder_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`layout:.slipway/images` stands in a repository that anybody cloned anywhere."""
    monkeypatch.chdir(tmp_path)
    relative, absolute = open_registry("layout:images"), open_registry(f"layout:{tmp_path}/images")
    assert isinstance(relative, LayoutRegistry)
    assert relative.repository("a").home == absolute.repository("a").home == f"layout:{tmp_path}/images"


@pytest.mark.parametrize(
    ("reference", "home", "name"),
    [
        ("registry.example.com/acme/models", "registry.example.com", "acme/models/flight-delay"),
        ("localhost:5000/acme", "localhost:5000", "acme/flight-delay"),
        ("127.0.0.1:5000", "127.0.0.1:5000", "flight-delay"),
        ("[::1]:5000/acme", "[::1]:5000", "acme/flight-delay"),
        ("registry:5000/acme", "registry:5000", "acme/flight-delay"),
    ],
)
def test_a_registry_is_a_host_and_a_prefix(reference: str, home: str, name: str) -> None:
    """As every container tool writes it."""
    registry = open_registry(reference)
    assert isinstance(registry, RemoteRegistry)
    assert (registry.repository("flight-delay").home, registry.repository("flight-delay").name) == (home, name)


@pytest.mark.parametrize(
    "reference",
    ["", "layout:", "acme/models", "https://registry.example.com/acme", "registry.example.com/Acme", "a b/c", "::1/x"],
)
def test_what_is_neither_is_refused_with_an_example(reference: str) -> None:
    """A typing error must not become a folder or a connection."""
    with pytest.raises(RegistryRefused, match="mend"):
        open_registry(reference)


def test_an_address_with_a_password_is_not_repeated() -> None:
    """The text goes to a log."""
    with pytest.raises(RegistryRefused) as caught:
        open_registry("robot:hunter2@registry.example.com/acme")
    assert "hunter2" not in str(caught.value)


_APPENDING = """
import sys
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.append import append_layer
open_registry("localhost:1/acme").repository("flight-delay")
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def test_an_append_loads_nothing_that_takes_longer_than_it() -> None:
    """A megabyte is sent in a hundredth of a second; each of these takes two to twenty times that to load."""
    slow = ("httpx", "pydantic", "stamina", "filelock", "requests", "urllib3", "logging", "dataclasses", "asyncio")
    command = [sys.executable, "-c", _APPENDING, *slow]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4])
    assert done.stdout.split() == []
