"""JSON out of somebody's archive: not too deep, and looked at dictionary by dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_DEEPEST = 200  # a model inside of a model takes about ten


def read_object(raw: bytes | str) -> dict[str, Any]:
    """Parse an object that a recursion can walk through.

    Raises:
        ValueError: it is no JSON, no object, or nested too deep.
    """
    try:
        parsed = json.loads(raw)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deep") from error
    if not isinstance(parsed, dict):
        raise ValueError("its JSON is no object")  # noqa: TRY004  # the content's fault, as a missing brace is
    if any(depth > _DEEPEST for _, depth in _values(parsed)):
        raise ValueError(f"its JSON is nested deeper than {_DEEPEST} levels")
    return parsed


def dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """All that lie in `value`, itself included; those inside come after the one that holds them."""
    return (one for one, _ in _values(value) if isinstance(one, dict))


def _values(value: Any) -> Iterator[tuple[Any, int]]:
    """Without a recursion, which a hostile file would drive too far."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        yield one, depth
        inside = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting.extend((inner, depth + 1) for inner in inside)
