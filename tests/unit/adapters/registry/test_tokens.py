"""Reading what a registry demands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.tokens import Challenge


@pytest.mark.parametrize(
    ("text", "scheme", "parameters"),
    [
        ('Bearer realm="https://a/token",service="a"', "bearer", {"realm": "https://a/token", "service": "a"}),
        (
            'Bearer realm="https://a/t" , scope="repository:x:pull,push"',
            "bearer",
            {"realm": "https://a/t", "scope": "repository:x:pull,push"},
        ),
        ('BASIC realm="a \\"quoted\\" word"', "basic", {"realm": 'a "quoted" word'}),
        ("Bearer realm=https://a/token", "bearer", {"realm": "https://a/token"}),
        ("Bearer", "bearer", {}),
        ("", "", {}),
    ],
)
def test_challenges_are_read_as_registries_write_them(text: str, scheme: str, parameters: dict[str, str]) -> None:
    """A comma inside a scope once cost a well-known client its push."""
    assert Challenge.parse(text) == Challenge(scheme, parameters)


@given(st.text())
def test_no_challenge_crashes_the_reader(text: str) -> None:
    """The header is a stranger's text."""
    assert Challenge.parse(text).scheme == Challenge.parse(text).scheme.lower()
