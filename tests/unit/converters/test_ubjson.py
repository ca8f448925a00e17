"""XGBoost's binary JSON, read without trusting it."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.converters.ubjson import parse

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def _length(count: int) -> bytes:
    return b"L" + struct.pack(">q", count)


def _text(text: str) -> bytes:
    return _length(len(text.encode())) + text.encode()


def _written(value: Any) -> bytes:
    """As XGBoost writes it."""
    match value:
        case None | bool():
            return {None: b"Z", True: b"T", False: b"F"}[value]
        case int():
            return b"L" + struct.pack(">q", value)
        case str():
            return b"S" + _text(value)
        case list():
            return b"[#" + _length(len(value)) + b"".join(map(_written, value))
        case _:
            return b"{" + b"".join(_text(key) + _written(one) for key, one in value.items()) + b"}"


@given(_values)
def test_what_was_written_is_read(value: Any) -> None:
    """A reader of ours that reads otherwise than XGBoost would look at another model."""
    assert parse(_written(value)) == value


@pytest.mark.parametrize(("kind", "dtype"), [("i", ">i1"), ("l", ">i4"), ("L", ">i8"), ("d", ">f4"), ("D", ">f8")])
def test_arrays_of_numbers_are_read_with_their_type(kind: str, dtype: str) -> None:
    """Children of nodes are whole numbers, and splits are not."""
    values = np.array([1, -2, 3], dtype)

    found = parse(b"[$" + kind.encode() + b"#" + _length(3) + values.tobytes())

    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, values)


@given(
    st.binary(max_size=60)
    | _values.map(_written).flatmap(lambda whole: st.integers(0, len(whole)).map(lambda end: whole[:end] + b"\xff" * 9))
)
def test_no_bytes_make_it_do_anything_but_say_no(content: bytes) -> None:
    """Whatever a file holds, the answer is a value or a ValueError, soon and in little memory."""
    try:
        parse(content)
    except ValueError:
        return


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"S" + _length(1 << 60), "states a length of 1,152,921,504,606,846,976"),
        (b"S" + _length(-1), "states a length of -1"),
        (b"[$D#" + _length(1 << 60), "states a length of"),
        (b"[#" + _length(1 << 60), "states a length of"),
        (b"[#" + _length(1) * 1, "states a length of 1 "),
        (b"{" + _text("a") + b"T" + _text("a") + b"F}", "`a` is there twice"),
        ((b"[#" + _length(1)) * 100 + b"T", "nested deeper than 64"),
        (b"TT", "1 bytes follow its end"),
        (b"H", "is no type that XGBoost writes"),
    ],
)
def test_what_lies_is_named(content: bytes, words: str) -> None:
    """The one who saved the file has to find what broke it."""
    with pytest.raises(ValueError, match=words):
        parse(content)
