"""JSON that comes from a pull request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.converters.json_parts import dictionaries, read_object

_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict) else []), *(one for inner in inside for one in _dictionaries(inner))]


@given(value=_JSON)
def test_each_dictionary_is_found_however_deep(value: Any) -> None:
    """One that is overlooked is one that is not checked."""
    found = sorted(json.dumps(one) for one in dictionaries(value))

    assert found == sorted(json.dumps(one) for one in _dictionaries(value))


@pytest.mark.parametrize("depth", [150, 250, 5000, 1_000_000])
def test_what_is_nested_too_deep_is_no_object(depth: int) -> None:
    """Whoever walks through it later would end in a traceback."""
    raw = '{"a": ' + "[" * depth + "]" * depth + "}"

    if depth < 200:
        assert list(dictionaries(read_object(raw))) == [json.loads(raw)]
    else:
        with pytest.raises(ValueError, match="nested"):
            read_object(raw)


@pytest.mark.parametrize("raw", ["[1]", "1", "", "{", "nothing", '"{}"'])
def test_what_is_no_object_is_refused(raw: str) -> None:
    """Both readers ask for keys."""
    with pytest.raises(ValueError, match=r"no object|Expecting"):
        read_object(raw)
