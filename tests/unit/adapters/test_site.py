"""A folder that appears as a whole, where a person says that it should."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import site
from slipway.errors import BadFile


@pytest.mark.parametrize("name", ["file/pages", "nowhere/..", "/proc/pages"])
def test_where_no_folder_can_be_made_that_is_said(name: str, tmp_path: Path) -> None:
    """A misspelt path must not read like a defect, nor leave anything behind."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BadFile, match=r"cannot be made|is no folder of its own"):
        site.publish(tmp_path / name, [("index.html", b"")])

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_may_lie_beside_the_repository(tmp_path: Path) -> None:
    """`--out ../pages` is where most people want it."""
    (tmp_path / "repository").mkdir()

    site.publish(tmp_path / "repository" / ".." / "pages", [("index.html", b"all well")])

    assert (tmp_path / "pages" / "index.html").read_bytes() == b"all well"
