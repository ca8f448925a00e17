"""A folder that appears as a whole, where a person says that it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from slipway.adapters import site
from slipway.adapters.exchange import exchanged
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


@pytest.mark.parametrize("exchange", [exchanged, lambda new, out: False], ids=["exchanged", "page by page"])
def test_what_is_no_page_any_more_goes_and_the_rest_is_replaced(
    tmp_path: Path, exchange: Callable[[Path, Path], bool]
) -> None:
    """Also a folder that nothing is left in, and also where a file system cannot exchange two folders."""
    site.publish(tmp_path / "pages", [("index.html", b"old"), ("models/a.html", b"a"), ("gone/deep/b.html", b"b")])
    site.publish(tmp_path / "pages", [("index.html", b"new"), ("models/c.html", b"c")], exchange=exchange)

    found = {str(path.relative_to(tmp_path / "pages")) for path in (tmp_path / "pages").rglob("*.html")}
    assert found == {"index.html", "models/c.html"}
    assert (tmp_path / "pages" / "index.html").read_bytes() == b"new"
    assert not (tmp_path / "pages" / "gone").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]
