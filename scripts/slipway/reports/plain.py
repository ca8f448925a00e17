"""Text that users wrote, made safe to print: in one line, without codes that move a cursor or hide letters."""

from __future__ import annotations

import unicodedata

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Control, format (turns writing direction, has no width), surrogate, private, unassigned.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def one_line(text: str) -> str:
    """Join lines by a space, and show what cannot be seen as `�`; a tag's message may hold anything."""
    return "".join(_printable(character) for character in " ".join(text.split()))


def lines(text: str) -> list[str]:
    """The lines of a text, each made safe by itself; empty lines are dropped."""
    return [safe for line in text.splitlines() if (safe := one_line(line))]


def shortened(text: str, *, longest: int) -> str:
    """At most `longest` characters, and a sign where something is left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def width_of(text: str) -> int:
    """Columns of a terminal: wide letters of East Asia take two, combining marks none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _printable(character: str) -> str:
    return _REPLACEMENT if unicodedata.category(character) in _UNPRINTABLE else character
