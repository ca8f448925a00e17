"""The pictures of docs/ can be made again, from an incident that happens now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pictures.draw import FOLDER, PICTURES, draw

DOCS = FOLDER.parent
_LARGEST = 300_000  # bytes; a clone keeps every one that there ever was


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") and 20_000 < path.stat().st_size < _LARGEST


@pytest.mark.xdist_group("pictures")
def test_the_script_makes_all_pictures_of_a_real_incident(tmp_path: Path) -> None:
    """A picture that nobody can make again shows a program that is gone."""
    drawn = draw(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PICTURES)
    assert [name for name in PICTURES if not is_picture(tmp_path / name)] == []
    assert drawn.charts == 2  # F1 and the largest drift
    assert drawn.unanswered == ()


def test_each_picture_of_the_guide_is_there_and_small() -> None:
    """A broken image is all that a reader sees of it."""
    shown = re.findall(r"!\[[^\]]+\]\((incident/[^)]+)\)", (DOCS / "watch.md").read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(f"incident/{name}" for name in PICTURES)
    assert [name for name in shown if not is_picture(DOCS / name)] == []
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(PICTURES)
