"""A table for the terminal: aligned columns, wrapped so that no line is wider than it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache

from slipway.reports.plain import one_line, width_of

_GAP = "  "
_NARROWEST = 8


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = 100) -> str:
    """Lines of at most `width` columns, unless there are too many columns to fit at all."""
    table = [[_one_line(cell) for cell in row] for row in (header, *rows)]
    widths = _narrowed([max(map(width_of, set(column))) for column in zip(*table, strict=True)], width=width)
    ruled = [table[0], ["─" * one for one in widths], *table[1:]]
    return "\n".join(line for row in ruled for line in _lines(row, widths))


def _narrowed(widths: list[int], *, width: int) -> list[int]:
    """Take from the widest column until all fit."""
    room = width - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        widths = [one - (index == widest) for index, one in enumerate(widths)]
    return widths


def _lines(row: list[str], widths: list[int]) -> list[str]:
    filled = [_filled(cell, width) for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, filled))
    if height == 1:
        return [_GAP.join([cell for (cell,) in filled]).rstrip()]
    whole = [cell + (" " * width,) * (height - len(cell)) for cell, width in zip(filled, widths, strict=True)]
    return [_GAP.join(line).rstrip() for line in zip(*whole, strict=True)]


_SEEN = 20_000  # in a long table, most cells say what others say
_one_line = lru_cache(maxsize=_SEEN)(one_line)


@lru_cache(maxsize=_SEEN)
def _filled(cell: str, width: int) -> tuple[str, ...]:
    """Wrapped, and each line made as wide as the column."""
    return tuple(line + " " * (width - width_of(line)) for line in _wrapped(cell, width)) or (" " * width,)


def _wrapped(cell: str, width: int) -> list[str]:
    if width_of(cell) <= width:
        return [cell]
    narrow = width if width_of(cell) <= len(cell) else max(1, width // 2)  # textwrap counts letters, not columns
    return _wrapper(narrow).wrap(cell)


@lru_cache(maxsize=_SEEN)
def _wrapper(width: int) -> textwrap.TextWrapper:
    return textwrap.TextWrapper(width, break_on_hyphens=False)
