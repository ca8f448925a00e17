"""Texts cut to what a forge takes: GitHub drops a body above 65,536 characters without a word."""

from __future__ import annotations

import re

LONGEST_BODY = 60_000

_FENCE = re.compile(r"^(?P<fence>`{3,})", re.MULTILINE)


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


_ROOM_TO_CLOSE = 200  # a fence and a few `</details>`


def _closing(kept: str) -> str:
    fence = _open_fence(kept)
    opened = kept.count("<details>") - kept.count("</details>")
    return (f"{fence}\n" if fence else "") + "\n</details>\n" * max(opened, 0)


def _open_fence(kept: str) -> str:
    """The fence that still waits for its end; inside of one, shorter fences are text."""
    waiting = ""
    for match in _FENCE.finditer(kept):
        fence = match["fence"]
        if not waiting:
            waiting = fence
        elif len(fence) >= len(waiting):
            waiting = ""
    return waiting
