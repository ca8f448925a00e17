"""Which tags start a workflow: GitHub's filter patterns as regular expressions, since act applies no filter.

The rules are those of GitHub's documentation ("filter pattern cheat sheet"): `*` is any run of characters but `/`,
`**` any run, `?` and `+` repeat the character before, `[]` is one of some characters, a leading `!` takes away again,
and the last pattern that fits decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(r"(?P<any>\*\*)|(?P<some>\*)|(?P<repeat>[?+])|(?P<one>\[[^]]+\])|\\(?P<escaped>.)|(?P<plain>.)")


def starts(patterns: Iterable[str], name: str) -> bool:
    """Whether a push of the tag `name` starts a workflow with these filters."""
    fits = False
    for pattern in patterns:
        if as_regex(pattern.removeprefix("!")).fullmatch(name):
            fits = not pattern.startswith("!")
    return fits


def as_regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_translated(part) for part in _PART.finditer(pattern)))


def _translated(part: re.Match[str]) -> str:
    if part["any"]:
        return ".*"
    if part["some"]:
        return "[^/]*"
    return part["repeat"] or part["one"] or re.escape(part["escaped"] or part["plain"])
