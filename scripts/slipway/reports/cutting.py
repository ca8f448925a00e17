"""Texts cut to what a forge takes: GitHub drops a body above 65,536 characters without a word."""

from __future__ import annotations

import re

LONGEST_BODY = 60_000
LONGEST_SUMMARY = 900 * 1024 // 4  # characters of at most four bytes; GitHub drops a summary just below 1 MiB

_FENCE = re.compile(r"(?P<fence>`{3,})(?P<language>[^`]*)$")
_ROOM_TO_CLOSE = 200  # characters: a fence and a few `</details>`


def cut_at_a_line(text: str, *, whole: str, ending: str = "", longest: int = LONGEST_BODY) -> str:
    """Keep the lines that fit, close what they opened, and say where the whole text is.

    `ending` is kept in any case: a marker by which programs find the text again.
    """
    if len(text) + len(ending) <= longest:
        return text + ending
    sentence = f"\n*Cut here at {longest:,} characters. The whole: {whole}*\n"
    room = longest - len(ending) - len(sentence) - _ROOM_TO_CLOSE
    kept = text[: text.rfind("\n", 0, max(room, 0)) + 1]
    return kept + _closing(kept) + sentence + ending


def _closing(kept: str) -> str:
    """What ends the open fence, then the open folds. Inside of a fence, all but its end is text."""
    fence, folds = "", 0
    for line in kept.splitlines():
        mark = _FENCE.match(line)
        if fence:
            ends = mark is not None and len(mark["fence"]) >= len(fence) and not mark["language"].strip()
            fence = "" if ends else fence
        elif mark is not None:
            fence = mark["fence"]
        else:
            folds += line.startswith("<details>") - line.startswith("</details>")
    return (f"{fence}\n" if fence else "") + "\n</details>\n" * max(folds, 0)
