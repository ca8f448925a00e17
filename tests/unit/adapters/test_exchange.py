"""Two folders that take each other's place."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters.exchange import exchanged


def test_two_folders_take_each_others_place_with_all_that_is_in_them(tmp_path: Path) -> None:
    """Between the two, nobody may find neither."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "said").write_text(name)

    assert exchanged(tmp_path / "one", tmp_path / "other")

    assert (tmp_path / "one" / "said").read_text() == "other"
    assert (tmp_path / "other" / "said").read_text() == "one"


def test_what_cannot_be_exchanged_stays_as_it_is(tmp_path: Path) -> None:
    """Whoever asked goes another way then, and needs all of it."""
    (tmp_path / "one").mkdir()

    assert not exchanged(tmp_path / "one", tmp_path / "nothing")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
