"""Addresses that registries name: read as they are meant, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.address import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://registry.example.com", Address("https", "registry.example.com", 443, "/")),
        ("http://127.0.0.1:5000/v2/", Address("http", "127.0.0.1", 5000, "/v2/")),
        ("https://[::1]:5000/v2/a?x=1", Address("https", "::1", 5000, "/v2/a?x=1")),
        ("HTTPS://Registry.Example.COM/V2", Address("https", "registry.example.com", 443, "/V2")),
        ("https://a/b c/%2F?d=é", Address("https", "a", 443, "/b%20c/%2F?d=%C3%A9")),
    ],
)
def test_an_address_is_read_as_it_is_meant(text: str, address: Address) -> None:
    """What is escaped already stays so: a signed address is valid letter by letter."""
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("reference", "joined"),
    [
        ("/v2/b?_state=x%3D%3D", "https://a:443/v2/b?_state=x%3D%3D"),
        ("c", "https://a:443/v2/c"),
        ("https://storage.example.com/signed?s=1", "https://storage.example.com:443/signed?s=1"),
        ("//other.example.com/x", "https://other.example.com:443/x"),
    ],
)
def test_a_location_may_be_relative(reference: str, joined: str) -> None:
    """The specification allows it, and some registries do it."""
    assert str(Address.parse("https://a/v2/b").join(reference)) == joined


def test_a_digest_is_added_to_what_a_registry_asks_itself() -> None:
    """The session of an upload stands in its address; without it, the upload is somebody else's."""
    address = Address.parse("https://a/upload?_state=x").asking(("digest", "sha256:1"))
    assert address.target == "/upload?_state=x&digest=sha256%3A1"
    assert (
        Address.parse("https://a/token").asking(("scope", "a:b"), ("scope", "c")).target == "/token?scope=a%3Ab&scope=c"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/relative",
        "ftp://a/b",
        "https://",
        "https://user:password@a/b",
        "https://a:port/",
        "https://[",
        "http://a b/",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    """A user in an address would be a password in a log."""
    with pytest.raises(ValueError, match=r"."):
        Address.parse(text)


@given(st.text(), st.text())
def test_no_text_leads_to_letters_that_end_a_line(base: str, reference: str) -> None:
    """A line's end in an address would be a header of a stranger's choice."""
    try:
        address = Address.parse(f"https://a/{base}").join(reference)
    except ValueError:
        return
    sent = address.host + address.target
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent
