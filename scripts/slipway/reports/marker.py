"""A line that people do not see, by which a program finds its own pull request or issue again."""

from __future__ import annotations

import json
import re

_MARKER = re.compile(r"<!-- slipway (?P<fields>\{.*\}) -->\s*\Z")


def marker(**fields: str) -> str:
    """An HTML comment; nothing in a field can end it, since `--` and `>` are written as JSON escapes."""
    text = json.dumps(fields, sort_keys=True)
    return f"\n<!-- slipway {text.replace('--', '-' + _escape('-')).replace('>', _escape('>'))} -->\n"


def read_marker(body: str) -> dict[str, str]:
    """The fields of the marker that ends a body; empty where somebody else wrote the body.

    Only the end counts: a text of a user inside of the body must not pass for a marker.
    """
    found = _MARKER.search(body[body.rfind("\n<!-- slipway ") :]) if "<!-- slipway " in body else None
    if found is None:
        return {}
    fields = json.loads(found["fields"])
    return {str(name): str(value) for name, value in fields.items()}


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"
