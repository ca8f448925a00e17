"""A table for the terminal: aligned columns, wrapped so that no line is wider than it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

from slipway.reports.plain import one_line, width_of

_GAP = "  "
_NARROWEST = 8


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = 100) -> str:
    """Lines of at most `width` columns, unless there are too many columns to fit at all."""
    table = [[one_line(cell) for cell in row] for row in (header, *rows)]
    widths = _narrowed([max(width_of(row[index]) for row in table) for index in range(len(header))], width=width)
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
    wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        _GAP.join(cell + " " * (width - width_of(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip_longest(*wrapped, fillvalue="")
    ]


@lru_cache(maxsize=10_000)  # in a long table, most cells say what others say
def _wrapped(cell: str, width: int) -> Sequence[str]:
    if width_of(cell) <= width:
        return (cell,)
    narrow = width if width_of(cell) <= len(cell) else max(1, width // 2)  # textwrap counts letters, not columns
    return textwrap.wrap(cell, narrow, break_on_hyphens=False)
