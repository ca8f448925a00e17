"""What a guide tells to type, and what it says is printed.

A fence of `bash` is a block of commands. The fence of `text` behind it, where the words between them say "prints", is
what must be printed; `…` stands for what differs each time, and lines may lie between those that are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SAYS_SO = re.compile(r"\bprints?\b", flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands, in which line of the guide they begin, and the lines that they must print."""

    commands: str
    line: int
    prints: tuple[str, ...] = ()


def blocks_of(guide: Path) -> list[Block]:
    """Every block of commands in the order of the guide."""
    return blocks_in(guide.read_text(encoding="utf-8"))


def blocks_in(text: str) -> list[Block]:
    found: list[Block] = []
    said = ""
    for token in MarkdownIt().parse(text):
        if token.type == "inline":
            said += " " + token.content
        elif token.type == "heading_open":
            said = ""
        elif token.type == "fence":
            found = _with(token, found, said)
            said = ""
    return found


def _with(fence: Token, found: list[Block], said: str) -> list[Block]:
    line = fence.map[0] + 1 if fence.map else 0
    if fence.info == "bash":
        return [*found, Block(fence.content, line)]
    if fence.info == "text" and found and _SAYS_SO.search(said):
        last = found[-1]
        assert not last.prints, f"line {line}: two fences say what the block of line {last.line} prints"
        return [*found[:-1], Block(last.commands, last.line, _lines(fence.content))]
    return found


def _lines(shown: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in shown.splitlines() if line.strip(" …"))


def first_missing(shown: Sequence[str], printed: str) -> str | None:
    """The first line of `shown` that `printed` does not have behind those before it."""
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    for line in shown:
        wanted = re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))
        if not any(wanted.fullmatch(each) for each in lines):
            return line
    return None
