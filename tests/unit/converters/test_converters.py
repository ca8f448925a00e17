"""The list of converters, and what must agree with it."""

from __future__ import annotations

import re

import pytest
from slipway.converters import CONVERTERS

from tests.unit.converters.conftest import ROOT


@pytest.mark.parametrize("name", sorted(CONVERTERS))
def test_each_converter_has_a_hashed_environment_and_a_row_in_the_handbook(name: str) -> None:
    """What is not told is asked, and what is not pinned changes."""
    locked = (ROOT / "requirements" / f"{CONVERTERS[name].requirements}.txt").read_text()
    pinned = re.findall(r"^[a-z0-9-]+==", locked, re.MULTILINE)

    assert len(re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", locked, re.MULTILINE)) == len(pinned) > 3
    assert f"| `{name}` |" in (ROOT / "docs" / "frameworks.md").read_text()
