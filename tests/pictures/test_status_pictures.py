"""The pictures of docs/status.md can be made again, from branches as a team's."""

from __future__ import annotations

import re
from pathlib import Path

from tests.pictures.status_page import FOLDER, PICTURES, draw
from tests.pictures.test_pictures import is_picture

DOCS = FOLDER.parent


def test_the_script_makes_all_pictures_of_the_page(tmp_path: Path) -> None:
    """A picture that nobody can make again shows a page that is gone."""
    draw(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PICTURES)
    assert [name for name in PICTURES if not is_picture(tmp_path / name)] == []


def test_each_picture_is_shown_and_small() -> None:
    """A broken image is all that a reader sees of it."""
    shown = re.findall(r"!\[[^\]]+\]\((status/[^)]+)\)", (DOCS / "status.md").read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(f"status/{name}" for name in PICTURES)
    assert [name for name in shown if not is_picture(DOCS / name)] == []
