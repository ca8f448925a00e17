"""Text that users wrote, made safe to print: in one line, without codes that move a cursor or hide letters."""

from __future__ import annotations

import re
import unicodedata

# Control, format (turns writing direction, has no width), surrogate, private, unassigned.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_COMMAND = re.compile(r"^\s*::|##\[")
# What GitHub obeys in the message of a commit, up to where a space takes the meaning from it.
_CALL = re.compile(
    r"""
    (?<!\w)@(?=\w)                                     # a mention
  | \#(?=\d)                                           # an issue, which `fixes` before it would close
  | (?<![^\W_])gh-(?=\d)                               # the same, as GH-12
  | :/(?=/\S*/(?:issues|pull|discussions)/\d)          # the same, by its address
  | \[(?=(?:skip\ (?:ci|actions)|(?:ci|actions)\ skip|no\ ci)\])  # runs no workflow
    """,
    re.VERBOSE | re.IGNORECASE,
)


def one_line(text: str) -> str:
    """Join lines by a space, and name what cannot be seen, as `U+202E`; a tag's message may hold anything."""
    return _visible(" ".join(text.split()))


def lines(text: str) -> list[str]:
    """The lines of a text, each made safe by itself; empty lines are dropped."""
    return [safe for line in text.splitlines() if (safe := one_line(line))]


def printable(text: str) -> str:
    """Lines as they are, for a terminal or a workflow's log: no code is left in them, and no workflow command.

    GitHub's runner obeys a line that begins with `::`, and one that holds `##[` anywhere.
    """
    return "\n".join(_COMMAND.sub(_pulled_apart, _visible(line)) for line in text.splitlines())


def commit_line(text: str) -> str:
    """One line for the message of a commit: it calls nobody, closes no issue, and keeps no workflow from running."""
    return _CALL.sub(lambda call: f"{call.group()} ", one_line(text))


def shortened(text: str, *, longest: int) -> str:
    """At most `longest` characters, and a sign where something is left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def width_of(text: str) -> int:
    """Columns of a terminal: wide letters of East Asia take two, combining marks none."""
    return len(text) if text.isascii() else sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _visible(line: str) -> str:
    if line.isprintable():  # to Python, nothing of these categories is
        return line
    return "".join(_named(character) for character in line)


def _named(character: str) -> str:
    hidden = unicodedata.category(character) in _UNPRINTABLE and character != "\t"
    return f"U+{ord(character):04X}" if hidden else character


def _pulled_apart(command: re.Match[str]) -> str:
    return command.group().replace("::", ": :").replace("##[", "# #[")
