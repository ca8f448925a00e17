"""Bytes are what their digest says, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.digests import check, digest_of, verified
from slipway.errors import DigestMismatch

PIECES = st.lists(st.binary(max_size=50))


@given(pieces=PIECES)
def test_any_cut_of_the_right_bytes_passes(pieces: list[bytes]) -> None:
    """Networks cut where they like."""
    whole = b"".join(pieces)
    passed = verified(pieces, digest_of(whole), size=len(whole), what="x")
    assert b"".join(passed) == whole == check(whole, digest_of(whole), what="x")


@given(pieces=PIECES, other=st.binary(max_size=100))
def test_other_bytes_never_pass(pieces: list[bytes], other: bytes) -> None:
    """Whatever the size that was announced."""
    whole = b"".join(pieces)
    if whole == other:
        return
    for size in (None, len(whole), len(other)):
        with pytest.raises(DigestMismatch):
            list(verified(pieces, digest_of(other), size=size, what="x"))
